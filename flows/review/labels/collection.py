"""From the journal into the lake: each label once, whatever was killed when.

The files that are written are named by a hash of the ids in them. A journal's file is deleted after its rows are in the
lake; a run that was killed between the two is repeated, and finds them there.
"""

import hashlib
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flows.config import Config
from flows.errors import LockedError, RunError
from flows.lake import CALL, Lake, from_rows, replace_parquet
from flows.review.labels.label_journal import KEYS, Entry, journal_of, read_entries
from flows.words import counted

log = logging.getLogger("genchi")

one_at_a_time = threading.RLock()
"""For the threads of one process that write to the lake: its lock lets them all in."""


@dataclass(frozen=True)
class Collected:
    """How many rows were added to the lake."""

    labels: int = 0
    decisions: int = 0

    def summary(self) -> str:
        """One line for people."""
        decided = f", {counted(self.decisions, 'decision')}" if self.decisions else ""
        return f"{counted(self.labels, 'new label')}{decided}"


def collect(config: Config) -> Collected:
    """Move the journal's rows into the lake's `annotations` and `review_decisions`.

    The lake is locked meanwhile. Raises RunError if the disk or the store refuses.
    """
    lake, journal = config.open_lake(), journal_of(config.state)
    with one_at_a_time, lake.lock("labels"):
        aside = journal.seal()
        entries = [entry for path in aside for entry in read_entries(path)]
        added = publish(lake, config.timezone, _without_forgotten(config, lake, entries))
        journal.discard(aside)
    return added


def _without_forgotten(config: Config, lake: Lake, entries: list[Entry]) -> list[Entry]:
    """The rows but for those about calls that were forgotten while somebody judged them."""
    if not entries:
        return entries
    stones = config.tombstones(lake)
    return [entry for entry in entries if not stones.knows(CALL, entry.row.get("subject_id"))]


def try_collect(config: Config, verb: str = "review") -> Collected | None:
    """`collect`, if nobody else holds the lake's lock; else None, and the rows stay in the journal.

    So do they where the disk or the store refuses, which is logged.
    """
    if not journal_of(config.state).files():
        return Collected()
    lake = config.open_lake()
    try:
        with one_at_a_time, lake.lock(verb, patience=0):
            return collect(config)
    except LockedError:
        return None
    except RunError as error:
        log.warning("labels stay in the journal: %s", error)
        return None


def publish(lake: Lake, timezone: str, entries: Sequence[Entry], *, is_new: bool = False) -> Collected:
    """Add the rows to the lake, all or none: one file for each table and day. Rows whose id is there already are not.

    With `is_new` ids are looked for on all days; else from the first day on which one of the rows can have been
    written. Raises RuntimeError where this process does not hold the lake's lock.
    """
    batches: dict[tuple[str, date], list[Entry]] = defaultdict(list)
    counts = dict.fromkeys(KEYS, 0)
    for table in KEYS:
        mine = {entry.key: entry for entry in reversed(entries) if entry.table == table}  # the first of an id counts
        known = _known(lake, table, None if is_new else _first_day(mine.values(), timezone)) if mine else set()
        for entry in entries:
            if mine.get(entry.key) is entry and entry.key not in known:
                batches[table, day_of(entry.row["at"], timezone)].append(entry)
                counts[table] += 1
    if batches:
        with lake.staging() as staged:
            for (table, day), rows in batches.items():
                place = staged.place(table, day, _batch_name(rows))
                replace_parquet(place, from_rows((entry.row for entry in rows), table))
    return Collected(counts["annotations"], counts["review_decisions"])


def day_of(at: datetime, timezone: str) -> date:
    """The day of a row: the date of its own time, in the configured time zone."""
    return at.astimezone(ZoneInfo(timezone)).date()


def _first_day(entries: Iterable[Entry], timezone: str) -> date:
    """The first day on which a row with one of these ids can be: its own, or that of the queue it is from."""
    return min(
        min(day_of(entry.row["at"], timezone), entry.row.get("queue_day") or day_of(datetime.now(UTC), timezone))
        for entry in entries
    )


def _known(lake: Lake, table: str, first: date | None) -> set[str]:
    """The ids that a table has from day `first` on, or at all."""
    days = [day for day in lake.days(table) if first is None or day >= first]
    return {key for day in days for key in lake.read(table, day, columns=[KEYS[table]]).column(0).to_pylist()}


def _batch_name(entries: Iterable[Entry]) -> str:
    keys = "\n".join(sorted(entry.key for entry in entries))
    return f"batch-{hashlib.sha256(keys.encode()).hexdigest()[:24]}"
