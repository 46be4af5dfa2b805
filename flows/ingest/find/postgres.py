"""Rows of a PostgreSQL query as records: read-only, with a time limit, in batches.

Belongs here: all access to PostgreSQL. The source's format defines what a row means, as for a file.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa

from flows.errors import RunError, TransientError
from flows.ingest.read import Batches
from flows.outgoing import credentials_in, without_credentials

if TYPE_CHECKING:
    import psycopg

# The default query for a source of litellm's format: litellm's table, by the index on startTime.
SPEND_LOGS = (
    'select * from "LiteLLM_SpendLogs"'
    " where \"startTime\" >= '{day}' and \"startTime\" < '{next_day}' order by request_id"
)
_ROWS_AT_ONCE = 200
_CONNECT_SECONDS = 10


def postgres_rows(dsn: str, query: str | None, day: date, timeout_seconds: int = 600) -> Iterator[pa.Table]:
    """The rows of `query` (default SPEND_LOGS) for `day`, each a JSON object: tables of line, raw and problem.

    `{day}` and `{next_day}` in the query stand for ISO dates. Raises RunError, in one line and without the password.
    """
    written = f"select convert_to(row_to_json(one_row)::text, 'UTF8') from (\n{_filled(query, day)}\n) as one_row"
    batches = Batches()
    with connected(dsn, timeout_seconds) as connection, connection.cursor("genchi", binary=True) as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(written.encode())
        for number, (row,) in enumerate(cursor, 1):
            yield from batches.add_bytes(number, bytes(row))
    yield from batches.rest()


def count_rows(dsn: str, query: str | None, day: date) -> int:
    """The number of rows of the query for `day`. Raises RunError as `postgres_rows` does."""
    with connected(dsn, timeout_seconds=60) as connection:
        found = connection.execute(f"select count(*) from (\n{_filled(query, day)}\n) as one_row".encode()).fetchone()
    return int(found[0]) if found else 0


def sample_query(query: str | None, rows: int) -> str:
    """The query (default SPEND_LOGS) cut to its first rows."""
    return f"select * from (\n{_written(query)}\n) as sampled limit {rows}"


def shown_dsn(dsn: str) -> str:
    """The address of a dsn, without user and password: the manifest uses it as the file name.

    A password may contain any sign: in an address, all that stands before its last `@` is left out.
    """
    parts = _parts(without_credentials(dsn) if "://" in dsn else dsn)
    host, port, name = (str(parts.get(key) or "") for key in ("host", "port", "dbname"))
    return f"postgresql://{quote(host, safe=',:')}:{port or 5432}/{quote(name)}"


def _filled(query: str | None, day: date) -> str:
    """The query with its dates. They have the type date, so that no other SQL can be injected."""
    return (
        _written(query).replace("{day}", day.isoformat()).replace("{next_day}", (day + timedelta(days=1)).isoformat())
    )


def _written(query: str | None) -> str:
    return (query or SPEND_LOGS).strip().rstrip(";")


@contextmanager
def connected(dsn: str, timeout_seconds: int) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """A connection that can only read. Times without a zone are UTC."""
    import psycopg  # noqa: PLC0415 - imported late: most workspaces have no such source

    where = shown_dsn(dsn)
    try:
        with psycopg.connect(dsn, connect_timeout=_CONNECT_SECONDS, client_encoding="utf8") as connection:
            connection.read_only = True
            connection.execute("select set_config('timezone', 'UTC', false)")
            connection.execute("select set_config('statement_timeout', %s, false)", [str(timeout_seconds * 1000)])
            connection.commit()
            yield connection
    except psycopg.Error as error:
        kind = TransientError if _is_transient(error) else RunError
        raise kind(f"{where}: {_error_text(error, dsn)}") from None


def _is_transient(error: "psycopg.Error") -> bool:
    """Whether the server is unreachable, starting, stopping or full (error classes 08, 57P and 53).

    A connection error has no code. With FATAL the server has answered, and a retry would get the same answer.
    """
    if error.sqlstate is None:
        return "FATAL" not in str(error) or "starting up" in str(error)
    return error.sqlstate.startswith(("08", "53", "57P"))


def _error_text(error: Exception, dsn: str) -> str:
    """PostgreSQL's message on one line, with the password masked."""
    text = " ".join(str(error).split()) or type(error).__name__
    password = str(_parts(dsn).get("password") or "")
    pieces = credentials_in(dsn)  # PostgreSQL itself takes a password with `@` or `/` for a part of the host
    for form in sorted({password, quote(password, safe=""), quote(password), *pieces}, key=len, reverse=True):
        text = text.replace(form, "***") if len(form) > 1 else text
    return re.sub(r"://[^@\s/]*@", "://***@", text)


def _parts(dsn: str) -> dict[str, object]:
    """The dsn's keys. Invalid parts are not repeated in errors, because they may be the password."""
    import psycopg  # noqa: PLC0415 - imported late: most workspaces have no such source
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - as above

    try:
        return dict(conninfo_to_dict(dsn))
    except psycopg.Error:
        how = "write it as postgresql://user:password@host:5432/database"
        raise RunError(f"the dsn of a source is not a valid PostgreSQL connection string; {how}") from None
