"""The logs of a night read by two local Dask workers of one thread each, against one process with two threads.

    python -m tests.bench.workers [records] [runs]

prints, after both were found to have written every record: medians of seconds and CPU seconds (of scheduler, workers
and genchi together), and their ratios; how busy the machine was; and the core seconds that the workers were at work.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import psutil
from distributed import LocalCluster

from tests.bench.ingest import DAY, write_logs
from tests.bench.side_by_side import Run, argument, child, line, serve

THREADS = 2


def read(folder: Path, what: str) -> float:
    """The seconds of the whole ingest on a new lake. Raises if a record is not in it."""
    from flows.config import load
    from flows.ingest import landing

    lake = folder / f"lake-{what}"
    shutil.rmtree(lake, ignore_errors=True)
    started = time.perf_counter()
    landed = landing.land(load.load_config(folder / f"{what}.yaml"), DAY)
    seconds = time.perf_counter() - started
    expected = (folder / "records.json").read_text(encoding="utf-8")
    assert str(landed.interactions) == expected, f"{what} wrote {landed.interactions} of {expected} records"
    return seconds


RUNS: dict[str, Callable[[Path], float]] = {
    "threads": lambda folder: read(folder, "threads"),
    "dask": lambda folder: read(folder, "dask"),
}


def configure(folder: Path, what: str, engine: str) -> None:
    """A workspace's configuration."""
    source = "{name: g, format: litellm, path: 'logs/{day}.jsonl'}"
    settings = f"app: bench\nlake: lake-{what}\nuser_key_secret: only-for-this-bench\nsources: [{source}]\n"
    (folder / f"{what}.yaml").write_text(f"{settings}engine: {{{engine}}}\n", encoding="utf-8")


def main(day: date = DAY) -> None:
    """Print the table."""
    if serve(RUNS):
        return
    count, runs = argument(1, 300_000), argument(2, 3)
    with (
        tempfile.TemporaryDirectory() as name,
        LocalCluster(
            n_workers=THREADS, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        folder = Path(name)
        write_logs(folder / "logs", count)
        size = (folder / "logs" / f"{day}.jsonl").stat().st_size
        configure(folder, "threads", f"threads: {THREADS}")
        configure(folder, "dask", f"tasks: dask, address: '{cluster.scheduler_address}'")
        print(f"{count:,} records of {size / count:,.0f} bytes; medians of {runs} interleaved runs", flush=True)
        ours = [psutil.Process(), *(psutil.Process(worker.pid) for worker in cluster.workers.values())]
        found: dict[str, list[Run]] = {what: [] for what in RUNS}
        child("tests.bench.workers", "dask", folder)  # workers import what they need once
        for _ in range(runs):
            for what in RUNS:
                used = sum(sum(process.cpu_times()[:2]) for process in ours)
                measured = child("tests.bench.workers", what, folder)
                used = sum(sum(process.cpu_times()[:2]) for process in ours) - used
                found[what].append(replace(measured, cpu=measured.cpu + used))
                print(f"  {what}: {measured.seconds:.2f} s, load {os.getloadavg()[0]:.1f}", flush=True)
        line("one process, two threads", found["threads"], found["threads"])
        line("two Dask workers of one thread", found["dask"], found["threads"])


if __name__ == "__main__":
    main()
