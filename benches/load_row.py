"""The lines of the load table from the reports of one row: load_row.py ROW OUT REPORT..., or load_row.py --head.

Of several runs the median counts. Each figure also goes into OUT as a JSON object on a line of its own.
"""

import json
import pathlib
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HEAD = [
    "load",
    "Asterisk 22",
    "FreeSWITCH 1.10",
    "Janus 1.1",
    "target",
    "Partyline",
    "",
    "range of the runs",
    "remarks",
]


@dataclass
class Figure:
    """What is asked for: `most` (or `least`) of each value, and what others have."""

    label: str
    others: tuple[str, str, str]
    target: str
    shown: str
    most: tuple[float, ...] = ()
    least: tuple[float, ...] = ()


NOBODY = ("–", "–", "–")


def lossy_figures(load: str) -> list[Figure]:
    return [
        Figure(
            f"{load}, 10 % lost: ticks left out, packets missing / gaps over 30 ms",
            NOBODY,
            "0, 0 / 0",
            "{:.0f}, {:.4f} / {:.4f} %",
            (0, 0, 0),
        ),
        Figure("of a core a leg without loss, and with it", NOBODY, "–", "{:.4f} % / {:.4f} %"),
        Figure("CPU a concealed frame", NOBODY, "–", "{:.0f} µs"),
    ]


CORE = "{:.4f} %"
MS = "{:.1f} / {:.1f} ms"
LOST = "{:.4f} / {:.4f} %"
FIGURES = {
    "one-room": [
        Figure(
            "400 legs in one room, all talk: server ÷ generator CPU",
            ("4.1", "about 8 (breaks)", "2.9"),
            "≤ 0.75",
            "{:.2f}",
            (0.75,),
        ),
        Figure(
            "400 legs in one room, all talk: of a core a leg",
            ("0.21–0.22 %", "0.40 %", "0.18 %"),
            "≤ 0.036 %",
            CORE,
            (0.036,),
        ),
    ],
    "rooms-of-ten": [
        Figure(
            "40 rooms of ten, of a core a leg", ("0.25 %", "breaks", "0.22 % (20 rooms)"), "≤ 0.036 %", CORE, (0.036,)
        )
    ],
    "opus-loudest": [
        Figure(
            "50 legs of Opus in one room, all talk, the loudest eight mixed, of a core a leg",
            NOBODY,
            "≤ 0.40 %",
            CORE,
            (0.40,),
        )
    ],
    "opus-everyone": [
        Figure(
            "the same with everyone mixed",
            ("–", "1.06 %", "1.24 %"),
            "–",
            CORE,
        )
    ],
    "opus-listeners": [
        Figure(
            "400 listeners of Opus who send no speech, three talk, of a core a listener",
            NOBODY,
            "≤ 0.22 %",
            CORE,
            (0.22,),
        )
    ],
    "three-talk": [
        Figure(
            "3 of 400 talk, the rest send noise at −60 dBFS, of a core a leg",
            ("0.21 %", "0.40 %", "–"),
            "≤ 0.034 %",
            CORE,
            (0.034,),
        )
    ],
    "legs-800": [
        Figure(
            "800 legs in rooms of ten: packets missing / gaps over 30 ms",
            ("breaks", "breaks at 400", "0.02 %"),
            "0 / 0",
            LOST,
            (0.0, 0.0),
        )
    ],
    "legs-1600": [
        Figure(
            "1,600 legs in rooms of ten: packets missing / gaps over 30 ms",
            ("breaks at 800", "breaks at 400", "–"),
            "≤ 0.001 %",
            LOST,
            (0.001, 0.001),
        )
    ],
    "memory": [
        Figure(
            "memory a leg, slope from 400 to 1,600",
            ("250 KiB", "700 KiB", "570 KiB to 2 MiB"),
            "≤ 40 KiB",
            "{:.1f} KiB",
            (40.0,),
        )
    ],
    "idle": [Figure("idle, cores", ("0.007", "0.008", "–"), "≤ 0.001", "{:.5f}", (0.001,))],
    "transit": [
        Figure(
            "packet in to the same sample out, p50/p99",
            ("11.6/20.6 (no jitter buffer)", "36.5/53.5", "130/142"),
            "≤ 12/22 ms",
            MS,
            (12, 22),
        )
    ],
    "settled": [
        Figure("packet in to the same sample out in a settled room, p50/p99", NOBODY, "≤ 6/12 ms", MS, (6, 12))
    ],
    "late": [
        Figure(
            "packet in to the same sample out, every packet 0–20 ms late, p50/p99", NOBODY, "≤ 30/45 ms", MS, (30, 45)
        ),
        Figure("every packet 0–20 ms late: frames concealed", NOBODY, "≤ 0.1 %", "{:.3f} %", (0.1,)),
    ],
    "lossy": lossy_figures("400 legs of µ-law in rooms of ten"),
    "lossy-opus": lossy_figures("50 legs of Opus in one room"),
    "digits": [
        Figure(
            "last PIN digit to the sound of the room, p50/p99",
            ("10.5/20.5", "31.6/41", "–"),
            "≤ 12/22 ms",
            MS,
            (12, 22),
        )
    ],
    "setup": [
        Figure("calls answered and hung up a second, on one core", ("800", "200", "–"), "3,000", "{:.0f}", (), (2970,))
    ],
    "calls": [
        Figure(
            "memory after 100,000 calls against before", ("1.7 GiB, stayed", "–", "–"), "≤ +5 %", "{:+.1f} %", (5.0,)
        )
    ],
    "sound": [
        Figure(
            "tones among 400 that send noise: frames unlike those without load, change of level",
            NOBODY,
            "0, ≤ 0.1 dB",
            "{:.0f}, {:.3f} dB",
            (0, 0.1),
        ),
        Figure("tones among 400 that send noise: own tone heard", NOBODY, "≤ −60 dBFS", "{:.0f} dBFS", (-60,)),
        Figure("tones among 400 that talk: the other's above the own", NOBODY, "≥ 10 dB", "{:.0f} dB", (), (10,)),
    ],
    "threads": [
        Figure("CPU of a media thread in a tick, 800 legs in rooms of ten: one thread", NOBODY, "–", "{:.2f} ms"),
        Figure(
            "CPU of a media thread in a tick, 800 legs in rooms of ten: the busier of two against one",
            NOBODY,
            "≤ 0.55",
            "{:.2f}",
            (0.55,),
        ),
    ],
}


@dataclass
class Measured:
    """The values of a figure, run by run, and what else is to be known."""

    runs: list[tuple[float, ...]]
    remarks: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def median(reports: list[dict], value: Callable[[dict], float]) -> float:
    return statistics.median(value(report) for report in reports)


def health(reports: list[dict]) -> tuple[list[str], list[str]]:
    """Faults of the calls themselves; and whether the machine was quiet enough for the figures to count."""
    faults, remarks = [], []
    for key, text in (
        ("failed", "failed"),
        ("sip_retransmits", "retransmitted"),
        ("legs_without_rtp", "legs without sound"),
    ):
        worst = max(report.get(key, 0) for report in reports)
        if worst:
            faults.append(f"{worst} {text}")
    others = max(report.get("other_cpu", 0) for report in reports)
    if others > 0.1:
        remarks.append(f"others took {others:.2f} cores")
    late = max((report.get("own_send_late_ms") or {"p99": 0})["p99"] for report in reports)
    if late > 2:
        remarks.append(f"generator p99 {late:.1f} ms late")
    return faults, remarks


def cpu(reports: list[dict]) -> Iterator[Measured]:
    faults, quiet = health(reports)
    # Talkers in a process of their own are part of the load.
    legs = [report["legs"] + report["talkers"].get("legs", 0) for report in reports]
    own = [report["own_cpu"] + report["talkers"].get("own_cpu", 0) for report in reports]
    both = list(zip(reports, legs, own, strict=True))
    machine = statistics.median(report["machine"]["machine"] - own for report, _, own in both)
    ratio = Measured([(report["server_cpu"] / own,) for report, _, own in both], list(quiet), faults)
    ratio.remarks.append(f"machine less generator: {machine / statistics.median(own):.2f}")
    share = Measured([(100 * report["server_cpu"] / legs,) for report, legs, _ in both], list(quiet), faults)
    share.remarks.append(f"machine less generator: {100 * machine / legs[0]:.4f} %")
    share.remarks.append(f"generator: {statistics.median(100 * own / legs for _, legs, own in both):.4f} %")
    return iter((ratio, share))


def share_of_a_core(reports: list[dict]) -> Iterator[Measured]:
    ratio, share = cpu(reports)
    share.remarks.append(f"server ÷ generator: {statistics.median(run[0] for run in ratio.runs):.2f}")
    yield share


def missing(reports: list[dict]) -> Iterator[Measured]:
    faults, remarks = health(reports)
    runs = []
    for report in reports:
        # At the edges of the window a leg may have one packet less than its length asks for.
        short = report["rx_expected"] - report["rx_packets"] - report["legs"]
        lost = max(report["rx_seq_lost"], short, 0)
        # A gap is ours if it is longer than the generator's own worst lateness explains.
        explained = report["gap_ms"]["max"] - report["own_send_late_ms"]["max"] <= 30
        gaps = 0 if explained else report["gaps_over_30ms"]
        runs.append((100 * lost / report["rx_expected"], 100 * gaps / report["rx_packets"]))
        if report["legs_up_at_end"] < report["legs"]:
            faults.append(f"{report['legs'] - report['legs_up_at_end']} legs went down")
    remarks.append(f"longest gap {max(report['gap_ms']['max'] for report in reports):.1f} ms")
    remarks.append(f"generator at most {max(report['own_send_late_ms']['max'] for report in reports):.1f} ms late")
    remarks.append(f"{max(report['gaps_over_30ms'] for report in reports)} gaps before that is taken off")
    remarks.append(f"server ÷ generator: {median(reports, lambda r: r['server_cpu'] / r['own_cpu']):.2f}")
    yield Measured(runs, remarks, faults)


def memory(reports: list[dict]) -> Iterator[Measured]:
    few, many = reports
    slope = (many["server_rss_mib"] - few["server_rss_mib"]) * 1024 / (many["legs"] - few["legs"])
    yield Measured(
        [(slope,)], [f"{few['server_rss_mib']:.1f} MiB, then {many['server_rss_mib']:.1f} MiB"], health(reports)[0]
    )


def idle(reports: list[dict]) -> Iterator[Measured]:
    yield Measured(
        [(report["cores"],) for report in reports],
        [f"{median(reports, lambda r: r['switches_per_second']):.1f} context switches a second"],
    )


def percentiles(key: str) -> Callable[[list[dict]], Iterator[Measured]]:
    def measured(reports: list[dict]) -> Iterator[Measured]:
        faults, remarks = health(reports)
        heard = [report[key] or {"p50": float("inf"), "p99": float("inf"), "n": 0} for report in reports]
        remarks.append(f"{sum(one['n'] for one in heard):,} times")
        if key == "last_digit_to_audio_ms" and any(
            one["n"] < report["legs"] for one, report in zip(heard, reports, strict=True)
        ):
            faults.append("some heard nothing")
        yield Measured([(one["p50"], one["p99"]) for one in heard], remarks, faults)

    return measured


def late(reports: list[dict]) -> Iterator[Measured]:
    yield from percentiles("transit_ms")(reports)
    runs = []
    for report in reports:
        media = [
            (record["media"]["frames_concealed"], record["talk_ms"] / 20)
            for record in report["records"]
            if record.get("media")
        ]
        runs.append((100 * sum(concealed for concealed, _ in media) / sum(frames for _, frames in media),))
    yield Measured(runs)


def lossy(reports: list[dict]) -> Iterator[Measured]:
    """Of runs without loss and with it, in turns."""
    clean, lost = reports[::2], reports[1::2]
    heard = next(missing(lost))
    # The relay may keep an INVITE waiting; what is measured begins after it.
    late = [fault for fault in heard.faults if fault.endswith("retransmitted")]
    heard.faults = [fault for fault in heard.faults if fault not in late]
    heard.remarks += late
    ticks = [float(report["status"]["media_ticks_skipped"]) for report in lost]
    heard.runs = [(skipped, *run) for skipped, run in zip(ticks, heard.runs, strict=True)]
    yield heard
    legs = lost[0]["legs"]
    yield Measured(
        [(100 * a["server_cpu"] / legs, 100 * b["server_cpu"] / legs) for a, b in zip(clean, lost, strict=True)]
    )
    concealed = []
    for report in lost:
        media = [record for record in report["records"] if record.get("media")]
        seconds = sum(record["talk_ms"] for record in media) / 1000
        # Of one leg in a second.
        concealed.append(sum(record["media"]["frames_concealed"] for record in media) / seconds)
    runs = [
        (1e6 * (b["server_cpu"] - a["server_cpu"]) / (rate * legs),)
        for a, b, rate in zip(clean, lost, concealed, strict=True)
    ]
    share = statistics.median(concealed) / 50
    yield Measured(runs, [f"{100 * share:.1f} % of all frames concealed"])


def setup(reports: list[dict]) -> Iterator[Measured]:
    faults, remarks = health(reports)
    answered = [statistics.median(report["invite_to_200_ms"][point] for report in reports) for point in ("p50", "p99")]
    remarks.append("INVITE to 200 p50/p99 {:.1f}/{:.1f} ms".format(*answered))
    remarks.append(f"of the core {100 * median(reports, lambda r: r['server_cpu']):.0f} %")
    yield Measured([(report["completed_cps"],) for report in reports], remarks, faults)


def calls(reports: list[dict]) -> Iterator[Measured]:
    report = reports[0]
    before, after, peak = report["before"][0], report["after"][0], report["after"][1]
    remarks = [f"{before / 1024:.1f} MiB, then {after / 1024:.1f} MiB, {peak / 1024:.1f} MiB between"]
    yield Measured([(100 * (after - before) / before,)], remarks, health([report["load"]])[0])


def sound(reports: list[dict]) -> Iterator[Measured]:
    heard = reports[0]["heard"]
    alone, noise, speech = ([one for one in heard if one["load"] == load] for load in ("alone", "noise", "speech"))
    faults = [f"{one['spoilt_frames']} frames spoilt without load" for one in alone if one["spoilt_frames"]]
    worst = (max(one["spoilt_frames"] for one in noise), max(abs(one["change_db"]) for one in noise))
    settling = [sum(one["spoilt_while_settling"] for one in load) for load in (alone, noise)]
    remarks = [f"of {noise[0]['frames']} frames", f"{noise[0]['other_dbfs']:.2f} dBFS"]
    remarks.append(f"while jitter buffers settle: {settling[1]} frames, {settling[0]} without load")
    yield Measured([worst], remarks, faults)
    yield Measured([(max(one["own_dbfs"] for one in alone + noise),)])
    yield Measured(
        [(min(one["other_dbfs"] - one["own_dbfs"] for one in speech),)], [f"{speech[0]['other_dbfs']:.1f} dBFS"]
    )


def threads(reports: list[dict]) -> Iterator[Measured]:
    # Cores in use times 20 ms: the work of a tick.
    one, two = (
        [20 * cores for name, cores in report["threads"].items() if name.startswith("media-")] for report in reports
    )
    yield Measured([(sum(one),)])
    yield Measured([(max(two) / sum(one),)], [" and ".join(f"{tick:.2f} ms" for tick in two)])


ROWS = {
    "one-room": cpu,
    "rooms-of-ten": share_of_a_core,
    "three-talk": share_of_a_core,
    "opus-loudest": share_of_a_core,
    "opus-everyone": share_of_a_core,
    "opus-listeners": share_of_a_core,
    "legs-800": missing,
    "legs-1600": missing,
    "memory": memory,
    "idle": idle,
    "transit": percentiles("transit_ms"),
    "settled": percentiles("transit_ms"),
    "late": late,
    "lossy": lossy,
    "lossy-opus": lossy,
    "digits": percentiles("last_digit_to_audio_ms"),
    "setup": setup,
    "calls": calls,
    "sound": sound,
    "threads": threads,
}


def is_met(figure: Figure, values: tuple[float, ...], faults: list[str]) -> bool | None:
    if not figure.most and not figure.least:
        return None
    low = all(value <= most for value, most in zip(values, figure.most or values, strict=True))
    high = all(value >= least for value, least in zip(values, figure.least or values, strict=True))
    return low and high and not faults


def read(path: str) -> dict:
    """A report, with those that belong to it: of the talkers' process, of the machine, and the gateway's call records."""
    file = pathlib.Path(path)
    report = json.loads(file.read_text())
    talkers, machine, records, status = (
        file.parent / folder / file.name for folder in ("talkers", "machine", "records", "status")
    )
    report["talkers"] = json.loads(talkers.read_text()) if talkers.exists() else {}
    report["machine"] = json.loads(machine.read_text()) if machine.exists() else {}
    report["status"] = json.loads(status.read_text()) if status.exists() else {}
    report["records"] = [json.loads(line) for line in records.read_text().splitlines()] if records.exists() else []
    return report


def line(cells: list[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    if sys.argv[1:] == ["--head"]:
        line(HEAD)
        line(["---"] * len(HEAD))
        return
    row, out, *paths = sys.argv[1:]
    reports = [read(path) for path in paths]
    for figure, measured in zip(FIGURES[row], ROWS[row](reports), strict=True):
        values = tuple(statistics.median(column) for column in zip(*measured.runs, strict=True))
        spread = f"{figure.shown.format(*min(measured.runs))} to {figure.shown.format(*max(measured.runs))}"
        met = is_met(figure, values, measured.faults)
        verdict = {True: "met", False: "**missed**", None: ""}[met]
        remarks = "; ".join(measured.faults + measured.remarks)
        line(
            [
                figure.label,
                *figure.others,
                figure.target,
                figure.shown.format(*values),
                verdict,
                spread if len(measured.runs) > 1 else "",
                remarks,
            ]
        )
        with open(out, "a", encoding="utf-8") as file:
            file.write(
                json.dumps(
                    {
                        "row": row,
                        "figure": figure.label,
                        "target": figure.target,
                        "values": values,
                        "met": met,
                        "runs": measured.runs,
                        "faults": measured.faults,
                        "remarks": measured.remarks,
                    },
                    ensure_ascii=False,
                )
                + "\n"
            )


if __name__ == "__main__":
    main()
