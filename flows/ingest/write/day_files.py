"""The files of a day: written as rows arrive, by this process or as parts by workers, and then merged or published."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.lake import SCHEMAS, Lake, StagedFile, Staging, batches_of

# Parts that are smaller on average become one file: a day with late rows in each of many parts has few of them.
_SMALL_ROWS = 1 << 13
_DISTINCT = {"call_id", "trace_id", "messages_json", "input_text", "output_text", "output_json"}
_DATA = "data"
_NAME = re.compile(rf"{_DATA}(?:_(\d+))?")


@dataclass(frozen=True)
class RecordsPart:
    """The records of a day's part that share an id with others; `numbers` as call_records.py has them."""

    file: StagedFile
    numbers: np.ndarray


@dataclass(frozen=True)
class Part:
    """Rows of one day, staged by a worker. The arrays have one number per row, in the order of the file."""

    day: date
    file: StagedFile
    keys: np.ndarray
    times: np.ndarray
    updated: np.ndarray
    files: np.ndarray
    records: RecordsPart | None


def stage_day(
    staged: Staging,
    store: Lake,
    table: str,
    day: date,
    *,
    parts: Sequence[StagedFile],
    own: Path | None,
    old_lost: np.ndarray,
    new_lost: np.ndarray,
) -> None:
    """Stage the files of a day from its remaining old rows and the new ones: those of `parts`, then those of `own`.

    Parts are published beside the old files, as they are where none of their rows is lost. Without parts, and where
    they are small, the day gets one file.
    """
    sizes = [part.entry.rows for part in parts]
    ends = np.cumsum([0, *sizes, len(new_lost) - sum(sizes)]).tolist()
    lost = [new_lost[begin:end] for begin, end in pairwise(ends)]
    kept = [number for number, mask in enumerate(lost) if not mask.all()]
    if not kept and not old_lost.any():
        return

    def arrived(number: int) -> Iterator[pa.Table]:
        rows = staged.batches(parts[number]) if number < len(parts) else batches_of(own) if own else iter(())
        return _chosen(rows, ~lost[number])

    count = int((~old_lost).sum() + (~new_lost).sum())
    is_gone, has_large = bool(old_lost.all()), count >= _SMALL_ROWS * (len(kept) + 1)
    names = {_number(name) for name in store.names(table, day)} - {None}
    if parts and kept and has_large:
        first = 0 if is_gone else 1 if old_lost.any() else 1 + max(number or 0 for number in names)
        if not is_gone and old_lost.any():
            _write(staged.place(table, day), table, _chosen(store.batches(table, day), ~old_lost))
    elif is_gone and len(kept) == 1 and not parts:
        first = 0
    else:
        rows = chain(_chosen(store.batches(table, day), ~old_lost), *(arrived(number) for number in kept))
        _write(staged.place(table, day), table, rows)
        first, kept = 1, []
    for place, number in enumerate(kept, first):
        file = f"{_DATA}_{place:05d}" if place else _DATA
        if lost[number].any():
            _write(staged.place(table, day, file), table, arrived(number))
        elif number < len(parts):
            staged.adopt(parts[number], table, day, file)
        elif own is not None:
            own.rename(staged.place(table, day, file))
    for name in store.names(table, day):
        if (_number(name) or 0) >= first + len(kept):
            staged.remove(table, day, name)


def _number(name: str) -> int | None:
    """Which of a day's files this is; None for one that has no rows of ingest."""
    found = _NAME.fullmatch(name)
    return int(found[1] or 0) if found else None


def day_writer(path: Path, table: str) -> pq.ParquetWriter:
    """Writer options without dictionaries for columns with few repeated values: they cost time and save nothing."""
    repeating = [name for name in SCHEMAS[table].names if name not in _DISTINCT]
    return pq.ParquetWriter(path, SCHEMAS[table], compression="zstd", use_dictionary=repeating)


def _write(path: Path, table: str, rows: Iterable[pa.Table]) -> None:
    with day_writer(path, table) as writer:
        for part in rows:
            writer.write_table(part)


def _chosen(rows: Iterator[pa.Table], chosen: np.ndarray) -> Iterator[pa.Table]:
    done = 0
    for part in rows:
        wanted = chosen[done : done + len(part)]
        done += len(part)
        if wanted.any():
            yield part if wanted.all() else part.filter(pa.array(wanted))
