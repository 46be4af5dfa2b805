"""Two runs never write one lake at the same time, and a run that was killed does not lock it for ever."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows.errors import RunError
from flows.lake import lock
from flows.lake.backends import LocalBackend
from flows.lake.lake import Lake, from_rows
from tests.other_processes import begun

ROOT = Path(__file__).resolve().parents[3]
HOLD = """
import pathlib, sys
from flows.lake import lock
from flows.lake.backends import LocalBackend
with lock.holding(LocalBackend(pathlib.Path(sys.argv[1])), sys.argv[2], "nightly", 0, on_acquired=lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another(lake: Path, name: str = lock.WRITE) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its stdin is closed."""
    with begun([sys.executable, "-c", HOLD, str(lake), name], "held", is_killed=False) as other:
        yield other


def test_the_second_run_says_once_for_whom_it_waits_and_then_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake")
    told: list[str] = []
    monkeypatch.setattr(lock, "_logger", SimpleNamespace(info=lambda text, *of: told.append(text % of)))
    with held_by_another(tmp_path / "lake") as other:
        with pytest.raises(RunError) as caught, lake.lock("ingest", patience=1.2):
            pass
        who = f"`genchi nightly`, process {other.pid} on host "
        assert who in str(caught.value)
        assert "\n" not in str(caught.value)
        assert [who in message for message in told] == [True]


def test_the_second_run_goes_on_when_the_first_has_ended(tmp_path: Path) -> None:
    with held_by_another(tmp_path / "lake") as other:
        assert other.stdin is not None
        other.stdin.close()
        with Lake(tmp_path / "lake").lock("ingest", patience=30):
            pass


def test_a_run_that_was_killed_does_not_hold_the_lock(tmp_path: Path) -> None:
    with held_by_another(tmp_path / "lake") as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        started = time.monotonic()
        with Lake(tmp_path / "lake").lock("ingest", patience=5):
            assert time.monotonic() - started < 1


def test_within_a_process_the_lock_is_taken_again_and_given_back_by_the_first(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with lake.lock("nightly"):
        with Lake(tmp_path / "lake").lock("transform"):
            pass
        command = [sys.executable, "-c", HOLD, str(tmp_path / "lake"), lock.WRITE]
        done = subprocess.run(command, cwd=ROOT, input="", capture_output=True, text=True, check=False)
        assert "the lake is locked by `genchi nightly`, process" in done.stderr
    with held_by_another(tmp_path / "lake"):
        pass


def test_a_lake_that_cannot_be_written_is_said_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file")
    with (
        pytest.raises(RunError, match=r"_lock: File exists while taking the lake's lock; check the permissions"),
        Lake(tmp_path / "lake").lock("ingest"),
    ):
        pass


def month(lake: Lake) -> str | None:
    return lake.backend.read_text("_inventory/2026-03.json")


def test_who_lost_the_lock_leaves_the_inventory_of_the_other_run_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, rows = Lake(tmp_path / "lake"), from_rows([{"source": "a"}], "manifest")
    with monkeypatch.context() as patch, lake.lock("first"):
        lake.write("manifest", date(2026, 3, 1), rows)
        lake.backend.write_text("_inventory/2026-03.json", "of the other run")
        patch.setattr(lock._FileLock, "is_lost", True)
        with pytest.raises(RunError, match="the lock was lost"), lake.lock("inner"):
            lake.write("manifest", date(2026, 3, 2), rows)
    assert month(lake) == "of the other run"
    lake.backend.write_text("_inventory/2026-03.json", "{}")
    with lake.lock("next"):
        assert "manifest/day=2026-03-01/data.parquet" in str(month(lake))


def test_what_failed_first_is_told_also_where_the_inventory_cannot_be_written_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, rows = Lake(tmp_path / "lake"), from_rows([{"source": "a"}], "manifest")

    def fails(patch: pytest.MonkeyPatch) -> None:
        with lake.lock("first"):
            lake.write("manifest", date(2026, 3, 1), rows)
            patch.setattr(LocalBackend, "write_text", refuse)
            raise RunError("what failed first")

    with monkeypatch.context() as patch, pytest.raises(RunError, match="what failed first"):
        fails(patch)
    with lake.lock("next"):
        assert "manifest/day=2026-03-01/data.parquet" in str(month(lake))
    assert lake.faults(is_deep=True) == []


def refuse(*_: object, **__: object) -> None:
    raise RunError("what failed then")
