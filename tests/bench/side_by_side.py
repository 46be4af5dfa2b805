"""What the benchmarks share: runs in fresh processes, interleaved, and a line for each."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run: seconds of the work alone, seconds and CPU seconds of the process with its imports and its children, and
    its peak memory in MiB.
    """

    seconds: float
    whole: float
    cpu: float
    peak: float


def child(module: str, what: str, folder: Path, python: Path | str = sys.executable) -> Run:
    """Run `python -m <module> --run <what> <folder>` in a separate process. Raises if it fails."""
    started, used = time.monotonic(), cpu_of_children()
    done = subprocess.run(
        [str(python), "-m", module, "--run", what, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"},
    )
    if done.returncode:
        raise RuntimeError(f"{what}: {done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Run(told["seconds"], time.monotonic() - started, cpu_of_children() - used, told["peak"])


def cpu_of_children() -> float:
    """The CPU seconds, of user and system, of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def serve(runs: dict[str, Callable[[Path], float]]) -> bool:
    """In such a process: run the requested step, which returns its seconds, and print them. False without a request."""
    if sys.argv[1:2] != ["--run"]:
        return False
    seconds = runs[sys.argv[2]](Path(sys.argv[3]))
    print(json.dumps({"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    return True


def argument(place: int, default: int) -> int:
    """A number from the command line."""
    return int(sys.argv[place]) if len(sys.argv) > place else default


def line(title: str, runs: Sequence[Run], base: Sequence[Run]) -> None:
    """One line: medians, and the medians of this one's seconds and CPU seconds to those of `base` run by run, each with
    its range. Seconds depend on what else runs on the machine, CPU seconds hardly do.
    """
    seconds, cpu, peak = (statistics.median(getattr(run, name) for run in runs) for name in ("seconds", "cpu", "peak"))
    print(
        f"{title:<44} {seconds:8.2f} s  {cpu:8.2f} CPU s  {peak:6.0f} MiB"
        f"  ratio {_ratio(runs, base, 'seconds')}, of CPU {_ratio(runs, base, 'cpu')}",
        flush=True,
    )


def _ratio(runs: Sequence[Run], base: Sequence[Run], name: str) -> str:
    ratios = [getattr(run, name) / getattr(other, name) for run, other in zip(runs, base, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
