"""Mapped rows into the lake: duplicates dropped, days merged, quarantine and manifest written.

Order matters for a kill at any moment: rows first, then quarantine, the manifest last. What the manifest
does not name yet is read again, and reading again adds nothing.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flows import lake
from flows.config import Config, Source
from flows.ingest import mapping, reader
from flows.ingest.redaction import Redactor
from flows.lake import Lake
from flows.progress import track

_KEYS = {"interactions": ("call_id",), "feedback": ("call_id", "kind", "at")}
_TIMES = {"interactions": "started_at", "feedback": "at"}
_BATCH_BYTES = 64 << 20


@dataclass(frozen=True)
class Landed:
    """What one night's reading came to. `days` are those whose rows were touched."""

    files: int = 0
    records: int = 0
    interactions: int = 0
    feedback: int = 0
    duplicates: int = 0
    other: int = 0
    quarantined: int = 0
    redacted: int = 0
    days: tuple[date, ...] = ()

    def __add__(self, other: "Landed") -> "Landed":
        names = [name for name in vars(self) if name != "days"]
        counts = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Landed(**counts, days=tuple(sorted({*self.days, *other.days})))

    def summary(self) -> str:
        """The counts in words, for a line."""
        counts = [
            (self.interactions, "calls"),
            (self.feedback, "signals of feedback"),
            (self.duplicates, "duplicates dropped"),
            (self.other, "no LLM calls"),
            (self.redacted, "redactions"),
        ]
        told = [f"{count:,} {name}" for count, name in counts if count or name == "calls"]
        return f"{', '.join(told)}, {self.quarantined:,} quarantined, from {self.files} files"


def land_days(config: Config, first: date, last: date) -> Landed:
    """Read every day's files from `first` to `last`, both included, and add up what became of them."""
    total = Landed()
    for day in track(lake.each_day(first, last), "landing", (last - first).days + 1):
        total += land(config, day)
    return total


def land(config: Config, day: date) -> Landed:
    """Read every source's files for `day` into the lake. Any number of times, with the same result."""
    store = Lake(config.lake)
    redactor = Redactor(config.redact)
    manifest, quarantine, touched = [], [], set()
    for source in config.sources:
        files = _files(config, store, source, day)
        parts = [part for file in files for part in _mapped(config, source, file)]
        counts = {file: Counter[str]() for file in files}
        by_name = {_shown(config, file.path): file for file in files}
        for table in ("interactions", "feedback"):
            rows = _joined([getattr(part, table) for part in parts])
            kept = _newest(rows, table)
            _count(counts, by_name, kept, table)
            _count(counts, by_name, rows, "duplicates")
            _count(counts, by_name, kept, "duplicates", -1)
            touched |= set(_merge(config, store, table, _completed(kept, table, source), redactor))
        _count(counts, by_name, _joined([part.other for part in parts]), "other")
        refused = _joined([part.quarantined for part in parts])
        _count(counts, by_name, refused, "quarantined")
        quarantine.append(_redacted(_with_source(refused, source), redactor))
        manifest += [_manifest_row(config, file, counts[file]) for file in files]
    _write_quarantine(store, day, quarantine, manifest)
    _write_manifest(store, day, manifest)
    total = Counter[str]()
    for row in manifest:
        total.update({name: value for name, value in row.items() if isinstance(value, int)})
    return Landed(
        files=len(manifest),
        records=total["records"],
        interactions=total["interactions"],
        feedback=total["feedback"],
        duplicates=total["duplicates"],
        other=total["other"],
        quarantined=total["quarantined"],
        redacted=sum(redactor.found.values()),
        days=tuple(sorted(touched)),
    )


def _files(config: Config, store: Lake, source: Source, day: date) -> list[reader.LogFile]:
    """The source's files for the day; of a path without `{day}`, those that no other night has read."""
    files = [reader.identify(source, path) for path in reader.find(source, day)]
    if "{day}" in source.path:
        return files
    read = {
        (row["source"], row["file"], row["sha256"])
        for other in store.days("manifest")
        if other != day
        for row in store.read("manifest", other).select(["source", "file", "sha256"]).to_pylist()
    }
    return [file for file in files if (file.source, _shown(config, file.path), file.sha256) not in read]


def _shown(config: Config, path: Path) -> str:
    """A file's name in the lake: relative to the workspace where it lies in it."""
    name = str(path.relative_to(config.workspace)) if path.is_relative_to(config.workspace) else str(path)
    return os.fsencode(name).decode("utf-8", "backslashreplace")  # a name need not be text


def _mapped(config: Config, source: Source, file: reader.LogFile) -> Iterator[mapping.Mapped]:
    """The file's records, mapped in batches that fit in memory."""
    batch: list[dict[str, object]] = []
    size = 0
    name = _shown(config, file.path)
    for record in reader.read(file.path):
        batch.append({"file": name, "line": record.line, "raw": record.raw, "problem": record.problem})
        size += len(record.raw)
        if size > _BATCH_BYTES:
            yield mapping.map_records(source.format, pa.Table.from_pylist(batch, schema=mapping.RECORDS))
            batch, size = [], 0
    if batch:
        yield mapping.map_records(source.format, pa.Table.from_pylist(batch, schema=mapping.RECORDS))


def _joined(tables: list[pa.Table]) -> pa.Table:
    return (
        pa.concat_tables(tables, promote_options="default") if tables else pa.table({"file": pa.array([], pa.string())})
    )


def _newest(rows: pa.Table, table: str) -> pa.Table:
    """One row a key: the latest by its time, and of equals the last that was read."""
    if not len(rows):
        return rows
    keys = ", ".join(f'"{key}"' for key in _KEYS[table])
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        return connection.sql(
            f"select * exclude (_rank, _order) from (select *, row_number() over (partition by {keys}"
            f' order by "{_TIMES[table]}" desc, _order desc) as _rank'
            " from (select *, row_number() over () as _order from rows)) where _rank = 1 order by _order"
        ).to_arrow_table()


def _count(
    counts: dict[reader.LogFile, Counter[str]],
    by_name: dict[str, reader.LogFile],
    rows: pa.Table,
    name: str,
    sign: int = 1,
) -> None:
    for found in rows.column("file").value_counts().to_pylist() if len(rows) else []:
        counts[by_name[found["values"]]][name] += sign * found["counts"]


def _completed(rows: pa.Table, table: str, source: Source) -> pa.Table:
    """What the record cannot know: its source, and a route where the log has none."""
    if table != "interactions" or not len(rows):
        return rows
    route = pa.array([None] * len(rows), pa.string()) if "route" not in rows.column_names else rows.column("route")
    named = pc.if_else(pc.equal(pc.fill_null(route, ""), ""), source.route or "default", route)
    rows = rows.drop_columns(["route"]) if "route" in rows.column_names else rows
    return rows.append_column("route", named).append_column("source", pa.array([source.name] * len(rows), pa.string()))


def _merge(config: Config, store: Lake, table: str, rows: pa.Table, redactor: Redactor) -> list[date]:
    """Add rows to the days that they belong to. A row that is there already is replaced, not doubled."""
    if not len(rows):
        return []
    rows = redactor.table(rows)
    days = _days(rows.column(_TIMES[table]), config.timezone)
    rows = lake.conform(rows.drop_columns(["file", "line"]), table)
    found: list[date] = sorted(pc.unique(days).to_pylist())
    for day in found:
        fresh = rows.filter(pc.equal(days, pa.scalar(day)))
        before = store.read(table, day)
        merged = _newest(pa.concat_tables([before, fresh]), table) if len(before) else fresh
        store.write(table, day, _sorted(merged, table))
    return found


def _days(times: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    """The date of each time on the clock of `zone`."""
    return pc.local_timestamp(times.cast(pa.timestamp("us", tz=zone))).cast(pa.date32())


def _sorted(rows: pa.Table, table: str) -> pa.Table:
    return rows.sort_by([(_TIMES[table], "ascending"), *((key, "ascending") for key in _KEYS[table][:1])])


def _redacted(refused: pa.Table, redactor: Redactor) -> pa.Table:
    """Refused records, redacted; those in base64 within it."""
    if not len(refused):
        return refused
    in_base64 = pc.ends_with(refused.column("reason"), reader.IN_BASE64)
    coded = refused.filter(in_base64)
    raw = pa.array([redactor.encoded(text) for text in coded.column("raw").to_pylist()], pa.string())
    coded = coded.set_column(coded.column_names.index("raw"), "raw", raw)
    return pa.concat_tables([redactor.table(refused.filter(pc.invert(in_base64))), coded])


def _with_source(refused: pa.Table, source: Source) -> pa.Table:
    return refused.append_column("source", pa.array([source.name] * len(refused), pa.string()))


def _write_quarantine(store: Lake, day: date, parts: list[pa.Table], manifest: list[dict[str, object]]) -> None:
    """The night's refused records; those of files that this run did not read stay."""
    read = {(row["source"], row["file"]) for row in manifest}
    kept = [row for row in store.read("quarantine", day).to_pylist() if (row["source"], row["file"]) not in read]
    fresh = [lake.conform(part, "quarantine") for part in parts if len(part)]
    rows = pa.concat_tables([lake.from_rows(kept, "quarantine"), *fresh])
    store.write(
        "quarantine", day, rows.sort_by([("source", "ascending"), ("file", "ascending"), ("line", "ascending")])
    )


def _manifest_row(config: Config, file: reader.LogFile, counts: Counter[str]) -> dict[str, object]:
    kinds = ("interactions", "feedback", "duplicates", "other", "quarantined")
    return {
        "source": file.source,
        "file": _shown(config, file.path),
        "sha256": file.sha256,
        "bytes": file.bytes,
        "records": sum(counts[kind] for kind in kinds),
        **{kind: counts[kind] for kind in kinds},
    }


def _write_manifest(store: Lake, day: date, rows: list[dict[str, object]]) -> None:
    """One row a file. A file that was read before, unchanged, keeps the time at which it was first read."""
    before = {(row["source"], row["file"], row["sha256"]): row for row in store.read("manifest", day).to_pylist()}
    now = datetime.now(UTC)
    for row in rows:
        known = before.pop((row["source"], row["file"], row["sha256"]), None)
        row["read_at"] = known["read_at"] if known else now
    gone = {(row["source"], row["file"]) for row in rows}
    kept = [row for row in before.values() if (row["source"], row["file"]) not in gone]
    everything = sorted([*kept, *rows], key=lambda row: (str(row["source"]), str(row["file"])))
    store.write("manifest", day, lake.from_rows(everything, "manifest"))
