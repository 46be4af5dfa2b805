"""What a run has written to the lake since it was last asked: for the record of a night's stages."""

from dataclasses import dataclass
from datetime import date

from flows.lake.inventory import Inventory
from flows.lake.lake import Lake


@dataclass(frozen=True)
class WrittenFile:
    """A file of a table's day as it was published; `file` is its name in the partition."""

    table: str
    day: date
    file: str
    bytes: int
    rows: int


def take_written(lake: Lake) -> list[WrittenFile]:
    """The files that this process has written to a lake since the last call."""
    found = []
    for name, entry in Inventory(lake.backend).take_written().items():
        table, day, file = name.split("/")
        of_day = date.fromisoformat(day.removeprefix("day="))
        found.append(WrittenFile(table, of_day, file.removesuffix(".parquet"), entry.bytes, entry.rows))
    return found
