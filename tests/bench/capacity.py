"""What a night of many calls needs, from rates that are measured on this machine.

    python -m tests.bench.capacity [small] [large] [--hours 2] [--usd-per-core-hour 0.05] [--usd-per-gb-month 0.023]

Runs `genchi nightly` (no models, redaction off, records of tests.bench.ingest) in fresh processes: of `small` and of
`large` calls (default: 20,000 and 400,000), on one core and on all. It prints first what was measured: the seconds of
each stage, its peak memory, bytes read and written. Then, for 1, 10 and 100 million and 1 billion calls a day, what
follows from it:

- the seconds of a stage grow as a line through its two sizes;
- its share that one core must do alone is that of Amdahl's law (1967), from one core's and all cores' growth;
- a machine is the smallest of 2 to 64 cores that ends within `--hours`; `cluster` where none does;
- memory is only measured: it grows until buffers are full, and DuckDB then writes to disk, so no line goes through it;
- money is the machine's cores times its hours at `--usd-per-core-hour`, and thirty days of Parquet at
  `--usd-per-gb-month`. Both prices are assumptions. What models cost is not in it.

The two last sizes are extrapolated by a factor of hundreds: their order of magnitude is what they are for.
"""

import argparse
import os
import resource
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.bench.ingest import DAY, write_logs
from tests.bench.night import clear, run_eve, run_nightly, tell, told
from tests.bench.side_by_side import child, serve

VOLUMES = (10**6, 10**7, 10**8, 10**9)
MACHINES = (2, 4, 8, 16, 32, 64)
GB = 1e9
_LEAST = 10_000  # calls: below, the samples of three routes are not full, and grow with the calls
_GIGABITS = 10.0  # a second, from an object store


@dataclass(frozen=True)
class Stage:
    """One stage of a night: seconds, and its peak memory in bytes."""

    seconds: float
    memory: float


@dataclass(frozen=True)
class Measured:
    """One night: its stages, with `rest` for imports and what is between them, CPU seconds, and bytes of its day."""

    stages: dict[str, Stage]
    cpu: float
    parquet: int


@dataclass(frozen=True)
class Growth:
    """A stage's fixed seconds, its seconds a call on one core, and the share of these that one core must do alone."""

    fixed: float
    a_call: float
    alone: float

    def seconds(self, calls: int, cores: int) -> float:
        """The seconds of this many calls on this many cores."""
        return self.fixed + self.a_call * calls * (self.alone + (1 - self.alone) / cores)


def growth(sizes: tuple[int, int], one: tuple[Stage, Stage], every: tuple[Stage, Stage], cores: int) -> Growth:
    """The growth of a stage from its two sizes, on one core and on all."""
    more = sizes[1] - sizes[0]
    alone, together = (max(large.seconds - small.seconds, 0.0) / more for small, large in (one, every))
    speedup = min(max(alone / together, 1.0), cores) if together else float(cores)
    share = (cores / speedup - 1) / (cores - 1) if cores > 1 else 0.0
    return Growth(max(every[0].seconds - together * sizes[0], 0.0), alone, share)


def night(folder: Path, cores: set[int]) -> Measured:
    """One night of the logs in the folder, on these cores, in a new lake that had a small night the day before."""
    clear(folder)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)  # which the processes of the runs take over
    try:
        child("tests.bench.capacity", "eve", folder)
        whole = child("tests.bench.capacity", "nightly", folder).whole
    finally:
        os.sched_setaffinity(0, before)
    cpu, parquet, rows = told(folder)
    stages = {name: Stage(seconds, memory) for name, seconds, memory in rows}
    stages["rest"] = Stage(whole - sum(stage.seconds for stage in stages.values()), 0.0)
    return Measured(stages, cpu, parquet)


def run_measured(folder: Path) -> float:
    """A night, whose CPU seconds, bytes of Parquet and stages are told."""
    from flows.config import load_config

    seconds = run_nightly(folder)
    lake = load_config(folder / "genchi.yaml").open_lake()
    rows = lake.read("night_runs", DAY, columns=["stage", "seconds", "peak_memory_bytes"]).to_pylist()
    parquet = sum(path.stat().st_size for path in (folder / "lake").glob(f"*/day={DAY}/*.parquet"))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in used)
    tell(folder, (cpu, parquet, [(row["stage"], row["seconds"], row["peak_memory_bytes"]) for row in rows]))
    return seconds


RUNS = {"eve": run_eve, "nightly": run_measured}


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
    share = stages[longest].seconds(calls, cores) / 3600 / hours[cores]
    fetched = calls * a_call.read * 8 / (_GIGABITS * 1e9) / 3600
    hurts = f"{longest}: {share:.0%} of the time"
    if fetched > hours[cores] / 2:
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
        f"{money:.2f} + {stored * 30 * options.usd_per_gb_month:,.0f} a month",
        hurts,
    ]


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print a table in Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")


def main() -> None:
    """Print both tables."""
    if serve(RUNS):
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("small", nargs="?", type=int, default=20_000)
    parser.add_argument("large", nargs="?", type=int, default=400_000)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--usd-per-core-hour", type=float, default=0.05)
    parser.add_argument("--usd-per-gb-month", type=float, default=0.023)
    options = parser.parse_args()
    if not _LEAST <= options.small < options.large:
        parser.error(f"small: at least {_LEAST:,} calls, and fewer than large")
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
    print(f"{sizes[0]:,} and {sizes[1]:,} calls, on one core and on {len(here)}\n")
    table(
        ["stage", "seconds, one core", f"seconds, {len(here)} cores", "fixed", "µs a call, one core", "alone", "MB"],
        [
            [
                name,
                f"{one[1].stages[name].seconds:.1f}",
                f"{every[1].stages[name].seconds:.1f}",
                f"{stage.fixed:.1f}",
                f"{stage.a_call * 1e6:.1f}",
                f"{stage.alone:.0%}",
                f"{every[1].stages[name].memory / 1e6:.0f}",
            ]
            for name, stage in stages.items()
        ],
    )
    more = sizes[1] - sizes[0]
    cpu, written = ((getattr(every[1], what) - getattr(every[0], what)) / more for what in ("cpu", "parquet"))
    a_call = ACall(cpu, raw[1] / sizes[1], written)
    print(f"\n{cpu * 1e6:.0f} µs of CPU a call, {a_call.read:.0f} bytes read, {written:.0f} written\n")
    head = ["calls a day", "machine", "hours", "core-hours", "GB read", "GB of Parquet", "USD", "what"
            " hurts first"]  # fmt: skip
    table(head, [needs(stages, calls, a_call, options) for calls in VOLUMES])


if __name__ == "__main__":
    main()
