"""What a process takes of the processor: processor.py PID SECONDS. Prints JSON.

Thread by thread, from the kernel's own nanoseconds in /proc/PID/task/*/schedstat.
"""

import json
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


def main() -> None:
    pid, seconds = sys.argv[1], float(sys.argv[2])
    before, start = sample(pid), time.monotonic()
    time.sleep(seconds)
    after, took = sample(pid), time.monotonic() - start
    threads = {}
    switches = 0
    for task, (name, nanoseconds, switched) in after.items():
        _, nanoseconds_before, switched_before = before.get(task, ("", 0, 0))
        threads[name] = threads.get(name, 0) + (nanoseconds - nanoseconds_before) / 1e9 / took
        switches += switched - switched_before
    print(json.dumps({"cores": sum(threads.values()), "threads": threads, "switches_per_second": switches / took}))


main()
