"""The marts in the lake and in exported tables without a person: rows of their calls go, of other rows the texts.

Days that the warehouse does not know any more are published too, so each file is read. The next publication writes
days that the warehouse knows again as they are there, where the person is gone as well. Of exported tables no older
version is left.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.config import Config
from flows.erasure.person import Person
from flows.erasure.scrubbing import REMOVED, is_list_of_texts, places_in, without_person
from flows.erasure.warehouse_rows import IDS, WHOLE_TEXTS
from flows.export import purge_tables, rewrite_tables, rows_of_tables
from flows.lake import CALL, Backend, Lake, Tombstones, open_backend
from flows.marts import parts_there, read_part, replace_part


def erase(lake: Lake, person: Person, stones: Tombstones, *, is_dry: bool) -> Iterator[tuple[str, int, int]]:
    """Erase every published table; yields each with the rows and texts that went. The whole lake is locked."""
    found: dict[str, tuple[int, int]] = {}
    for table, day in parts_there(lake.backend):
        kept, gone, texts = without(read_part(lake.backend, table, day), person, stones)
        if gone or texts:
            before = found.get(table, (0, 0))
            found[table] = (before[0] + gone, before[1] + texts)
            if not is_dry:
                replace_part(lake.backend, table, day, kept)
    yield from ((table, rows, texts) for table, (rows, texts) in found.items())


def erase_exported(config: Config, person: Person, stones: Tombstones, *, is_dry: bool) -> Iterator[tuple[str, str]]:
    """Write the exported tables that have the person anew from what is published, and delete all older versions."""
    if config.export is None:
        return
    theirs = [name for name, rows in rows_of_tables(config) if any(without(rows, person, stones)[1:])]
    place = f"{config.export.format} {config.export.path}"
    if theirs:
        yield f"{place}, {', '.join(theirs)}", "would be written anew" if is_dry else "written anew"
    if not is_dry:
        rewrite_tables(config, theirs)
        purge_tables(config)
        yield place, "older versions deleted"


def without(rows: pa.Table, person: Person, stones: Tombstones) -> tuple[pa.Table, int, int]:
    """A table without the person, and how many rows went and texts of other rows were taken out."""
    gone = np.zeros(len(rows), bool)
    columns = dict(zip(rows.column_names, rows.schema.types, strict=True))
    for name, kind in columns.items():
        if name in IDS and pa.types.is_string(kind):
            known = {CALL: person.calls | person.proposals}.get(IDS[name], person.users)
            named = pc.fill_null(pc.is_in(rows[name], pa.array(sorted(known), pa.string())), False).to_numpy()
            gone |= named | stones.which(IDS[name], rows[name])
    kept, texts = rows.filter(pa.array(~gone)), 0
    for name, kind in columns.items():
        if name in IDS or not (pa.types.is_string(kind) or is_list_of_texts(kind)):
            continue
        places, column = places_in(kept[name], person), kept[name]
        if places:
            column = pa.chunked_array([without_person(column, places, person)])
        if name in WHOLE_TEXTS and person.whole:
            is_theirs = pc.fill_null(pc.is_in(column, pa.array(sorted(person.whole), pa.string())), False)
            places |= set(np.flatnonzero(is_theirs.to_numpy()).tolist())
            column = pc.if_else(is_theirs, REMOVED, column)
        if places:
            texts += len(places)
            kept = kept.set_column(kept.column_names.index(name), kept.schema.field(name), column)
    return kept, int(gone.sum()), texts


def left_in(config: Config, lake: Lake, person: Person, stones: Tombstones) -> Iterator[tuple[str, int, int]]:
    """Every published part, and every Parquet file below `export.path`, with its rows and how many have the person."""
    for table, day in parts_there(lake.backend):
        rows = read_part(lake.backend, table, day)
        yield f"{lake.backend.place(table)} {day}", len(rows), sum(without(rows, person, stones)[1:])
    if config.export is not None:
        backend = open_backend(config.export.path, config.storage)
        for name in backend.names("**/*.parquet"):
            rows = _texts_of(backend, name)
            yield str(backend.place(name)), len(rows), sum(without(rows, person, stones)[1:])


def _texts_of(backend: Backend, name: str) -> pa.Table:
    """A file's columns that may be searched; a checkpoint of Delta has structures, whose texts are paths."""
    source = backend.source(name)
    assert source is not None
    file = pq.ParquetFile(source)
    wanted = [
        field.name for field in file.schema_arrow if pa.types.is_string(field.type) or is_list_of_texts(field.type)
    ]
    return file.read(columns=wanted)


def files_of(config: Config) -> list[Path]:
    """The files of this machine below `export.path`."""
    if config.export is None or not isinstance(config.export.path, Path):
        return []
    return sorted(place for place in config.export.path.rglob("*") if place.is_file())
