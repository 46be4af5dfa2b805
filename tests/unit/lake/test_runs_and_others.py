"""A run keeps other runs out, and nobody else; what it has staged goes only when it is dead."""

import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from flows.errors import LockedError, RunError
from flows.lake import lock
from flows.lake.lake import Lake, from_rows
from tests.google_store import google_store
from tests.other_processes import another, go_on
from tests.publishing import DAYS, generation_of, publish

DAY = date(2026, 3, 1)
ROW = from_rows([{"incident_id": "i"}], "acknowledgements")
AT_ONCE_S = 60.0  # a verb that waited for a run would wait for longer


@pytest.fixture(params=["disk", "store"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    if request.param == "disk":
        yield Lake(tmp_path / "lake")
        return
    with google_store() as store:
        yield Lake("gs://genchi/lake", store.storage, tmp_path)


def acknowledge(lake: Lake, file: str) -> None:
    with lake.lock("ack", AT_ONCE_S):
        lake.write("acknowledgements", DAY, ROW, file)


def temporary(lake: Lake) -> list[str]:
    """The half-written files of a lake on a disk."""
    return [] if "://" in str(lake.root) else [path.name for path in Path(lake.root).glob("*/*/.*.tmp")]


def kill(process: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    monkeypatch.setattr(lock, "EXPIRED", 0.0)  # the lock of a store is not waited for


def test_a_run_that_is_in_the_middle_keeps_no_verb_waiting_and_publishes_what_it_staged(lake: Lake) -> None:
    with another("stage_in_run", lake) as run:
        staged, half = lake.backend.children("_runs"), temporary(lake)
        for file in ("a", "b"):
            acknowledge(lake, file)
        with (
            pytest.raises(LockedError, match=rf"locked by `genchi nightly`, process {run.pid} "),
            lake.run("ingest", 0.5),
        ):
            pass
        assert lake.backend.children("_runs") == staged
        assert temporary(lake) == half
        assert lake.read("manifest", DAY).num_rows == 0
        go_on(run)
    assert lake.names("acknowledgements", DAY) == ["a", "b"]
    assert lake.read("manifest", DAY).column("source").to_pylist() == ["1"]
    assert lake.read("scores", DAY).num_rows == 200
    assert lake.faults(is_deep=True) == []
    assert lake.backend.children("_runs") == []


def test_a_run_waits_for_the_run_before_it_and_then_goes_on(lake: Lake) -> None:
    with another("hold_run", lake) as run:
        started = time.monotonic()
        with pytest.raises(LockedError), lake.run("ingest", 1.0):
            pass
        assert time.monotonic() - started >= 1.0
        go_on(run)
    with lake.run("ingest", AT_ONCE_S):
        publish(lake, 1)


def test_who_reads_and_then_writes_keeps_a_run_from_publishing_meanwhile(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lake.run("nightly"), another("hold_files", lake) as person:
        monkeypatch.setattr(Lake.lock.__wrapped__, "__defaults__", (0.3,))  # type: ignore[attr-defined]  # its patience
        with pytest.raises(LockedError, match=r"locked by `genchi labels`"):
            publish(lake, 1)
        assert lake.backend.children("_runs") == []
        with pytest.raises(LockedError):
            lake.write("acknowledgements", DAY, ROW)
        go_on(person)
        monkeypatch.undo()
        publish(lake, 1)
    assert generation_of(lake) == 1


def test_what_a_killed_run_staged_is_cleared_by_the_next_run_and_by_no_other_verb(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with another("stage_in_run", lake) as run:
        staged, half = lake.backend.children("_runs"), temporary(lake)
        kill(run, monkeypatch)
    acknowledge(lake, "a")
    assert lake.backend.children("_runs") == staged
    assert temporary(lake) == half
    assert len(half) == ("://" not in str(lake.root))
    with lake.run("nightly", AT_ONCE_S):
        assert lake.backend.children("_runs") == []
        assert temporary(lake) == []
    assert lake.read("manifest", DAY).num_rows == lake.read("scores", DAY).num_rows == 0
    assert lake.names("acknowledgements", DAY) == ["a"]


def test_what_a_killed_run_had_committed_is_finished_by_the_next_verb(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lake.run("nightly"):
        publish(lake, 0)
    with another("commit_in_run", lake) as run:
        kill(run, monkeypatch)
    assert generation_of(lake) == 0
    acknowledge(lake, "a")
    assert generation_of(lake) == 1
    assert lake.backend.children("_runs") == []
    assert lake.faults(is_deep=True) == []


def test_what_a_killed_verb_staged_is_cleared_by_the_next_verb(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    with another("stage_in_lock", lake) as verb:
        kill(verb, monkeypatch)
    acknowledge(lake, "a")
    assert lake.backend.children("_staging") == []
    assert lake.read("manifest", DAY).num_rows == 0


def test_a_run_that_lost_its_lock_writes_nothing_more(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = lock._ObjectLock if "://" in str(lake.root) else lock._FileLock
    with lake.run("nightly"):
        publish(lake, 1)
        run = lock._held[lake.backend.address, lock.RUN].lock
        monkeypatch.setattr(kind, "is_lost", property(lambda self: self is run))
        for write in (
            lambda: publish(lake, 2),
            lambda: lake.write("acknowledgements", DAY, ROW),
            lambda: lake.remove("manifest", DAYS[0]),
            lambda: lake.alerts_sent("last").write("{}"),
        ):
            with pytest.raises(RunError, match="the lock was lost"):
                write()
        monkeypatch.undo()
    assert generation_of(lake) == 1
    assert lake.days("acknowledgements") == []
    assert lake.backend.children("_runs") == []


def test_who_replaces_files_cannot_become_a_run(lake: Lake) -> None:
    with lake.lock("ack"), pytest.raises(RuntimeError, match="a run begins before"), lake.run("nightly"):
        pass
    with lake.run("nightly"), lake.lock("ack"), lake.run("transform"):
        publish(lake, 1)
    with lake.lock_whole("forget"):
        publish(lake, 2)
    assert generation_of(lake) == 2


def test_a_wait_is_told_once_and_one_for_files_only_where_it_is_long(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(lock._logger, "info", lambda text, *of: told.append(text % of))
    with another("hold_files", lake) as person:
        with pytest.raises(LockedError), lake.lock("ack", 0.5):
            pass
        assert told == []
        go_on(person)
    with another("hold_run", lake) as run:
        with pytest.raises(LockedError), lake.run("nightly", 1.2):
            pass
        go_on(run)
    (line,) = told
    assert line.startswith(f"waiting for the lake, locked by `genchi nightly`, process {run.pid} ")


def test_a_note_is_written_also_where_somebody_hangs_with_the_lock(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    note = lake.alerts_sent(str(DAY))
    monkeypatch.setattr("flows.lake.notes._PATIENCE_S", 0.5)
    with another("hold_files", lake) as person:
        started = time.monotonic()
        with note.updating():
            note.write("{}")
        assert 0.5 <= time.monotonic() - started < AT_ONCE_S
        go_on(person)
    assert note.read() == "{}"
