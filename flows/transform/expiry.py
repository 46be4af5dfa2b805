"""Old rows of the warehouse go, and the file shrinks: the part of `retention` that is the warehouse's.

Tables with a row a call are read only for the nights of the window, and any day of them can be computed from the lake
again; the largest of them are files of the lake (`LAKE_TABLES` of flows/marts). The tables of numbers a day are small,
and stay.
"""

from dataclasses import dataclass
from datetime import date

from flows.config import Config
from flows.errors import RunError
from flows.marts import expire_days
from flows.retention import first_kept
from flows.transform.compaction import compact, free_share, opened
from flows.transform.spark_build import expire_spark_days
from flows.transform.spark_session import is_on_spark
from flows.words import counted

MOST_FREE = 0.25
"""The share of free blocks, or of rows that went, from which the file is written anew."""
_DAILY = """
    select table_schema || '.' || table_name
    from information_schema.columns
    where table_schema in ('intermediate', 'marts') and column_name = 'day'
"""


@dataclass(frozen=True)
class Expired:
    """The rows that went, and the bytes of the file before and after where it was written anew.

    On Spark whole days of tables go.
    """

    rows: int = 0
    days: int = 0
    before: int = 0
    after: int = 0

    def summary(self) -> str:
        """In words, for a line."""
        shrunk = f", the file {self.before / 1e6:,.1f} MB and now {self.after / 1e6:,.1f} MB" if self.before else ""
        gone = counted(self.days, "old day") if self.days else counted(self.rows, "old row")
        return f"{gone} of the warehouse{shrunk}"


def is_due(config: Config, night: date) -> bool:
    """Whether the warehouse has rows that are older than they are kept; of one that cannot be read nobody knows."""
    try:
        if is_on_spark(config):
            return expire_spark_days(config, first_kept(config, night), is_dry=True) > 0
        if expire_days(config.open_lake(), first_kept(config, night).of, is_dry=True):
            return True
        return config.warehouse.exists() and any(old for old, _ in _expire(config, night, is_dry=True).values())
    except RunError:
        return False


def expire(config: Config, night: date) -> Expired:
    """Delete what is too old on the `night` of a day, and write the file anew if much of it is free by then.

    The caller is a run. Raises RunError where another process uses the warehouse.
    """
    if is_on_spark(config):
        return Expired(days=expire_spark_days(config, first_kept(config, night), is_dry=False))
    of_lake = expire_days(config.open_lake(), first_kept(config, night).of, is_dry=False)
    if not config.warehouse.exists():
        return Expired(of_lake)
    found = _expire(config, night, is_dry=False)
    rows, all_rows = sum(old for old, _ in found.values()), sum(count for _, count in found.values())
    # Blocks are free once all rows in them are deleted: of rows that went at once, fewer are than they could be.
    if rows > MOST_FREE * all_rows or free_share(config.warehouse) > MOST_FREE:
        before, after = compact(config.warehouse)
        return Expired(of_lake + rows, before=before, after=after)
    return Expired(of_lake + rows)


def _expire(config: Config, night: date, *, is_dry: bool) -> dict[str, tuple[int, int]]:
    """By table how many rows are too old, and how many there were."""
    first, found = first_kept(config, night), {}
    with opened(config.warehouse, is_read_only=is_dry) as connection:
        for (table,) in connection.execute(_DAILY).fetchall():
            if (kept := first.of(table)) is not None:
                counts = f"select count(*) filter (where day < ?), count(*) from {table}"
                (found[table],) = connection.execute(counts, [kept]).fetchall()
                if found[table][0] and not is_dry:
                    connection.execute(f"delete from {table} where day < ?", [kept])
        if not is_dry:
            connection.execute("checkpoint")
    return found
