"""The file and line of each row of a table, as numbers: which records have no row, and which order rows have."""

import numpy as np
import pyarrow as pa


def without_row(records: pa.Table, rows: pa.Table) -> list[int]:
    """The positions of records without a row in the result of the SELECT."""
    if len(records) == len(rows) and records.column("line").equals(rows.column("line")):
        return []
    found = _numbers(rows)
    return np.flatnonzero(~np.isin(_numbers(records), found)).tolist()


def are_known(rows: pa.Table, records: pa.Table) -> bool:
    """Whether every row has the position of a record."""
    found, given = _numbers(rows), _numbers(records)
    return np.array_equal(found, given) or bool(np.isin(found, given).all())


def in_order(rows: pa.Table) -> pa.Table:
    """In the order of the files, because joins may change it: the same input gives the same lake."""
    numbers = _numbers(rows)
    return rows if (np.diff(numbers) >= 0).all() else rows.take(np.argsort(numbers, kind="stable"))


def _numbers(rows: pa.Table) -> np.ndarray:
    """One number for each place: a file has fewer than 2**40 lines, a run fewer than 2**23 files."""
    files, lines = (rows.column(name).to_numpy().astype(np.int64) for name in ("file", "line"))
    numbers: np.ndarray = (files << 40) + lines
    return numbers
