"""Rejected records, complete, each with its reason."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from flows.ingest.read import REFUSED


def refused_of(records: pa.Table, rows: pa.Table) -> Iterator[pa.Table]:
    """Rejected records, one row per line; for a line with several records, only the rejected ones."""
    bad = rows.filter(pc.is_valid(rows.column("reason")))
    if not len(bad):
        return
    raws = dict(zip(places(records), range(len(records)), strict=True))
    whole = records.column("raw")
    found: dict[tuple[int, int], list[tuple[str, str | None]]] = {}
    units = bad.column("unit").to_pylist() if "unit" in bad.column_names else [None] * len(bad)
    for place, reason, unit in zip(places(bad), bad.column("reason").to_pylist(), units, strict=True):
        found.setdefault(place, []).append((reason, unit))
    rejects = []
    for (file, line), several in found.items():
        reason, unit = min(several, key=lambda one: (one[0], one[1] or ""))
        raw = whole[raws[file, line]].as_py().strip()
        if len(several) > 1:
            reason += f" (and {len(several) - 1} more in this line)"
            unit = f"[{','.join(sorted(text for _, text in several if text))}]" if unit is not None else None
        if not raw.startswith("{"):
            reason = unread(raw)
        rejects.append((file, line, reason, raw if unit is None else unit))
    yield pa.table(dict(zip(REFUSED.names, zip(*rejects, strict=True), strict=True)), schema=REFUSED)


def one_each(refused: pa.Table) -> pa.Table:
    """Refused records with one row per line: where a line has several rows, they become one with all their texts."""
    if len(refused) < 2 or pc.count_distinct(_keys(refused)).as_py() == len(refused):
        return refused
    found: dict[tuple[int, int], list[tuple[str, str]]] = {}
    columns = (refused.column(name).to_pylist() for name in ("reason", "raw"))
    for place, reason, raw in zip(places(refused), *columns, strict=True):
        found.setdefault(place, []).append((reason, raw))
    rows = [
        (*place, "; ".join(reason for reason, _ in several), _joined([raw for _, raw in several]))
        for place, several in found.items()
    ]
    return pa.table(dict(zip(REFUSED.names, zip(*rows, strict=True), strict=True)), schema=REFUSED)


def _keys(rows: pa.Table) -> pa.ChunkedArray:
    return pc.add(
        pc.multiply(pc.cast(rows.column("line"), pa.int64()), 1 << 20), pc.cast(rows.column("file"), pa.int64())
    )


def _joined(raws: list[str]) -> str:
    """Texts of JSON as one list; those that are lists already give their items."""
    if len(raws) == 1:
        return raws[0]
    return f"[{','.join(raw[1:-1] if raw.startswith('[') and raw.endswith(']') else raw for raw in raws)}]"


def places(rows: pa.Table) -> Iterator[tuple[int, int]]:
    """File and line of each row."""
    return zip(rows.column("file").to_pylist(), rows.column("line").to_pylist(), strict=True)


def refusing(records: pa.Table, reasons: list[str]) -> pa.Table:
    raw = pc.utf8_rtrim(records.column("raw"), "\r\n")
    columns = [records.column("file"), records.column("line"), pa.array(reasons, pa.string()), raw]
    return pa.table(columns, schema=REFUSED)


def complaint(raw: str) -> str:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return "not valid JSON"
    return "not valid JSON for DuckDB, although Python's parser accepts it"


def unread(raw: str) -> str:
    kinds = {"[": "array", '"': "text", "n": "null", "t": "boolean", "f": "boolean"}
    kind = kinds.get(raw.lstrip()[:1], "number")
    return "it contains no record of this format" if raw.lstrip()[:1] == "{" else f"a JSON {kind}, expected an object"
