"""Old rows of the warehouse go, and the file shrinks: the part of `retention` that is the warehouse's.

Tables with a row a call are read only for the nights of the window; they are nine tenths of the file, and any day of
them can be computed from the lake again. The tables of numbers a day are small, and stay.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from flows.config import WAREHOUSE_CALLS, WAREHOUSE_DAYS, Config
from flows.errors import RunError
from flows.lake import LATE_DAYS
from flows.transform.compaction import compact, free_share, opened
from flows.words import counted

OF_CALLS = (
    *("intermediate.int_text_features", "intermediate.int_text_words", "intermediate.int_text_fields"),
    *("intermediate.int_pair_features", "intermediate.int_call_signals", "intermediate.int_feedback_daily"),
    "marts.fct_text_samples",
)
"""The tables with a row, or more, for a call."""
MOST_FREE = 0.25
"""The share of free blocks, or of rows that went, from which the file is written anew."""
_NIGHTS_TOGETHER = 7  # as in macros/days.sql
_DAILY = """
    select table_schema || '.' || table_name
    from information_schema.columns
    where table_schema in ('intermediate', 'marts') and column_name = 'day'
"""


@dataclass(frozen=True)
class Expired:
    """The rows that went, and the bytes of the file before and after where it was written anew."""

    rows: int = 0
    before: int = 0
    after: int = 0

    def summary(self) -> str:
        """In words, for a line."""
        shrunk = f", the file {self.before / 1e6:,.1f} MB and now {self.after / 1e6:,.1f} MB" if self.before else ""
        return f"{counted(self.rows, 'old row')} of the warehouse{shrunk}"


def days_kept(config: Config) -> int | None:
    """How many days the rows of calls are kept: what is configured, but at least what a night reads; None is forever.

    By default as little as that, if the lake keeps the calls long enough to compute the rest again for late records.
    """
    needed = config.window_days + _NIGHTS_TOGETHER + 1
    late = LATE_DAYS + needed
    in_lake = config.retention.get("interactions")
    least = needed if in_lake is None or in_lake >= late else late
    if WAREHOUSE_CALLS not in config.retention:
        return least
    given = config.retention[WAREHOUSE_CALLS]
    return None if given is None else max(given, least)


def is_due(config: Config, night: date) -> bool:
    """Whether the warehouse has rows that are older than they are kept; of one that cannot be read nobody knows."""
    try:
        return config.warehouse.exists() and any(old for old, _ in _expire(config, night, is_dry=True).values())
    except RunError:
        return False


def expire(config: Config, night: date) -> Expired:
    """Delete what is too old on the `night` of a day, and write the file anew if much of it is free by then.

    The caller holds the lake's lock. Raises RunError where another process uses the warehouse.
    """
    if not config.warehouse.exists():
        return Expired()
    found = _expire(config, night, is_dry=False)
    rows, all_rows = sum(old for old, _ in found.values()), sum(count for _, count in found.values())
    # Blocks are free once all rows in them are deleted: of rows that went at once, fewer are than they could be.
    if rows > MOST_FREE * all_rows or free_share(config.warehouse) > MOST_FREE:
        return Expired(rows, *compact(config.warehouse))
    return Expired(rows)


def _expire(config: Config, night: date, *, is_dry: bool) -> dict[str, tuple[int, int]]:
    """By table how many rows are too old, and how many there were."""
    of_calls, of_days = days_kept(config), config.retention.get(WAREHOUSE_DAYS)
    of_days = None if of_days is None else max(of_days, of_calls or 0)
    found = {}
    with opened(config.warehouse, is_read_only=is_dry) as connection:
        for (table,) in connection.execute(_DAILY).fetchall():
            kept = of_calls if table in OF_CALLS else of_days
            if kept is not None:
                before = [night - timedelta(days=kept)]
                counts = f"select count(*) filter (where day < ?), count(*) from {table}"
                (found[table],) = connection.execute(counts, before).fetchall()
                if found[table][0] and not is_dry:
                    connection.execute(f"delete from {table} where day < ?", before)
        if not is_dry:
            connection.execute("checkpoint")
    return found
