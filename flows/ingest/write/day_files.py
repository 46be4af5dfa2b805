"""The files of a day: written as rows arrive, by this process or as parts by workers, and then merged or published."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.lake import SCHEMAS, Lake, StagedFile, Staging, batches_of

# Parts that are smaller on average become one file: a day with late rows in each of many parts has few of them.
_SMALL_ROWS = 1 << 13
_DISTINCT = {"call_id", "trace_id", "messages_json", "input_text", "output_text", "output_json"}
_PART = re.compile(r"data_\d+")


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

    Where no old row stays, a file of which no row is lost is published as it is: several of them are files of the day.
    """
    sizes = [part.entry.rows for part in parts]
    ends = np.cumsum([0, *sizes, len(new_lost) - sum(sizes)]).tolist()
    lost = [new_lost[begin:end] for begin, end in pairwise(ends)]
    kept = [number for number, mask in enumerate(lost) if not mask.all()]
    if not kept and not old_lost.any():
        return

    def arrived(number: int) -> Iterator[pa.Table]:
        return staged.batches(parts[number]) if number < len(parts) else batches_of(own) if own else iter(())

    is_small = len(kept) > 1 and (~new_lost).sum() < _SMALL_ROWS * len(kept)
    if not kept or not old_lost.all() or is_small:
        with day_writer(staged.place(table, day), table) as writer:
            _copy(store.batches(table, day), ~old_lost, writer)
            for number in kept:
                _copy(arrived(number), ~lost[number], writer)
        kept = kept[:1]
    else:
        for place, number in enumerate(kept):
            file = f"data_{place:05d}" if place else "data"
            if lost[number].any():
                with day_writer(staged.place(table, day, file), table) as writer:
                    _copy(arrived(number), ~lost[number], writer)
            elif number < len(parts):
                staged.adopt(parts[number], table, day, file)
            elif own is not None:
                own.rename(staged.place(table, day, file))
    for name in store.names(table, day):
        if _PART.fullmatch(name) and int(name.removeprefix("data_")) >= len(kept):
            staged.remove(table, day, name)


def day_writer(path: Path, table: str) -> pq.ParquetWriter:
    """Writer options without dictionaries for columns with few repeated values: they cost time and save nothing."""
    repeating = [name for name in SCHEMAS[table].names if name not in _DISTINCT]
    return pq.ParquetWriter(path, SCHEMAS[table], compression="zstd", use_dictionary=repeating)


def _copy(rows: Iterator[pa.Table], chosen: np.ndarray, writer: pq.ParquetWriter) -> None:
    done = 0
    for part in rows:
        wanted = chosen[done : done + len(part)]
        done += len(part)
        if wanted.any():
            writer.write_table(part if wanted.all() else part.filter(pa.array(wanted)))
