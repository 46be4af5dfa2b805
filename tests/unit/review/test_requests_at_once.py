"""Requests that come at once: a label is acknowledged once, and is never taken back by its own second request."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flows.review.labels import LabelStore, collection, journal_of, label_store
from flows.review.page import judgement
from flows.review.page.queue_items import read_queue
from tests.unit.review import queued
from tests.unit.review.browsing import SCRIPT, labels, opened, sent
from tests.unit.review.labelled import DAY, config, label


def test_two_copies_of_one_request_at_once_are_one_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = config(tmp_path)
    client = opened(workspace, [queued.row(1)])
    both, refresh = threading.Barrier(2), LabelStore.refresh

    def together(store: LabelStore) -> None:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # both have come this far, if nothing keeps one of them out
        refresh(store)

    monkeypatch.setattr(LabelStore, "refresh", together)

    def send(_: int) -> int:
        return int(client.post("/labels", data=sent(queued.row(1), "pass", "label-00001"), headers=SCRIPT).status_code)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(send, range(2))) == [200, 200]
    assert [(row["label_id"], row["retracts"]) for row in labels(workspace)] == [("label-00001", None)]


def test_a_label_does_not_take_back_the_label_of_its_own_request(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    queued.write_queue(workspace, [queued.row(1)])
    (item,), store = read_queue(workspace.open_lake(), DAY), LabelStore(workspace, DAY)
    form = sent(queued.row(1), "pass", "label-00001")
    store.add(judgement.rows_of(form, item, "ada", DAY, store))
    assert judgement.rows_of(form, item, "ada", DAY, store) == []


def test_labels_are_taken_while_others_go_into_the_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = config(tmp_path)
    store = LabelStore(workspace, DAY)
    store.add([label("first-001", retracts=None)])
    began, may_end = threading.Event(), threading.Event()

    def slow(*given: Any) -> Any:
        began.set()
        assert may_end.wait(10)
        return collection.try_collect(*given)

    monkeypatch.setattr(label_store, "try_collect", slow)
    with ThreadPoolExecutor(2) as pool:
        moving = pool.submit(store.collect)
        assert began.wait(10)
        try:
            pool.submit(store.add, [label("second-01", retracts=None)]).result(2)
        finally:
            may_end.set()
        assert moving.result(10)
    assert [row["label_id"] for row in store.labels()] == ["first-001", "second-01"]
    assert journal_of(workspace.state).files() == {}
