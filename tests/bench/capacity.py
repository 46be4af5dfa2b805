"""What a night of many calls needs, from rates that are measured on this machine.

    python -m tests.bench.capacity [small] [large] [--hours 2] [--usd-per-core-hour 0.05] [--usd-per-gb-month 0.023]

Runs `genchi nightly` (no models, redaction off, records of tests.bench.ingest) in fresh processes: of `small` and of
`large` calls (default: 20,000 and 400,000), on one core and on all. It prints first what was measured: the seconds of
each stage, its peak memory, bytes read and written. Then, for 1, 10 and 100 million and 1 billion calls a day, what
follows from it:

- the seconds of a stage grow as a line through its two sizes;
- its share that one core must do alone is that of Amdahl's law (1967), from one core's and all cores' growth;
- a machine is the smallest of 2 to 64 cores that ends within `--hours`; `cluster` where none does;
- memory is that of the stage that needs most, if it grew as between the two sizes: DuckDB then writes to disk instead,
  once it has what `engine.memory_share` allows;
- money is the machine's cores times its hours at `--usd-per-core-hour`, and thirty days of Parquet at
  `--usd-per-gb-month`. Both prices are assumptions. What models cost is not in it.

The two last sizes are extrapolated by a factor of hundreds: their order of magnitude is what they are for.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.ingest import DAY, write_logs
from tests.bench.night import run_eve, run_nightly

VOLUMES = (10**6, 10**7, 10**8, 10**9)
MACHINES = (2, 4, 8, 16, 32, 64)
GB = 1e9
_MOST_MEMORY_A_CORE = 4 * GB  # of usual machines
_GIGABITS = 10.0  # a second, from an object store


@dataclass(frozen=True)
class Stage:
    """One stage of a night: seconds, and its peak memory in bytes."""

    seconds: float
    memory: float


@dataclass(frozen=True)
class Measured:
    """One night: its stages, `rest` (imports and what is between stages), CPU seconds, and bytes of the lake's day."""

    stages: dict[str, Stage]
    rest: float
    cpu: float
    parquet: int


@dataclass(frozen=True)
class Growth:
    """A stage's fixed seconds, its seconds a call on one core, and the share of these that one core must do alone."""

    fixed: float
    a_call: float
    alone: float
    memory: float
    memory_a_call: float

    def seconds(self, calls: int, cores: int) -> float:
        """The seconds of this many calls on this many cores."""
        return self.fixed + self.a_call * calls * (self.alone + (1 - self.alone) / cores)

    def needed(self, calls: int) -> float:
        """The memory of this many calls, in bytes, if nothing were written to disk."""
        return self.memory + self.memory_a_call * calls


def growth(sizes: tuple[int, int], one: tuple[Stage, Stage], every: tuple[Stage, Stage], cores: int) -> Growth:
    """The growth of a stage from its two sizes, on one core and on all."""
    more = sizes[1] - sizes[0]
    alone, together = (max(large.seconds - small.seconds, 0.0) / more for small, large in (one, every))
    speedup = min(max(alone / together, 1.0), cores) if together else float(cores)
    share = (cores / speedup - 1) / (cores - 1) if cores > 1 else 0.0
    memory_a_call = max(every[1].memory - every[0].memory, 0.0) / more
    fixed = max(every[0].seconds - together * sizes[0], 0.0)
    return Growth(fixed, alone, share, max(every[0].memory - memory_a_call * sizes[0], 0.0), memory_a_call)


def night(folder: Path, cores: set[int]) -> Measured:
    """One night of the logs in the folder, on these cores, in a new lake that had a small night the day before."""
    for name in ("lake", "reports", ".genchi"):
        subprocess.run(["rm", "-rf", str(folder / name)], check=True)
    for what in ("eve", "nightly"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.capacity", "--run", what, str(folder), json.dumps(sorted(cores))],
            capture_output=True, text=True, check=False, env={**os.environ, "DO_NOT_TRACK": "1"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{what}: {done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    stages = {name: Stage(seconds, memory) for name, seconds, memory in told["stages"]}
    rest = told["whole"] - sum(stage.seconds for stage in stages.values())
    return Measured(stages, rest, told["cpu"], told["parquet"])


def run(what: str, folder: Path, cores: list[int]) -> None:
    """In a process of its own: one night, and what it needed."""
    os.sched_setaffinity(0, cores)
    started = time.monotonic()
    if what == "eve":
        run_eve(folder)
        return
    run_nightly(folder)
    whole = time.monotonic() - started
    from flows.config import load_config

    lake = load_config(folder / "genchi.yaml").open_lake()
    rows = lake.read("night_runs", DAY, columns=["position", "stage", "seconds", "peak_memory_bytes"]).to_pylist()
    parquet = sum(path.stat().st_size for path in (folder / "lake").glob(f"*/day={DAY}/*.parquet"))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in used)
    stages = [(row["stage"], row["seconds"], row["peak_memory_bytes"]) for row in rows]
    print(json.dumps({"whole": whole, "cpu": cpu, "parquet": parquet, "stages": stages}))


@dataclass(frozen=True)
class ACall:
    """What a call needs: CPU seconds, bytes read, bytes of Parquet."""

    cpu: float
    read: float
    written: float


def needs(stages: dict[str, Growth], calls: int, a_call: ACall, options: argparse.Namespace) -> list[str]:
    """One row of the table for a number of calls a day."""
    hours = {cores: sum(stage.seconds(calls, cores) for stage in stages.values()) / 3600 for cores in MACHINES}
    fit = [cores for cores in MACHINES if hours[cores] <= options.hours]
    cores = fit[0] if fit else MACHINES[-1]
    longest = max(stages, key=lambda name: stages[name].seconds(calls, cores))
    largest = max(stages, key=lambda name: stages[name].needed(calls))
    share = stages[longest].seconds(calls, cores) / 3600 / hours[cores]
    memory = stages[largest].needed(calls)
    fetched = calls * a_call.read * 8 / (_GIGABITS * 1e9) / 3600
    hurts = f"{longest}: {share:.0%} of the time"
    if memory > cores * _MOST_MEMORY_A_CORE:
        hurts = f"memory of {largest}"
    elif fetched > hours[cores] / 2:
        hurts = f"reading from a store: {fetched:.1f} h at 10 Gbit/s"
    stored = calls * a_call.written / GB
    money = cores * hours[cores] * options.usd_per_core_hour
    return [
        f"{calls:,}",
        f"{cores} cores" if fit else f"cluster (64 cores: {hours[cores]:.1f} h)",
        f"{hours[cores]:.1f}" if hours[cores] >= 0.1 else f"{hours[cores]:.2f}",
        f"{calls * a_call.cpu / 3600:.1f}",
        f"{calls * a_call.read / GB:,.0f}",
        f"{stored:,.1f}",
        f"{memory / GB:.0f}",
        f"{money:.2f} + {stored * 30 * options.usd_per_gb_month:,.0f} a month",
        hurts,
    ]


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print a table in Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")


def main() -> None:
    """Print both tables."""
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("small", nargs="?", type=int, default=20_000)
    parser.add_argument("large", nargs="?", type=int, default=400_000)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--usd-per-core-hour", type=float, default=0.05)
    parser.add_argument("--usd-per-gb-month", type=float, default=0.023)
    options = parser.parse_args()
    sizes, here = (options.small, options.large), os.sched_getaffinity(0)
    found: dict[tuple[int, int], Measured] = {}
    raw = []
    with tempfile.TemporaryDirectory() as name:
        for size in sizes:
            folder = Path(name) / str(size)
            write_logs(folder / "logs", size)
            raw.append(sum(path.stat().st_size for path in (folder / "logs").iterdir()))
            for cores in ({min(here)}, here):
                found[size, len(cores)] = night(folder, cores)
    one, every = ([found[size, count] for size in sizes] for count in (1, len(here)))
    stages = {
        stage: growth(
            sizes,
            (one[0].stages[stage], one[1].stages[stage]),
            (every[0].stages[stage], every[1].stages[stage]),
            len(here),
        )
        for stage in every[1].stages
        if all(stage in night.stages for night in (*one, *every))
    }
    stages["rest"] = Growth(every[1].rest, 0.0, 1.0, 0.0, 0.0)
    print(f"{sizes[0]:,} and {sizes[1]:,} calls, on one core and on {len(here)}\n")
    table(
        ["stage", "seconds, one core", f"seconds, {len(here)} cores", "fixed", "µs a call, one core", "alone", "MB"],
        [
            [
                name,
                f"{one[1].stages[name].seconds:.1f}" if name in one[1].stages else f"{one[1].rest:.1f}",
                f"{every[1].stages[name].seconds:.1f}" if name in every[1].stages else f"{every[1].rest:.1f}",
                f"{stage.fixed:.1f}",
                f"{stage.a_call * 1e6:.1f}",
                f"{stage.alone:.0%}",
                f"{every[1].stages[name].memory / 1e6:.0f}" if name in every[1].stages else "",
            ]
            for name, stage in stages.items()
        ],
    )
    more = sizes[1] - sizes[0]
    cpu, written = ((getattr(every[1], what) - getattr(every[0], what)) / more for what in ("cpu", "parquet"))
    a_call = ACall(cpu, raw[1] / sizes[1], written)
    print(f"\n{cpu * 1e6:.0f} µs of CPU a call, {a_call.read:.0f} bytes read, {written:.0f} written\n")
    head = ["calls a day", "machine", "hours", "core-hours", "GB read", "GB of Parquet", "GB of memory", "USD", "what"
            " hurts first"]  # fmt: skip
    table(head, [needs(stages, calls, a_call, options) for calls in VOLUMES])


if __name__ == "__main__":
    main()
