"""Two that collect at once, or one that reads meanwhile: nothing is there twice, and nothing vanishes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flows.errors import LockedError, RunError
from flows.review.labels import Journal, collection, journal_of, try_collect
from tests.unit.review.labelled import config, label
from tests.unit.review.test_label_journal import collected, in_the_lake


def test_two_collections_of_one_process_do_not_put_a_label_into_the_lake_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = config(tmp_path)
    journal_of(workspace.state).append([label("a")])
    began, may_go_on, known = threading.Event(), threading.Event(), collection._known

    def slow(*given: Any) -> set[str]:
        found = known(*given)
        if not began.is_set():
            began.set()
            may_go_on.wait(10)
        return found

    monkeypatch.setattr(collection, "_known", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(try_collect, workspace)
        assert began.wait(10)
        journal_of(workspace.state).append([label("b")])
        second = pool.submit(try_collect, workspace)
        threading.Timer(0.3, may_go_on.set).start()
        assert [done.labels for one in (first, second) if (done := one.result(10))] == [1, 1]
    assert in_the_lake(workspace) == ["a", "b"]


def test_a_file_does_not_vanish_while_the_journal_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = config(tmp_path)
    journal_of(workspace.state).append([label("a")])
    is_sealed, may_go_on, files, known = threading.Event(), threading.Event(), Journal.files, collection._known

    def slow(*given: Any) -> set[str]:
        is_sealed.set()
        may_go_on.wait(10)
        return known(*given)

    def while_the_other_goes_on(journal: Journal) -> dict[str, int]:
        found = files(journal)
        may_go_on.set()
        time.sleep(0.5)
        return found

    monkeypatch.setattr(collection, "_known", slow)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(collected, workspace)
        assert is_sealed.wait(10)
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "files", while_the_other_goes_on)
            assert [entry.key for entry in journal_of(workspace.state).read()] == ["a"]
        assert other.result(10).labels == 1
    assert journal_of(workspace.state).files() == {}


def test_what_keeps_labels_out_of_the_lake_is_told_unless_another_run_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = config(tmp_path)
    journal_of(workspace.state).append([label("a")])
    for error, told in (
        (LockedError("locked", "nightly"), []),
        (RunError("disk full"), ["labels stay in the journal: disk full"]),
    ):

        def refuse(*_: Any, why: RunError = error) -> None:
            raise why

        with monkeypatch.context() as patched:
            patched.setattr(collection, "publish", refuse)
            assert try_collect(workspace) is None
        assert [record.getMessage() for record in caplog.records] == told
    assert try_collect(workspace) == collection.Collected(labels=1)
