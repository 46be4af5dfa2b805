"""dbt's `adapter` as sqlfluff needs it: `adapter.dispatch` finds DuckDB's macros."""

from collections.abc import Callable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, name: str) -> Callable[..., str]:
    """The macro that DuckDB uses for `name`."""
    found: Any = context.resolve(f"duckdb__{name}")
    return found


def quote(name: str) -> str:
    """A name as an identifier of DuckDB."""
    return f'"{name}"'
