"""What the pages know of labels that others write, whatever is moved into the lake meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from flows.lake import from_rows
from flows.review.labels import LabelStore, collection, journal_of
from tests.unit.review.labelled import DAY, config, label
from tests.unit.review.test_label_journal import collected


def new(label_id: str, **more: Any) -> Any:
    return label(label_id, retracts=None, **more)


def known(store: LabelStore) -> list[str]:
    store.refresh()
    return [row["label_id"] for row in store.labels()]


def test_a_label_is_not_missed_where_the_journal_was_collected_and_grew_again(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    store, other = LabelStore(workspace, DAY), journal_of(workspace.state)
    other.append([new("a")])
    assert known(store) == ["a"]
    other.append([new("b")])
    collected(workspace)
    other.append([new("c"), new("d"), new("e")])  # longer than it was before
    assert known(store) == ["a", "b", "c", "d", "e"]


def test_a_label_is_not_missed_that_came_and_went_between_two_looks(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    store = LabelStore(workspace, DAY)
    store.add([new("mine")])
    assert known(store) == ["mine"]
    store.collect()
    journal_of(workspace.state).append([new("a")])
    collected(workspace)
    assert known(store) == ["a", "mine"]


def test_a_label_that_another_machine_put_into_the_lake_is_known_after_collecting(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    store, lake = LabelStore(workspace, DAY), workspace.open_lake()
    with lake.lock("test"):
        lake.write("annotations", DAY, from_rows([new("far").row], "annotations"), "batch-far")
    store.collect()
    assert [row["label_id"] for row in store.labels()] == ["far"]


def test_what_another_page_appended_while_it_was_collected_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = config(tmp_path)
    store, seal = LabelStore(workspace, DAY), collection.journal_of(workspace.state).seal

    def appended_before(_: Any) -> list[Path]:
        journal_of(workspace.state).append([new("late")])
        return seal()

    store.add([new("first")])
    monkeypatch.setattr("flows.review.labels.label_journal.Journal.seal", appended_before)
    store.collect()
    assert [row["label_id"] for row in store.labels()] == ["first", "late"]
