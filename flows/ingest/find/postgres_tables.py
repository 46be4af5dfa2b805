"""The tables of a PostgreSQL database that may hold logs, and the queries that read a day of them."""

from dataclasses import dataclass
from datetime import date

from flows.ingest.find.postgres import connected

_SPEND_LOGS = "LiteLLM_SpendLogs"
_MOST = 50
# The time of a call comes before the time of a row.
_TIMES = ("starttime", "start_time", "started_at", "timestamp", "time", "at", "created_at", "createdat")
_TABLES = """
select
    c.oid::regclass::text as name,
    c.relname = %s as is_spend_logs,
    array_agg(a.attname::text order by a.attnum) filter (
        where a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
    ) as times
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where
    c.relkind in ('r', 'v', 'm', 'p')
    and not c.relispartition
    and n.nspname not in ('pg_catalog', 'information_schema')
    and has_table_privilege(c.oid, 'select')
group by c.oid, c.relname
order by c.relname = %s desc, c.reltuples desc, 1
limit %s
"""


@dataclass(frozen=True)
class Table:
    """A table or view that may be read. `name` is quoted where SQL needs it; `times` are its columns with a time."""

    name: str
    is_spend_logs: bool
    times: tuple[str, ...]

    @property
    def time_column(self) -> str | None:
        """The column that most likely has the time of a call."""
        return min(self.times, key=_rank, default=None)

    def sample(self, rows: int) -> str:
        """SQL for some rows."""
        return f"select * from {self.name} limit {rows}"

    def days(self, dsn: str, column: str) -> tuple[date, ...]:
        """The first and the last day of this column, in UTC; none for an empty table. Raises RunError."""
        quoted = _quoted(column)
        with connected(dsn, timeout_seconds=60) as connection:
            found = connection.execute(f"select min({quoted})::date, max({quoted})::date from {self.name}".encode())
            row = found.fetchone()
        return tuple(sorted({day for day in row or () if day is not None}))

    def query(self, column: str) -> str:
        """The `query` of a source: one day's rows by this column."""
        quoted = _quoted(column)
        return f"select * from {self.name} where {quoted} >= '{{day}}' and {quoted} < '{{next_day}}'"


def tables(dsn: str) -> list[Table]:
    """The tables and views that the user may read, litellm's first, then by their size. Raises RunError."""
    with connected(dsn, timeout_seconds=60) as connection:
        rows = connection.execute(_TABLES, [_SPEND_LOGS, _SPEND_LOGS, _MOST]).fetchall()
    return [Table(str(name), bool(is_spend_logs), tuple(times or ())) for name, is_spend_logs, times in rows]


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _rank(column: str) -> int:
    return _TIMES.index(column.lower()) if column.lower() in _TIMES else len(_TIMES)
