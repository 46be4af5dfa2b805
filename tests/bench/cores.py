"""How ingest uses more processors: the same records on one processor and on all, interleaved, in fresh processes.

    python -m tests.bench.cores [records] [runs]

prints, for one processor and for all that the process may use: the medians of seconds, of records a second, of CPU
seconds and of the share of the CPU time that the busiest thread took, and the ratio of the rates pair by pair. One
divided by that share is how many processors the threads can keep busy, whatever else runs on the machine; the ratio of
the rates holds only on a machine with nothing else to do, so the load average is printed too.
"""

import json
import os
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.ingest import run, write_logs
from tests.bench.side_by_side import Run, argument, child, serve

_PAUSE = 0.05


@dataclass(frozen=True)
class OnProcessors:
    """One run: its times, and the share of its CPU time that its busiest thread took."""

    run: Run
    busiest: float


def run_on(folder: Path, *, alone: bool) -> float:
    """The seconds of an ingest on the first processor, or on all; the share of the busiest thread is written down."""
    if alone:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import flows.ingest.landing  # noqa: F401 - its import is not what is measured

    with watched_threads() as used:
        seconds = run("ingest", folder)
    (folder / "busiest.json").write_text(json.dumps(max(used.values()) / sum(used.values())), encoding="utf-8")
    return seconds


@contextmanager
def watched_threads() -> Iterator[dict[str, int]]:
    """The nanoseconds on a processor of each thread of this process in the block, but for the one that looks."""
    used: dict[str, int] = {}
    before = _times()
    ended = threading.Event()

    def look() -> None:
        own = str(threading.get_native_id())
        while not ended.wait(_PAUSE):
            used.update({name: time - before.get(name, 0) for name, time in _times().items() if name != own})

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield used
    finally:
        ended.set()
        watcher.join()


def _times() -> dict[str, int]:
    found = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            found[task.name] = int((task / "schedstat").read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    return found


RUNS = {
    "one": lambda folder: run_on(folder, alone=True),
    "all": lambda folder: run_on(folder, alone=False),
}


def measured(what: str, folder: Path) -> OnProcessors:
    """One run in a separate process."""
    times = child("tests.bench.cores", what, folder)
    return OnProcessors(times, json.loads((folder / "busiest.json").read_text(encoding="utf-8")))


def line(title: str, count: int, runs: list[OnProcessors]) -> None:
    """Medians of one number of processors."""
    seconds, cpu, busiest = (
        statistics.median(values)
        for values in zip(*((one.run.seconds, one.run.cpu, one.busiest) for one in runs), strict=True)
    )
    print(
        f"{title:<16} {seconds:8.1f} s  {count / seconds:10,.0f} records/s  {cpu:8.1f} CPU s"
        f"  busiest thread {busiest:4.0%} of them",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    if serve(RUNS):
        return
    count, runs = argument(1, 4_000_000), argument(2, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "day"
        write_logs(folder / "logs", count)
        found: dict[str, list[OnProcessors]] = {what: [] for what in RUNS}
        loads = []
        for _ in range(runs):
            for what, results in found.items():
                results.append(measured(what, folder))
                loads.append(os.getloadavg()[0])
    processors = len(os.sched_getaffinity(0))
    print(f"{count:,} records, {runs} interleaved runs, load average {min(loads):.1f} to {max(loads):.1f}", flush=True)
    line("one processor", count, found["one"])
    line(f"{processors} processors", count, found["all"])
    busiest = statistics.median(one.busiest for one in found["all"])
    ratios = [one.run.seconds / all_.run.seconds for one, all_ in zip(found["one"], found["all"], strict=True)]
    print(
        f"rate of {processors} to that of one: {statistics.median(ratios):.2f}"
        f" ({min(ratios):.2f} to {max(ratios):.2f}); its threads can keep {1 / busiest:.1f} processors busy",
        flush=True,
    )


if __name__ == "__main__":
    main()
