"""Several records that tell of one call under different ids: all but the newest get its key, and so are duplicates.

A format names what such records share (`one_call`, an id of the request) and what each was logged as (`logged_as`).
Two records of one type under one id are two calls: a request that was tried again, say.
"""

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_COLUMNS = ("one_call", "logged_as")


def with_shared_keys(rows: pa.Table) -> pa.Table:
    """The rows of a batch with the keys that they are to be known by; without the two columns they stay as they are."""
    if not set(_COLUMNS) <= set(rows.column_names):
        return rows
    shared, kinds = (rows.column(name).combine_chunks() for name in _COLUMNS)
    counted = pc.value_counts(shared)
    repeated = pc.is_in(shared, counted.field("values").filter(pc.greater(counted.field("counts"), 1)).drop_null())
    places = np.flatnonzero(repeated.to_numpy(zero_copy_only=False))
    if not len(places):
        return rows
    groups: dict[str, list[int]] = defaultdict(list)
    for place, of in zip(places.tolist(), shared.take(pa.array(places)).to_pylist(), strict=True):
        groups[of].append(place)
    keys = rows.column("key").to_numpy().copy()
    times = rows.column("started_at").cast(pa.int64()).fill_null(0).to_numpy()
    for of in groups.values():
        newest = max(of, key=lambda place: (times[place], place))
        for place in of:
            if kinds[place] != kinds[newest]:
                keys[place] = keys[newest]
    return rows.set_column(rows.column_names.index("key"), "key", pa.array(keys))
