"""The manifest after rows were erased: they count as `other` now, so that every record still counts once."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa

from flows.lake import Lake, Staging, from_rows, replace_parquet

_COUNTED = {"interactions": "interactions", "feedback": "feedback", "quarantine": "quarantined"}


class ManifestCounts:
    """How many erased rows of one file of a table are to be counted otherwise."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._left: Counter[tuple[str | None, str | None]] = Counter()

    def add(self, gone: pa.Table) -> None:
        """Add rows that go: their source and file, as far as the table knows them."""
        if self._table in _COUNTED:
            names = [
                gone[name].to_pylist() if name in gone.column_names else [None] * len(gone)
                for name in ("source", "file")
            ]
            self._left.update(zip(*names, strict=True))

    def stage(self, lake: Lake, staged: Staging, day: date) -> None:
        """Stage the manifests that change. What has no file is taken from one of its source, of the nearest night."""
        if not +self._left:
            return
        kind = _COUNTED[self._table]
        nights = lake.days("manifest")
        if self._table == "quarantine":  # its days are those of the nights
            nights = [night for night in nights if night == day]
        for night in sorted(nights, key=lambda night: (abs((night - day).days), night < day)):
            rows = lake.read("manifest", night).to_pylist()
            if self._take(rows, kind):
                replace_parquet(staged.place("manifest", night), from_rows(rows, "manifest"))

    def _take(self, rows: Iterable[dict[str, Any]], kind: str) -> bool:
        """Count some of the rows otherwise; whether any were."""
        is_changed = False
        for row in rows:
            for of in [of for of, count in self._left.items() if count]:
                source, file = of
                if source in (None, row["source"]) and file in (None, row["file"]):
                    fewer = min(self._left[of], row[kind])
                    row[kind] -= fewer
                    row["other"] += fewer
                    self._left[of] -= fewer
                    is_changed = is_changed or fewer > 0
        return is_changed
