"""The warehouse without a person: rows of their calls go, of other rows the texts; then the file is written anew.

Tables of the workspace's own models may have columns of any type. Of one that holds texts in a structure or as bytes,
the whole row goes.

Numbers that were made of their calls together with others' stay, as in a report that is printed: a day that is built
again counts without them. dbt writes what is computed; this only takes away.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flows.erasure.person import Person
from flows.erasure.scrubbing import REMOVED, is_list_of_texts, places_in, without_person
from flows.lake import CALL, USER, Tombstones
from flows.transform import opened

IDS = {"subject_id": CALL, "call_id": CALL, "example_id": CALL, "user_name": USER, "user_key": USER}
# Columns that hold a whole text, which may be too short to be searched for elsewhere.
WHOLE_TEXTS = ("text_value", "message", "error_message", "answer", "pinned_answer")
_TABLES = """
    select schema_name, table_name from duckdb_tables()
    where database_name = current_database() and schema_name <> 'seeds' order by all
"""


def erase(warehouse: Path, person: Person, stones: Tombstones, *, is_dry: bool) -> Iterator[tuple[str, int, int]]:
    """Erase every table; yields each with the rows and the texts that went. Afterwards the file is to be compacted.

    All of it is one transaction. Raises RunError where another process uses the warehouse.
    """
    with opened(warehouse, is_read_only=is_dry) as connection:
        connection.execute("begin transaction")
        for schema, table in connection.execute(_TABLES).fetchall():
            rows, texts = _erase_table(connection, f'"{schema}"."{table}"', person, stones, is_dry=is_dry)
            if rows or texts:
                yield f"{schema}.{table}", rows, texts
        connection.execute("commit")


def _erase_table(
    connection: duckdb.DuckDBPyConnection, table: str, person: Person, stones: Tombstones, *, is_dry: bool
) -> tuple[int, int]:
    places, texts = set[int](), 0
    columns = connection.sql(f"select * from {table} limit 0").to_arrow_table().schema
    for column in columns:
        if column.name in IDS and pa.types.is_string(column.type):
            places |= _rows_by_id(connection, table, column.name, person, stones)
        elif not _is_text(column.type) and (given := _as_text(column)):
            for rows in _read(connection, f"select rowid as place, {given} as given from {table}"):
                ids = rows["place"].to_pylist()
                places |= {ids[place] for place in places_in(rows["given"], person)}
    if places and not is_dry:
        _with(connection, "gone", pa.table({"place": pa.array(sorted(places), pa.int64())}))
        connection.execute(f"delete from {table} where rowid in (select place from gone)")
    for column in columns:
        if column.name not in IDS and _is_text(column.type):
            texts += _scrub(connection, table, column.name, person, places, is_dry=is_dry)
    return len(places), texts


def _rows_by_id(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, person: Person, stones: Tombstones
) -> set[int]:
    known = {CALL: person.calls | person.proposals, USER: person.users}[IDS[column]]
    found = set[int]()
    for rows in _read(connection, f'select rowid as place, "{column}" as id from {table}'):
        named = pc.fill_null(pc.is_in(rows["id"], pa.array(sorted(known), pa.string())), False).to_numpy()
        hashed = stones.which(IDS[column], rows["id"])
        found |= set(rows["place"].filter(pa.array(named | hashed)).to_pylist())
    return found


def _scrub(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, person: Person, gone: set[int], *, is_dry: bool
) -> int:
    changed: dict[int, object] = {}
    kind = pa.string()
    for rows in _read(connection, f'select rowid as place, "{column}" as given from {table}'):
        given, kind = rows["given"], rows["given"].type
        places = places_in(given, person)
        new = without_person(given, places, person).to_pylist() if places else []
        ids = rows["place"].to_pylist()
        changed |= {ids[place]: new[place] for place in places}
        if column in WHOLE_TEXTS and person.whole:
            same = pc.fill_null(pc.is_in(given, pa.array(sorted(person.whole), pa.string())), False).to_pylist()
            changed |= {ids[place]: REMOVED for place, is_same in enumerate(same) if is_same}
    changed = {place: value for place, value in changed.items() if place not in gone}
    if changed and not is_dry:
        _with(connection, "changed", pa.table({"place": list(changed), "value": pa.array(changed.values(), kind)}))
        connection.execute(
            f'update {table} set "{column}" = changed.value from changed where {table}.rowid = changed.place'
        )
    return len(changed)


def _with(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register(f"given_{name}", rows)
    connection.execute(f"create or replace temp table {name} as select * from given_{name}")
    connection.unregister(f"given_{name}")


def _read(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[pa.Table]:
    reader = connection.sql(sql).to_arrow_reader(1 << 16)
    for batch in reader:
        yield pa.Table.from_batches([batch])


def texts_of(warehouse: Path) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Every column that may hold texts, in parts, with its name."""
    with opened(warehouse, is_read_only=True) as connection:
        for schema, table in connection.execute(_TABLES).fetchall():
            for column in connection.sql(f'select * from "{schema}"."{table}" limit 0').to_arrow_table().schema:
                if given := _as_text(column):
                    name = f"{schema}.{table}.{column.name}"
                    for rows in _read(connection, f'select {given} as given from "{schema}"."{table}"'):
                        yield name, rows["given"]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind)) or is_list_of_texts(kind)


def _as_text(column: pa.Field) -> str:
    """How to select a column to search it; empty where it can have no text: numbers, times and truth values."""
    name = column.name.replace('"', '""')
    if _is_text(column.type) or pa.types.is_binary(column.type):
        return f'"{name}"'
    is_plain = pa.types.is_primitive(column.type) or pa.types.is_decimal(column.type)
    return "" if is_plain else f'cast("{name}" as varchar)'
