"""Rows of tables to which rows are only ever added: `annotations` and `review_decisions`."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

Row = TypeVar("Row", bound=Mapping[str, Any])


def in_force(rows: Iterable[Row], key: str) -> list[Row]:
    """The rows that were not taken back by another one's `retracts`, the oldest first; `key` is the column of the ids.

    Rows that take one back are left out, too: they say nothing themselves.
    """
    given = list(rows)
    taken_back = {row["retracts"] for row in given if row["retracts"]}
    kept = [row for row in given if not row["retracts"] and row[key] not in taken_back]
    return sorted(kept, key=lambda row: (row["at"] is not None, row["at"], row[key]))
