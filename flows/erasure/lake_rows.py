"""The lake without a person, file by file, each replaced at once; a file that holds nothing of theirs stays."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.erasure.erased_tables import HOW, ORDER, How
from flows.erasure.manifest_counts import ManifestCounts
from flows.erasure.person import Person, is_of
from flows.erasure.scrubbing import is_list_of_texts, places_in, without_person
from flows.lake import CALL, REQUEST, SCHEMAS, SHARED, USER, Lake, Tombstones

_KINDS = {"call": CALL, "subject": CALL, "user": USER, "shared": SHARED, "request": REQUEST}


@dataclass(frozen=True)
class Parted:
    """A batch: the rows that stay, with texts taken out of some of them, and the rows that go."""

    kept: pa.Table
    gone: pa.Table
    texts: int

    @property
    def is_changed(self) -> bool:
        """Whether anything of it goes."""
        return bool(len(self.gone) or self.texts)


def part(rows: pa.Table, table: str, person: Person, stones: Tombstones) -> Parted:
    """Part a batch of a table."""
    how = HOW[table]
    if how.found == "nothing":
        return Parted(rows, rows.slice(0, 0), 0)
    gone = _by_ids(rows, table, how, person, stones)
    columns = [
        name
        for name, kind in zip(rows.column_names, rows.schema.types, strict=True)
        if name not in how.ids and (pa.types.is_string(kind) or is_list_of_texts(kind))
    ]
    mentions = {name: places_in(rows[name], person) for name in columns}
    if how.found == "row":
        for places in mentions.values():
            gone[list(places)] = True
        return Parted(rows.filter(pa.array(~gone)), rows.filter(pa.array(gone)), 0)
    changed = 0
    for name, found in mentions.items():
        places = {place for place in found if not gone[place]}
        if places:
            changed += len(places)
            rows = rows.set_column(
                rows.column_names.index(name), rows.schema.field(name), without_person(rows[name], places, person)
            )
    return Parted(rows.filter(pa.array(~gone)), rows.filter(pa.array(gone)), changed)


def _by_ids(rows: pa.Table, table: str, how: How, person: Person, stones: Tombstones) -> np.ndarray:
    """Which rows are the person's by an id."""
    gone = np.zeros(len(rows), bool)
    routes = rows["route"].to_pylist() if "route" in rows.column_names else [None] * len(rows)
    for column, kind in how.ids.items():
        if kind in _KINDS:
            known = pa.array(sorted(_known(person, kind)), pa.string())
            named = pc.fill_null(pc.is_in(rows[column], known), False).to_numpy()
            gone |= named | stones.which(_KINDS[kind], rows[column])
        if kind == "example" or (kind == "subject" and person.examples):
            pairs = zip(rows[column].to_pylist(), routes, strict=True)
            gone |= np.array([is_of(person, stones, one, route) for one, route in pairs], bool)
    if "retracts" in rows.column_names:
        labels = pa.array(sorted(person.labels), pa.string())
        gone |= pc.fill_null(pc.is_in(rows["retracts"], labels), False).to_numpy()
    if table == "quarantine":
        gone |= np.array([stones.in_text(raw) for raw in rows["raw"].to_pylist()], bool)
    return gone


def _known(person: Person, kind: str) -> set[str]:
    named = {"call": person.calls, "user": person.users, "shared": person.shared, "request": person.requests}
    return named.get(kind, person.calls | person.proposals)


def erase(lake: Lake, person: Person, stones: Tombstones, *, is_dry: bool) -> Iterator[tuple[str, int, int]]:
    """Erase every table; yields each with the rows and the texts that went. Interactions go last.

    The caller has locked the whole lake. A run that was killed is repeated with the same result.
    """
    for table in ORDER:
        rows = texts = 0
        for day in lake.days(table):
            for file in lake.names(table, day):
                gone, changed = _file(lake, (table, day, file), person, stones, is_dry=is_dry)
                rows, texts = rows + gone, texts + changed
        if rows or texts:
            yield table, rows, texts


def _file(
    lake: Lake, of: tuple[str, date, str], person: Person, stones: Tombstones, *, is_dry: bool
) -> tuple[int, int]:
    table, day, file = of
    counts = ManifestCounts(table)
    gone = texts = 0
    for rows in lake.batches(table, day, file=file):
        parted = part(rows, table, person, stones)
        gone, texts = gone + len(parted.gone), texts + parted.texts
        counts.add(parted.gone)
    if (gone or texts) and not is_dry:
        with lake.staging() as staged:  # a file and the counts of its records change together
            with pq.ParquetWriter(staged.place(table, day, file), SCHEMAS[table], compression="zstd") as writer:
                for rows in lake.batches(table, day, file=file):
                    kept = part(rows, table, person, stones).kept
                    if len(kept):
                        writer.write_table(kept.cast(SCHEMAS[table]))
            counts.stage(lake, staged, day)
    return gone, texts
