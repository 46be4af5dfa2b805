"""Another process on a lake, for the tests of its locks: it says how far it is, and waits, goes on or is killed there.

`python -m tests.other_processes JOB ROOT STORAGE`; it prints a line where it waits, and goes on with a line on stdin.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from flows.lake import transaction
from flows.lake.lake import Lake, from_rows
from flows.lake.store_addresses import Storage
from tests.publishing import publish

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 3, 1)


@contextmanager
def another(job: str, lake: Lake) -> Iterator[subprocess.Popen[str]]:
    """Another process that does a job on a lake, and has come to where it waits or was killed."""
    storage = json.dumps(lake.storage.model_dump())
    command = [sys.executable, "-m", "tests.other_processes", job, str(lake.root), storage]
    with begun(command, "here") as process:
        yield process


@contextmanager
def begun(command: list[str], said: str, *, is_killed: bool = True) -> Iterator[subprocess.Popen[str]]:
    """A process that has said this line, with pipes to it; it is killed after the block, or ends with its stdin."""
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        try:
            assert process.stdout.readline() == f"{said}\n"
            yield process
        finally:
            if is_killed:
                process.kill()
    process.wait(30)


def go_on(process: subprocess.Popen[str]) -> None:
    """Let it do the rest, and see that it ends well."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.wait(60) == 0


def here() -> None:
    print("here", flush=True)


def wait() -> None:
    here()
    sys.stdin.readline()


def die() -> None:
    here()
    os.kill(os.getpid(), signal.SIGKILL)


def hold_run(lake: Lake) -> None:
    with lake.run("nightly"):
        wait()


def hold_files(lake: Lake) -> None:
    with lake.lock("labels"):
        wait()


def stage_in_run(lake: Lake) -> None:
    """Wait while files are staged and one is half-written; then publish generation 1 and 200 rows."""
    rows = from_rows([{"subject_id": str(n)} for n in range(100)], "scores")
    with lake.run("nightly"), lake.staging() as staged, lake.writing("scores", DAY) as write:
        pq.write_table(from_rows([{"source": "1"}], "manifest"), staged.place("manifest", DAY))
        write(rows)
        wait()
        write(rows)


def stage_in_lock(lake: Lake) -> None:
    with lake.lock("labels"), lake.staging() as staged:
        pq.write_table(from_rows([{"source": "1"}], "manifest"), staged.place("manifest", DAY))
        die()


def commit_in_run(lake: Lake) -> None:
    """Die between the commit of generation 1 and the first move."""
    transaction._finish = lambda *_: die()
    with lake.run("nightly"):
        publish(lake, 1)


if __name__ == "__main__":
    job, root, storage = sys.argv[1:]
    jobs = (hold_run, hold_files, stage_in_run, stage_in_lock, commit_in_run)
    lake = Lake(root if "://" in root else Path(root), Storage.model_validate_json(storage))
    {one.__name__: one for one in jobs}[job](lake)
