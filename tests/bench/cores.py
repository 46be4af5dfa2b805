"""How ingest uses more processors: the same records on one processor and on all, interleaved, in fresh processes.

    python -m tests.bench.cores [records] [runs]

prints, for one processor and for all that the process may use, the medians of seconds, of records a second and of CPU
seconds, and which part of the CPU time is mapping, which any number of threads share, and which is the busiest of the
threads that do one thing (read, write, or put together). One divided by the latter is how many processors ingest can
use. Seconds, and the ratio of the rates, hold only on a machine with nothing else to do; so the load average is told.
On another, CPU seconds tell: processors times those of one, divided by those of all, is the ratio that an idle machine
would show.
"""

import json
import os
import statistics
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.ingest import run, write_logs
from tests.bench.side_by_side import Run, argument, child, serve

_PAUSE = 0.05
_MAPPING = "ingest"


@dataclass(frozen=True)
class OnProcessors:
    """One run: its times, and the shares of its CPU time of mapping and of the busiest other thread, with its name."""

    run: Run
    mapping: float
    busiest: float
    name: str


def run_on(folder: Path, *, alone: bool) -> float:
    """The seconds of an ingest on the first processor, or on all; the seconds of each thread are written down."""
    if alone:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import flows.ingest.landing  # noqa: F401 - its import is not what is measured

    with watched_threads() as used:
        seconds = run("ingest", folder)
    (folder / "threads.json").write_text(json.dumps(used), encoding="utf-8")
    return seconds


@contextmanager
def watched_threads() -> Iterator[dict[str, float]]:
    """The CPU seconds of this process's threads in the block, by their names; all that map have one name."""
    used: dict[str, float] = {}
    before, seen = _times(), dict[int, tuple[str, float]]()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_PAUSE):
            names = {thread.native_id: thread.name for thread in threading.enumerate()}
            for task, seconds in _times().items():
                name = names.get(task) or seen.get(task, ("another",))[0]
                seen[task] = (name, seconds - before.get(task, 0.0))

    watcher = threading.Thread(target=look, name="watcher")
    watcher.start()
    try:
        yield used
    finally:
        ended.set()
        watcher.join()
        several: dict[str, float] = defaultdict(float)
        for name, seconds in seen.values():
            several[_MAPPING if name.startswith(_MAPPING) else name] += seconds
        used.update({name: seconds for name, seconds in several.items() if name != "watcher"})


def _times() -> dict[int, float]:
    """The seconds on a processor of each thread of this process so far."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            found[int(task.name)] = int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
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
    threads = json.loads((folder / "threads.json").read_text(encoding="utf-8"))
    total, mapping = sum(threads.values()), threads.pop(_MAPPING)
    name = max(threads, key=threads.__getitem__)
    return OnProcessors(times, mapping / total, threads[name] / total, name)


def line(title: str, count: int, runs: list[OnProcessors]) -> None:
    """Medians of one number of processors."""
    seconds, cpu, mapping, busiest = (
        statistics.median(values)
        for values in zip(*((one.run.seconds, one.run.cpu, one.mapping, one.busiest) for one in runs), strict=True)
    )
    print(
        f"{title:<14} {seconds:8.1f} s  {count / seconds:9,.0f} records/s  {cpu:7.1f} CPU s"
        f"  mapping {mapping:4.0%}  busiest other thread {busiest:4.0%} ({runs[0].name})",
        flush=True,
    )


def _told(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def main() -> None:
    """Print the table."""
    if serve(RUNS):
        return
    count, runs = argument(1, 4_000_000), argument(2, 3)
    processors = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "day"
        write_logs(folder / "logs", count)
        found: dict[str, list[OnProcessors]] = {what: [] for what in RUNS}
        loads = []
        for _ in range(runs):
            for what, results in found.items():
                results.append(measured(what, folder))
                loads.append(os.getloadavg()[0])
    print(f"{count:,} records, {runs} interleaved runs, load average {min(loads):.1f} to {max(loads):.1f}", flush=True)
    line("one processor", count, found["one"])
    line(f"{processors} processors", count, found["all"])
    pairs = [(one.run, several.run) for one, several in zip(found["one"], found["all"], strict=True)]
    busiest = statistics.median(several.busiest for several in found["all"])
    print(f"rate of {processors} to that of one: {_told([one.seconds / several.seconds for one, several in pairs])}")
    print(f"by CPU seconds: {_told([min(processors, 1 / busiest) * one.cpu / several.cpu for one, several in pairs])}")
    print(f"processors that can be used: {1 / busiest:.1f}", flush=True)


if __name__ == "__main__":
    main()
