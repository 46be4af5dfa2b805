"""Records to canonical rows: runs a format's SELECT, casts what it gives, and judges every record.

A format's SELECT (`sources/<format>.sql`) reads the view `records` (file, line, raw: a JSON object) and gives
`file`, `line` and any of the canonical columns, as texts; it may also give `target` (interaction, feedback or
other) and `problem`. Where one line holds several records (a batch of spans, a trace with its observations) it gives
a row for each, with the record's own JSON as `unit`; a line for which it gives no row is refused. Here each column is cast to its type in the lake, and a record of which a required or
given value cannot be cast goes to quarantine with the column and the value named.
"""

from dataclasses import dataclass
from functools import cache

import duckdb
import pyarrow as pa

from flows.lake import SCHEMAS
from flows.project import LOG_FORMATS

_DUCKDB_TYPES = {pa.int64(): "bigint", pa.float64(): "double", pa.bool_(): "boolean"}
_REQUIRED = {"interaction": ("call_id", "started_at"), "feedback": ("call_id", "at")}
_TABLES = {"interaction": "interactions", "feedback": "feedback"}
# Beyond these a number is no count, cost or duration (infinity and NaN are beyond them too), and sums overflow.
_LARGEST = {"bigint": "1e15", "double": "1e15"}
# Which words a person sees for a type.
_WORDS = {"bigint": "whole number", "double": "number", "boolean": "true or false", "timestamptz": "time"}

RECORDS = pa.schema([("file", pa.string()), ("line", pa.int64()), ("raw", pa.string()), ("problem", pa.string())])


@dataclass(frozen=True)
class Mapped:
    """What became of some records. The rows of the first two carry file and line beside the lake's columns."""

    interactions: pa.Table
    feedback: pa.Table
    quarantined: pa.Table  # file, line, reason, raw
    other: pa.Table  # file, line


def map_records(log_format: str, records: pa.Table) -> Mapped:
    """Map records (schema RECORDS) of one format. Every record is in exactly one of the four tables."""
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        connection.execute(_sql("macros"))
        connection.register("given", records)
        connection.execute(
            "create temp view judged as select *, case when problem is not null then problem"
            " when not json_valid(raw) then 'no valid JSON'"
            " when json_type(raw) <> 'OBJECT' then 'a JSON ' || lower(json_type(raw)) || ', expected an object' end"
            " as reason from given"
        )
        connection.execute("create temp view records as select file, line, raw from judged where reason is null")
        connection.execute(f"create temp table extracted as {_sql(log_format)}")
        connection.execute(f"create temp table mapped as {_judged(connection)}")
        return Mapped(
            interactions=_rows(connection, "interaction"),
            feedback=_rows(connection, "feedback"),
            quarantined=_quarantined(connection),
            other=connection.sql(
                "select file, line from mapped where reason is null and target = 'other' order by file, line"
            ).to_arrow_table(),
        )
    finally:
        connection.close()


@cache
def _sql(name: str) -> str:
    return (LOG_FORMATS / f"{name}.sql").read_text(encoding="utf-8").rstrip().rstrip(";")


def _judged(connection: duckdb.DuckDBPyConnection) -> str:
    """What the format's SELECT gave, every column cast, and the reason for which a record cannot be taken."""
    given = [row[0] for row in connection.execute("describe extracted").fetchall()]
    types = _types()
    target = "coalesce(target, 'interaction')" if "target" in given else "'interaction'"
    casts = [f'{_cast(name, types[name])} as "{name}"' for name in given if name in types]
    casts.append("cast(unit as varchar) as unit" if "unit" in given else "null::varchar as unit")
    faults = ["problem"] if "problem" in given else []
    faults += [_missing(name, target, kind, name in given) for kind, needed in _REQUIRED.items() for name in needed]
    faults += [_miscast(name, types[name]) for name in given if types.get(name, "varchar") != "varchar"]
    return (
        f"select file, line, {target} as target, {', '.join(casts)},"
        f" case when {target} <> 'other' then coalesce({', '.join(faults)}) end as reason from extracted"
    )


def _types() -> dict[str, str]:
    """The canonical columns and their DuckDB types."""
    fields = [field for table in _TABLES.values() for field in SCHEMAS[table]]
    return {
        field.name: "timestamptz" if pa.types.is_timestamp(field.type) else _DUCKDB_TYPES.get(field.type, "varchar")
        for field in fields
    }


def _cast(name: str, kind: str) -> str:
    text = f'cast("{name}" as varchar)'
    if kind == "timestamptz":
        return f"as_time({text})"
    if kind == "bigint":  # 12.0 is a whole number; 12.5 is none
        return f"case when try_cast({text} as double) % 1 = 0 then try_cast({text} as bigint) end"
    return text if kind == "varchar" else f"try_cast({text} as {kind})"


def _missing(name: str, target: str, kind: str, is_given: bool) -> str:
    if not is_given:  # the format has no such column, so that no record of this kind can have it
        return f"case when {target} = '{kind}' then 'no {name}' end"
    return f"case when {target} = '{kind}' and nullif(cast(\"{name}\" as varchar), '') is null then 'no {name}' end"


def _miscast(name: str, kind: str) -> str:
    text = f'cast("{name}" as varchar)'
    unreadable = f"{_cast(name, kind)} is null"
    if kind in _LARGEST:
        unreadable += f" or not abs(try_cast({text} as double)) <= {_LARGEST[kind]}"
    if kind == "timestamptz":  # a year that no log was written in is a wrong unit or a wrong clock
        unreadable += f" or coalesce(year({_cast(name, kind)}) not between 1990 and 2200, true)"
    complaint = f"'{name}: ' || left({text}, 80) || ' is no {_WORDS[kind]}'"
    given = f"nullif({text}, '')"
    return f"case when {given} is not null and ({unreadable}) then {complaint} end"


def _rows(connection: duckdb.DuckDBPyConnection, target: str) -> pa.Table:
    present = {row[0] for row in connection.execute("describe mapped").fetchall()}
    wanted = ["file", "line"] + [f'"{name}"' for name in SCHEMAS[_TABLES[target]].names if name in present]
    return connection.sql(
        f"select {', '.join(wanted)} from mapped where reason is null and target = $target order by file, line",
        params={"target": target},
    ).to_arrow_table()


def _quarantined(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """What was refused, one row a line: of a line that holds several records, those that were."""
    return connection.sql(
        "select file, line, reason, raw from judged where reason is not null union all"
        " select file, line, 'nothing in it is a record of this format', raw from judged"
        " where reason is null and not exists (select 1 from mapped where mapped.line = judged.line"
        " and mapped.file = judged.file) union all"
        " select refused.file, refused.line, any_value(refused.reason) || case when count(*) > 1"
        " then ' (and ' || (count(*) - 1) || ' more in this line)' else '' end,"
        " case when count(refused.unit) = 0 then any_value(judged.raw) when count(*) = 1 then any_value(refused.unit)"
        " else '[' || string_agg(refused.unit, ',') || ']' end"
        " from mapped as refused join judged using (file, line) where refused.reason is not null"
        " group by refused.file, refused.line order by file, line"
    ).to_arrow_table()
