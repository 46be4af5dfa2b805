"""Brings exported tables in line with what is published in the lake: only days that have changed are written.

What was written is noted in the lake, with the version that each table had then. A table that has another version by
now, because somebody else wrote it or a run was killed, is written again as a whole.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flows.config import Config
from flows.export.delta_tables import DeltaTables
from flows.export.iceberg_tables import IcebergTables
from flows.export.parquet_tables import ParquetTables
from flows.export.published_rows import marts_of, read_days
from flows.export.table_format import TableFormat
from flows.lake import Lake, Note
from flows.marts import WHOLE, PublishedTable, read_published
from flows.words import counted

_NOTE = "marts/_exported.json"


@dataclass(frozen=True)
class Exported:
    """The days that were written, and of how many tables; `place` is where."""

    days: int
    tables: int
    place: str

    def summary(self) -> str:
        """In words, for a line."""
        return f"{counted(self.days, 'day')} of {counted(self.tables, 'table')} written to {self.place}"


def export_tables(config: Config) -> Exported:
    """Write what has changed since the last export to the tables of `export`. The caller is a run.

    Each table's days change in one commit. A table that is published no more is left without rows. Raises RunError
    where they cannot be written, or another writer is in the way.
    """
    assert config.export is not None
    lake, found = config.open_lake(), _format(config)
    place = f"{config.export.format}:{config.export.path}"
    published, noted = marts_of(read_published(lake.backend)), _Noted(lake, place)
    days = tables = 0
    try:
        for name, mart in published.items():
            written = _bring_up(lake, found, name, mart, noted)
            days, tables = days + written, tables + bool(written)
        for name in sorted(set(noted.tables) - set(published)):
            if noted.tables[name]["prints"]:
                version = found.replace(name, found.rows(name).schema.empty_table(), None)
                noted.tables[name] |= {"version": version, "prints": {}}
    finally:
        noted.write()
    return Exported(days, tables, str(config.export.path))


def purge_tables(config: Config) -> None:
    """Delete every version of the exported tables but the newest, after rows were taken out of them."""
    lake, found = config.open_lake(), _format(config)
    assert config.export is not None
    noted = _Noted(lake, f"{config.export.format}:{config.export.path}")
    try:
        for name in noted.tables:
            found.purge(name)
            noted.tables[name]["version"] = found.version(name)
    finally:
        noted.write()


def rewrite_tables(config: Config, names: Sequence[str]) -> None:
    """Write these tables as a whole, and the others where something has changed."""
    assert config.export is not None
    noted = _Noted(config.open_lake(), f"{config.export.format}:{config.export.path}")
    for name in names:
        noted.tables.get(name, {})["version"] = None
    noted.write()
    export_tables(config)


def rows_of_tables(config: Config) -> Iterator[tuple[str, pa.Table]]:
    """The rows of every exported table, as other readers see them."""
    if config.export is not None:
        found = _format(config)
        for name in sorted(marts_of(read_published(config.open_lake().backend))):
            yield name, found.rows(name)


def _bring_up(lake: Lake, found: TableFormat, name: str, mart: PublishedTable, noted: "_Noted") -> int:
    """Write the days of one mart that have changed; returns how many."""
    known = noted.tables.get(name, {})
    prints = {day: part.print for day, part in mart.parts.items()}
    columns = dict(mart.columns)
    before: Mapping[str, str] = known.get("prints", {})
    is_known = known.get("columns") == columns and known.get("version") == found.version(name)
    changed = sorted(day for day in prints.keys() | before.keys() if prints.get(day) != before.get(day))
    if is_known and not changed:
        return 0
    is_whole = mart.is_whole or WHOLE in before or not is_known
    days = sorted(prints) if is_whole else [day for day in changed if day in prints]
    rows = read_days(lake.backend, name, days)
    version = found.replace(name, rows, None if is_whole else changed)
    noted.tables[name] = {"version": version, "columns": columns, "prints": prints}
    return len(days if is_whole else changed)


def _format(config: Config) -> TableFormat:
    assert config.export is not None
    path, storage = config.export.path, config.storage
    if config.export.format == "delta":
        return DeltaTables(path, storage)
    if config.export.format == "iceberg":
        return IcebergTables(path, storage, config.export.catalog, config.state)
    return ParquetTables(path, storage)


class _Noted:
    """What was exported to one place: of each table its version, columns, and hashes by day."""

    def __init__(self, lake: Lake, place: str) -> None:
        self._note, self._place = Note(lake.backend, _NOTE), place
        try:
            found = json.loads(self._note.read() or "{}")
            is_ours = isinstance(found, dict) and found.get("place") == place
            self.tables: dict[str, dict[str, Any]] = dict(found["tables"]) if is_ours else {}
        except (ValueError, LookupError, TypeError):
            self.tables = {}

    def write(self) -> None:
        """Replace the note."""
        self._note.write(json.dumps({"place": self._place, "tables": self.tables}, separators=(",", ":")))
