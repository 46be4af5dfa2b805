"""The SQL that casts the result of a format's SELECT, and gives each rejected record its reason.

Only what a record is nothing without can reject it: its id and its time, a `problem` that the SELECT names. Any other
value that is not of its column's type is null, and the column is named in `unreadable`.
"""

from datetime import datetime, timedelta

import pyarrow as pa

from flows.lake import SCHEMAS

TABLES = {"interaction": "interactions", "feedback": "feedback"}
_REQUIRED = {"interaction": ("call_id", "started_at"), "feedback": ("call_id", "at")}
_DUCKDB_TYPES = {pa.int64(): "bigint", pa.float64(): "double", pa.bool_(): "boolean"}
# A clock may be ahead, but not by more than this.
_AHEAD = timedelta(days=30)
# Larger numbers are not counts, costs or durations (nor are infinity and NaN), and their sums overflow.
_LARGEST = {"bigint": "1e15", "double": "1e15"}
# The names of types in reasons.
_TYPE_NAMES = {
    "bigint": "whole number",
    "double": "number",
    "boolean": "boolean",
    "timestamptz": "time",
}


# Not valid in JSON, but Python's json module writes them. Each is compared: DuckDB makes a join of a list of so many
# values, one for each column of numbers, and the joins took half of the time of casting.
_NO_NUMBERS = ("nan", "inf", "-inf", "infinity", "-infinity")
# Text columns that are also checked or changed.
_TEXTS = ("call_id", "target", "problem", "unreadable", "user_key", "kind", "updated_at", "route")


def latest_time_macro(now: datetime) -> str:
    """SQL that creates the temporary macro `latest_time()`: a log with a later time has a wrong unit or a wrong clock.

    It is a constant, for a prepared statement with DuckDB's now() is planned again at each run.
    """
    return f"create or replace temp macro latest_time() as '{(now + _AHEAD).isoformat()}'::timestamptz"


def casting_sql(given: list[str]) -> str:
    """A SELECT of every narrow column, cast, the reason why a record is rejected (null: it is not), and `unreadable`,
    the columns whose values are no values of their types (null: none). It needs the macro `latest_time`.
    """
    types = {name: kind for name, kind in _types().items() if name in given and kind != "varchar"}
    target = "coalesce(target, 'interaction')" if "target" in given else "'interaction'"
    casts = [f'{_cast(name, kind)} as "{name}_cast"' for name, kind in types.items()]
    columns = [f'"{name}_cast" as "{name}"' for name in types]
    if "user_key" in given:
        columns.append("user_key_of(user_key) as user_key")
    if "route" in given:
        columns.append("route_of(route) as route")
    columns.append(f"{'as_time(updated_at)' if 'updated_at' in given else 'null::timestamptz'} as updated_at")
    kinds = ", ".join(f"'{kind}'" for kind in (*TABLES, "other"))
    faults = [
        f"case when targeted not in ({kinds}) then 'target: ' || left(targeted, 80)"
        f" || ' is not one of {' '.join(TABLES)} other' end"
    ]
    faults += ["problem"] if "problem" in given else []
    faults += [_missing(name, kind, name in given) for kind, needed in _REQUIRED.items() for name in needed]
    required = [(kind, name) for kind, names in _REQUIRED.items() for name in names if name in types]
    faults += [f"case when targeted = '{kind}' then {_complaint(name, types[name])} end" for kind, name in required]
    rejecting = {name for _, name in required}
    unreadable = ["unreadable"] if "unreadable" in given else []
    unreadable += [f"case when {_is_miscast(name, kind)} then '{name}' end"
                   for name, kind in types.items() if name not in rejecting]  # fmt: skip
    absent = {"kind": "null::varchar as kind", "at": "null::timestamptz as at_cast"}
    casts += [empty for name, empty in absent.items() if name not in given]
    return (  # a projection of its own: each column is cast once, however often it is used
        f"with typed as not materialized (select *, {', '.join([f'{target} as targeted', *casts])} from extracted)"
        f" select {', '.join(columns)}, targeted as target,"
        f" case when targeted = 'feedback' then {key_of('feedback', 'at_cast')}"
        f" else {key_of('interactions')} end as key,"
        f" case when targeted <> 'other' then coalesce({', '.join(faults)}) end as reason,"
        f" case when targeted <> 'other' then nullif(concat_ws(' ', {', '.join(unreadable) or 'null'}), '') end"
        " as unreadable from typed"
    )


def canonical_columns() -> list[str]:
    """The names of the columns that a format may give of a call or a signal."""
    return list(_types())


def _types() -> dict[str, str]:
    """The canonical columns and their DuckDB types."""
    fields = [field for table in TABLES.values() for field in SCHEMAS[table]]
    return {
        field.name: "timestamptz" if pa.types.is_timestamp(field.type) else _DUCKDB_TYPES.get(field.type, "varchar")
        for field in fields
    }


def _cast(name: str, kind: str) -> str:
    text = f'"{name}"'
    if kind == "timestamptz":
        return f"as_time({text})"
    if kind == "bigint":  # 12.0 is a whole number; 12.5 is not, and a cast would round it
        is_plain = f"not contains({text}, '.') and not contains(lower({text}), 'e')"
        return (
            f"case when abs(try_cast({text} as double)) <= {_LARGEST[kind]}"
            f" and ({is_plain} or try_cast({text} as double) % 1 = 0) then try_cast({text} as bigint) end"
        )
    if kind == "double":
        return f"case when abs(try_cast({text} as double)) <= {_LARGEST[kind]} then try_cast({text} as double) end"
    return f"try_cast({text} as {kind})"


def _missing(name: str, kind: str, is_given: bool) -> str:
    if not is_given:  # the format lacks this column, so no record of this kind can have it
        return f"case when targeted = '{kind}' then 'no {name}' end"
    return f"case when targeted = '{kind}' and coalesce(\"{name}\", '') = '' then 'no {name}' end"


def _is_miscast(name: str, kind: str) -> str:
    """Whether a value is given and is none of its column's type; what Python writes for no number is not given."""
    text, is_no_value = f'"{name}"', f'"{name}_cast" is null'
    if kind == "timestamptz":  # a time without logs means a wrong unit or a wrong clock
        is_likely = f"\"{name}_cast\" between '1990-01-01'::timestamptz and latest_time()"
        is_no_value = f"({is_no_value} or not {is_likely})"
    if kind in _LARGEST:
        is_no_value += "".join(f" and lower({text}) <> '{word}'" for word in _NO_NUMBERS)
    return f"{text} <> '' and {is_no_value}"


def _complaint(name: str, kind: str) -> str:
    complaint = f"""'{name}: ' || left("{name}", 80) || ' is not a {_TYPE_NAMES[kind]}'"""
    return f"case when {_is_miscast(name, kind)} then {complaint} end"


def key_of(table: str, at: str = '"at"') -> str:
    """SQL for a 64-bit hash of a row's key; `at` is the name of a signal's time column, a TIMESTAMPTZ."""
    if table == "feedback":
        return f"hash(call_id || chr(31) || coalesce(kind, '') || chr(31) || epoch_us({at}))"
    return "hash(call_id)"


def columns_to_cast(given: list[str]) -> list[str]:
    """The columns of a SELECT that are cast or checked; long texts pass unchanged."""
    types = _types()
    return [name for name in given if types.get(name, "varchar") != "varchar" or name in _TEXTS]
