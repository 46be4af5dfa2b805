"""All labels and decisions that matter to a day's review, from the lake and the journal, kept up to date.

Several pages may run at once, and a night may collect the journal meanwhile: `refresh` reads what changed.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from flows.config import Config
from flows.lake import in_force
from flows.review.labels.collection import try_collect
from flows.review.labels.label_journal import Entry, Journal, Snapshot, journal_of

Row = dict[str, Any]
Name = tuple[str, str, str, str]
"""Subject, its id, the criterion and its version: what is judged. Another version is another question."""

REMEMBERED = timedelta(days=28)
"""How long before the day labels are read: for the most frequent failure modes, agreement and saturation."""


def name_of(row: Mapping[str, Any]) -> Name:
    """What a row of the queue, or a label, is about."""
    return (
        str(row["subject"]), str(row["subject_id"]), str(row["criterion"]), str(row["criterion_version"] or ""),
    )  # fmt: skip


class LabelStore:
    """The labels and decisions from `day` less REMEMBERED on. Safe to use from several threads."""

    def __init__(self, config: Config, day: date) -> None:
        self._config = config
        self._first = {"annotations": day - REMEMBERED, "review_decisions": date.min}
        self._lock = threading.RLock()
        self._rows: dict[str, dict[str, Row]] = {"annotations": {}, "review_decisions": {}}
        self._files: set[tuple[str, date, str]] = set()
        self._seen = Snapshot(0, {})
        self._retracted: set[str] = set()
        self._of: dict[Name, list[Row]] = defaultdict(list)
        self.reread()

    @property
    def _journal(self) -> Journal:
        return journal_of(self._config.state)

    def add(self, entries: Sequence[Entry]) -> None:
        """Write the rows to the journal; they are on the disk when this returns. Raises RunError if they are not.

        Rows whose id is known are not written again.
        """
        with self._lock:
            new = [entry for entry in entries if entry.key not in self._rows[entry.table]]
            if new:
                before = self._journal.snapshot()
                written = self._journal.append(new)
                self._take(new)
                place = str(self._journal.place)
                inode, size = before.files.get(place, (0, 0))
                if before == self._seen and size and size == written.start:  # else `refresh` reads what others wrote
                    self._seen = Snapshot(before.moved_at, before.files | {place: (inode, written.stop)})

    def add_once(self, table: str, key: str, entries: Callable[[], Sequence[Entry]]) -> bool:
        """Add the rows that `entries` makes for the request `key`, unless that is known, and say whether it was not.

        Nobody else of this process writes between: a request that is sent twice at once is one label. Raises what
        `entries` and `add` raise.
        """
        with self._lock:
            self.refresh()
            if key in self._rows[table]:
                return False
            self.add(entries())
            return True

    def known(self, table: str, key: str) -> Row | None:
        """The row with this id, if there is one."""
        return self._rows[table].get(key)

    def refresh(self) -> None:
        """Take in what other processes wrote since."""
        with self._lock:
            found = self._journal.snapshot()
            if found != self._seen:
                self._take(self._journal.read())
                now = self._journal.snapshot()
                if (now.moved_at, now.files.keys()) != (self._seen.moved_at, self._seen.files.keys()):
                    self._read_lake()  # after the journal: what has left it is there
                self._seen = found

    def reread(self) -> None:
        """Take in what is new in the lake too, which other machines write without this journal."""
        with self._lock:
            self._seen = Snapshot(-1, {})
            self.refresh()

    def collect(self) -> bool:
        """Move the journal into the lake if nobody else holds its lock, and say whether it was moved.

        Labels are taken and shown meanwhile.
        """
        moved = try_collect(self._config) is not None
        self.reread()
        return moved

    def labels_on(self, name: Name) -> list[Row]:
        """The labels of one answer by one version of a criterion that were not taken back, oldest first."""
        with self._lock:
            return [row for row in self._of.get(name, ()) if row["label_id"] not in self._retracted]

    def was_judged_by(self, name: Name, annotator: str) -> bool:
        """Whether this person ever judged it, even if the label was taken back."""
        with self._lock:
            return any(row["annotator"] == annotator for row in self._of.get(name, ()))

    def labels(self) -> list[Row]:
        """All labels that were not taken back, oldest first."""
        with self._lock:
            return in_force(self._rows["annotations"].values(), "label_id")

    def decisions(self) -> dict[tuple[str, str], Row]:
        """The last decision about each suggestion or proposal, by its kind and id."""
        with self._lock:
            rows = in_force(self._rows["review_decisions"].values(), "decision_id")
        return {(row["kind"], row["subject_id"]): row for row in rows}

    def _read_lake(self) -> None:
        lake = self._config.open_lake()
        for table, first in self._first.items():
            for day in lake.days(table):
                for file in lake.names(table, day) if day >= first else ():
                    if (table, day, file) not in self._files:
                        self._take(Entry(table, row) for row in lake.read(table, day, file).to_pylist())
                        self._files.add((table, day, file))

    def _take(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            row = entry.row
            if entry.key in self._rows[entry.table]:
                continue
            self._rows[entry.table][entry.key] = row
            if entry.table != "annotations":
                continue
            if row.get("retracts"):
                self._retracted.add(row["retracts"])
            else:
                self._of[name_of(row)].append(row)
