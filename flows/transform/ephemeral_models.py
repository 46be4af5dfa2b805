"""How the SQL of ephemeral models gets into that of the models that read them, without parsing either.

dbt 1.11 parses the whole of every model with sqlparse, only to find its first `with`: a fifth of the CPU time of a
build. The models here begin with it, after comments, or have none.
"""

import re
from collections.abc import Sequence
from typing import Any

_SPACE = r"\s*"
_HEAD = re.compile(
    rf"(?P<space>{_SPACE})(?:(?:--[^\n]*(?:\n|$)|/\*.*?\*/){_SPACE})*(?P<with>with\b(?:\s+recursive\b)?{_SPACE})?",
    re.IGNORECASE | re.DOTALL,
)


def inject(sql: str, ctes: Sequence[Any]) -> str:
    """`sql` with the `ctes` (each has `sql`: a name, `as` and a query) before its own.

    The same text as that of dbt's `inject_ctes_into_sql` for one statement that has `with` at its beginning or nowhere.
    """
    head = _HEAD.match(sql)
    if not ctes or head is None:
        return sql
    told = ", ".join(cte.sql for cte in ctes)
    if head["with"]:
        return f"{sql[: head.end()]}{told}, {sql[head.end() :]}"
    return f"{head['space']}with{told} {sql[head.end('space') :]}"


def install() -> None:
    """Let dbt use `inject` in this process."""
    import dbt.compilation  # noqa: PLC0415 - imported late: costs seconds

    dbt.compilation.inject_ctes_into_sql = inject
