"""What a process and the whole machine take of the processors: processor.py PID SECONDS. Prints JSON, in cores.

The process thread by thread, from the kernel's own nanoseconds in /proc/PID/task/*/schedstat. The machine is what is not
idle nor stolen by /proc/stat: its idle time is exact, while its busy times are samples that work in step with the clock,
as a conference's, slips through.
"""

import json
import os
import pathlib
import sys
import time


def sample(pid: str) -> dict[str, tuple[str, int, int]]:
    """Name, nanoseconds on a processor and context switches of each thread."""
    threads = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        nanoseconds = int((task / "schedstat").read_text().split()[0])
        switches = sum(
            int(line.split()[1]) for line in (task / "status").read_text().splitlines() if "ctxt_switches" in line
        )
        threads[task.name] = (name, nanoseconds, switches)
    return threads


def not_busy() -> float:
    """Seconds, all cores together, since the machine started."""
    times = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    idle, waiting, stolen = times[3], times[4], times[7]
    return (idle + waiting + stolen) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    pid, seconds = sys.argv[1], float(sys.argv[2])
    before, free, start = sample(pid), not_busy(), time.monotonic()
    time.sleep(seconds)
    after, took = sample(pid), time.monotonic() - start
    machine = (os.cpu_count() or 1) - (not_busy() - free) / took
    threads = {}
    switches = 0
    for task, (name, nanoseconds, switched) in after.items():
        _, nanoseconds_before, switched_before = before.get(task, ("", 0, 0))
        threads[name] = threads.get(name, 0) + (nanoseconds - nanoseconds_before) / 1e9 / took
        switches += switched - switched_before
    report = {
        "cores": sum(threads.values()),
        "threads": threads,
        "machine": machine,
        "switches_per_second": switches / took,
    }
    print(json.dumps(report))


main()
