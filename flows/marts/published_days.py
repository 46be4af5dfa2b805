"""Which days of which tables are published in the lake, and where: `<lake>/marts/<mart>/day=YYYY-MM-DD/data.parquet`.

`<lake>/marts/_published.json` has the columns of each table, and of each of its days the rows, bytes and hash. A table
without days is one file, `<lake>/marts/<mart>/data.parquet`. Each table with days has an empty file at 1970-01-01, so
that its columns are there without a row. Tables of other schemas that are read after a build lie in the same way
under the schema's name.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from flows.lake import Backend, CorruptError

NOTE = "marts/_published.json"
WHOLE = ""
"""The key of a table without days."""
NO_DAY = "1970-01-01"
LAKE_TABLES = frozenset({"intermediate.int_text_features", "intermediate.int_pair_features"})
"""Tables that a build writes to the lake itself; see days_in_lake.py."""
_NAME = re.compile(r"\w+/\w+/(?:day=\d{4}-\d\d-\d\d/)?(?:data|empty)\.parquet", re.ASCII)


@dataclass(frozen=True)
class Part:
    """One day of a table, or a whole one, as it was published. An empty `print` is one that is not known."""

    rows: int
    bytes: int
    print: str


@dataclass(frozen=True)
class PublishedTable:
    """A table's columns with their types in DuckDB's SQL, and its parts by day in ISO format."""

    columns: Mapping[str, str]
    parts: Mapping[str, Part] = field(default_factory=dict)
    is_uneven: bool = False
    """Whether some days were published when the table had other columns."""

    @property
    def is_whole(self) -> bool:
        """Whether it has no days."""
        return WHOLE in self.parts


def folder_of(table: str) -> str:
    """The folder in the lake of a table; `table` is `schema.table`."""
    return table.replace(".", "/")


def name_of(table: str, day: str) -> str:
    """The name in the lake of a part; `table` is `schema.table`."""
    folder = folder_of(table)
    return f"{folder}/data.parquet" if day == WHOLE else f"{folder}/day={day}/data.parquet"


def empty_name(table: str) -> str:
    """The name of the file that has no rows."""
    return f"{folder_of(table)}/day={NO_DAY}/empty.parquet"


def day_in(name: str) -> str:
    """The day in the name of a part, in ISO format."""
    return name.split("/")[-2].removeprefix("day=")


def table_in(name: str) -> str:
    """The table in the name of a part, as `schema.table`."""
    return ".".join(name.split("/")[:2])


def is_name(name: str) -> bool:
    """Whether a name in the lake is that of a part, or of a file without rows."""
    return bool(_NAME.fullmatch(name))


def read_published(backend: Backend) -> dict[str, PublishedTable]:
    """What is published, by `schema.table`; empty where nothing is. Raises CorruptError for a note that is none."""
    written = backend.read_text(NOTE)
    try:
        found = json.loads(written or "{}")
        return {
            table: PublishedTable(
                dict(known["columns"]),
                {day: Part(*part) for day, part in known["parts"].items()},
                bool(known["is_uneven"]),
            )
            for table, known in found.items()
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        raise CorruptError(
            f"{backend.place(NOTE)}: not a readable list of what is published; delete it: the next night, or"
            " `genchi transform`, publishes the marts anew"
        ) from None


def write_published(backend: Backend, tables: Mapping[str, PublishedTable]) -> None:
    """Replace the note."""
    text = json.dumps(
        {
            name: {
                "columns": dict(table.columns),
                "parts": {day: [part.rows, part.bytes, part.print] for day, part in sorted(table.parts.items())},
                "is_uneven": table.is_uneven,
            }
            for name, table in sorted(tables.items())
        },
        separators=(",", ":"),
    )
    backend.write_text(NOTE, text)


def days_of(table: PublishedTable) -> list[date]:
    """Its days, oldest first."""
    return sorted(date.fromisoformat(day) for day in table.parts if day != WHOLE)


def quoted(name: str) -> str:
    """The name of a column or table in SQL."""
    return '"' + name.replace('"', '""') + '"'
