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
    """One run: seconds of the work alone, seconds of the process with its imports, and its peak memory in MiB."""

    seconds: float
    whole: float
    peak: float


def child(module: str, what: str, folder: Path, python: Path | str = sys.executable) -> Run:
    """Run `python -m <module> --run <what> <folder>` in a separate process. Raises if it fails."""
    started = time.monotonic()
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
    return Run(told["seconds"], time.monotonic() - started, told["peak"])


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
    """One line: medians, and the median of this one's seconds to those of `base` run by run, with its range."""
    ratios = [run.seconds / other.seconds for run, other in zip(runs, base, strict=True)]
    seconds, peak = (statistics.median(getattr(run, name) for run in runs) for name in ("seconds", "peak"))
    print(
        f"{title:<44} {seconds:8.2f} s  {peak:6.0f} MiB  ratio {statistics.median(ratios):6.2f}"
        f" ({min(ratios):.2f} to {max(ratios):.2f})",
        flush=True,
    )
