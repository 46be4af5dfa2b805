"""Of rows that are only ever added, those count that were not taken back."""

from datetime import UTC, datetime, timedelta

from flows.lake.retractions import in_force

AT = datetime(2026, 5, 4, tzinfo=UTC)


def row(key: str, minutes: int, retracts: str | None = None) -> dict[str, object]:
    return {"label_id": key, "at": AT + timedelta(minutes=minutes), "retracts": retracts}


def test_what_was_taken_back_does_not_count_nor_what_takes_it_back_and_the_oldest_is_first() -> None:
    rows = [row("d", 9), row("b-r", 5, "b"), row("a", 3), row("b", 1), row("c", 3), row("gone-r", 2, "gone")]
    assert [one["label_id"] for one in in_force(rows, "label_id")] == ["a", "c", "d"]
    assert in_force([], "label_id") == []
