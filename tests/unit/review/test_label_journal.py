"""The journal of labels, and how it gets into the lake: nothing acknowledged is lost, nothing is there twice."""

import errno
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.config.load import Config
from flows.errors import RunError
from flows.review.labels import collect, collection, journal_of, label_journal, try_collect
from tests.other_processes import another, go_on
from tests.unit.review.labelled import config, decision, label


def in_the_lake(config: Config, table: str = "annotations") -> list[str]:
    lake = config.open_lake()
    return sorted(key for day in lake.days(table) for key in lake.read(table, day).column(0).to_pylist())


def collected(config: Config) -> collection.Collected:
    with config.open_lake().lock("test"):
        return collect(config)


def test_a_label_comes_back_from_the_journal_as_it_was(tmp_path: Path) -> None:
    entries = [label("a", note="first\nsecond\udcff", passed=None), decision("d")]
    journal = journal_of(tmp_path)
    journal.append(entries)
    first, second = journal.read()
    assert first.row["at"] == entries[0].row["at"]
    assert first.row["queue_day"] == date(2024, 5, 14)
    assert first.row["note"] == "first\nsecond\ufffd"
    assert first.row["passed"] is None
    assert second.table == "review_decisions"


def test_a_line_that_a_kill_left_incomplete_is_skipped_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    journal = journal_of(tmp_path)
    journal.append([label("a"), label("b")])
    (place,) = map(Path, journal.files())
    place.write_bytes(place.read_bytes()[:-40])
    journal.append([label("c")])
    assert [entry.key for entry in journal.read()] == ["a", "c"]


def test_the_journal_becomes_one_file_for_each_day_of_the_lake(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    journal = journal_of(workspace.state)
    journal.append([label("a"), label("b", datetime(2024, 5, 16, 1, tzinfo=UTC)), decision("d")])
    assert collected(workspace) == collection.Collected(labels=2, decisions=1)
    lake = workspace.open_lake()
    assert [len(lake.names("annotations", day)) for day in lake.days("annotations")] == [1, 1]
    assert lake.read("annotations", date(2024, 5, 15)).to_pylist()[0]["seconds"] == 4.5
    assert in_the_lake(workspace, "review_decisions") == ["d"]
    assert journal.files() == {}
    assert collected(workspace) == collection.Collected()


def test_a_label_is_in_the_lake_once_however_often_it_was_sent(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    journal = journal_of(workspace.state)
    journal.append([label("a"), label("a", passed=False)])
    assert collected(workspace).labels == 1
    journal.append([label("a", datetime(2024, 5, 17, tzinfo=UTC)), label("b")])
    assert collected(workspace).labels == 1
    assert in_the_lake(workspace) == ["a", "b"]
    assert workspace.open_lake().read("annotations", date(2024, 5, 15)).to_pylist()[0]["passed"] is True


def test_a_run_that_was_killed_between_lake_and_journal_is_repeated_without_a_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = config(tmp_path)
    journal = journal_of(workspace.state)
    journal.append([label("a"), label("b")])

    unlink = Path.unlink

    def die(path: Path, **more: Any) -> None:
        if path.name.startswith("sealed-"):
            raise KeyboardInterrupt
        unlink(path, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", die)
        with pytest.raises(KeyboardInterrupt):
            collected(workspace)
    assert in_the_lake(workspace) == ["a", "b"]
    journal.append([label("c")])
    assert collected(workspace).labels == 1
    assert in_the_lake(workspace) == ["a", "b", "c"]
    assert journal.files() == {}


def test_collecting_does_not_wait_for_who_replaces_files_nor_for_a_run(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    lake, journal = workspace.open_lake(), journal_of(workspace.state)
    journal.append([label("a")])
    with another("hold_files", lake) as other:
        started = time.monotonic()
        assert try_collect(workspace) is None
        assert time.monotonic() - started < 5
        go_on(other)
    assert in_the_lake(workspace) == []
    with another("hold_run", lake) as other:
        assert try_collect(workspace) == collection.Collected(labels=1)
        journal.append([label("b")])
        assert collect(workspace) == collection.Collected(labels=1)
        go_on(other)
    assert in_the_lake(workspace) == ["a", "b"]


def test_a_full_disk_keeps_what_was_there_and_says_that_the_label_was_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = journal_of(tmp_path)
    journal.append([label("a")])

    def full(descriptor: int, content: bytes) -> None:
        os.write(descriptor, content[:50])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(label_journal, "_write", full)
        with pytest.raises(RunError, match="No space left on device while writing a label; it was not saved"):
            journal.append([label("b")])
    journal.append([label("c")])
    assert [entry.key for entry in journal.read()] == ["a", "c"]


def test_what_was_acknowledged_survives_a_kill_and_two_writers_do_not_disturb_each_other(tmp_path: Path) -> None:
    writing = (
        "import sys; from pathlib import Path; from flows.review.labels import journal_of\n"
        "from tests.unit.review.labelled import label\n"
        "journal = journal_of(Path(sys.argv[1]))\n"
        "for n in range(10_000):\n"
        "    journal.append([label(f'{sys.argv[2]}{n}')]); print(f'{sys.argv[2]}{n}', flush=True)"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", writing, str(tmp_path), name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    acknowledged = []
    for writer in writers:
        assert writer.stdout is not None
        acknowledged += [writer.stdout.readline().strip() for _ in range(20)]
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    for writer in writers:
        rest, _ = writer.communicate()
        acknowledged += rest.split()
    kept = [entry.key for entry in journal_of(tmp_path).read()]
    assert set(acknowledged) <= set(kept)
    assert len(kept) == len(set(kept)) >= 40
