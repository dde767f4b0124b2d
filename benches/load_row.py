"""One row of the load table from the generator's reports of one load: load_row.py NAME REPORT..."""

import json
import statistics
import sys


def main() -> None:
    name, *paths = sys.argv[1:]
    reports = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            reports.append(json.load(file))

    def median(value) -> float:
        return statistics.median(value(report) for report in reports)

    legs = reports[0]["legs"]
    cells = [f"failed {max(report['failed'] for report in reports)}"]
    if reports[0].get("transit_ms"):
        for point in ("p50", "p99"):
            cells.append(f"transit {point} {median(lambda r: r['transit_ms'][point]):.1f} ms")
    elif reports[0]["mode"] == "setup":
        cells.append(f"retransmitted {max(report['sip_retransmits'] for report in reports)}")
        cells.append(f"INVITE to 200 p50 {median(lambda r: r['invite_to_200_ms']['p50']):.1f} ms")
        cells.append(f"p99 {median(lambda r: r['invite_to_200_ms']['p99']):.1f} ms")
    else:
        cells.append(f"server/generator CPU {median(lambda r: r['server_cpu'] / r['own_cpu']):.2f}")
        cells.append(f"% of a core a leg {median(lambda r: 100 * r['server_cpu'] / legs):.4f}")
        cells.append(f"gaps over 30 ms {max(report['gaps_over_30ms'] for report in reports)}")
        cells.append(f"missing {median(lambda r: r['rx_short_pct']):.3f} %")
    if reports[0].get("server_rss_mib"):
        cells.append(f"memory {median(lambda r: r['server_rss_mib']):.1f} MiB")
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


main()
