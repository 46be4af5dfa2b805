"""Ids for calls that a log gives none: the hash of what is known of the call, so that the same record has the same id.

Two records that say the same, their time included, are one call.
"""

import hashlib
import json

import pyarrow as pa
import pyarrow.compute as pc

# Where a record stands says nothing about the call.
_PLACE = ("file", "line")


def with_ids(rows: pa.Table) -> pa.Table:
    """Rows of a format's SELECT, all texts, in which each interaction has a `call_id`."""
    lacking = pc.equal(pc.fill_null(rows.column("call_id"), ""), "")
    for name, value in (("target", "interaction"), ("problem", "")):
        if name in rows.column_names:
            lacking = pc.and_(lacking, pc.equal(pc.fill_null(rows.column(name), value), value))
    lacking = lacking.combine_chunks()
    if not lacking.true_count:
        return rows
    known = rows.filter(lacking).drop_columns([*_PLACE, "call_id"]).to_pylist()
    ids = [hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:32] for row in known]
    filled = pc.replace_with_mask(rows.column("call_id").combine_chunks(), lacking, pa.array(ids, pa.string()))
    return rows.set_column(rows.column_names.index("call_id"), "call_id", filled)
