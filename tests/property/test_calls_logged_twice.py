"""Records of one call are one row, whatever batch, file and night each of them comes in."""

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.ingest.map import key_of
from flows.ingest.map.mapper import PLACE, SHARED
from flows.ingest.read import LogFile
from flows.ingest.write.lanes import Lanes
from flows.ingest.write.partitions import Partitions
from flows.lake.lake import SCHEMAS, Lake

START = datetime(2026, 3, 1, 23, 59, 0, tzinfo=UTC)
TYPES = ("acompletion", "aresponses", "anthropic_messages")
# A record: its group, when it begins and how long it takes (seconds), its parent (a record's number), has it a text,
# and the type under which a gateway logged it (None: it is a span).
RECORDS = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 120), st.integers(0, 60), st.none() | st.integers(0, 5), st.booleans(),
        st.none() | st.sampled_from(TYPES),
    ),
    min_size=2, max_size=6,
)  # fmt: skip
Record = tuple[int, int, int, int | None, bool, str | None]


def table(records: dict[int, Record], file: int) -> pa.Table:
    """Mapped calls, as they come out of a batch of one file."""
    rows: list[dict[str, Any]] = [
        {
            "call_id": f"c{number}", "started_at": START + timedelta(seconds=begin), "latency_ms": seconds * 1000.0,
            "input_text": "hi" if has_text else None, "source": "s", "file": file, "line": number,
            "one_call": f"{'span' if logged_as is None else 'request'} {group}", "logged_as": logged_as,
            "parent_id": None if parent is None else f"c{parent}",
        }
        for number, (group, begin, seconds, parent, has_text, logged_as) in records.items()
    ]  # fmt: skip
    fields = {field.name: field.type for field in SCHEMAS["interactions"]}
    fields |= {"file": pa.int32(), "line": pa.int64(), "updated_at": pa.timestamp("us", "UTC")}
    fields |= dict.fromkeys(SHARED, pa.string())
    made = pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in fields.items()})
    keys = duckdb.sql(f"select {key_of('interactions')} as key from made").to_arrow_table().column("key")
    assert set(PLACE) <= {*made.column_names, "key"}
    return made.append_column("key", keys)


def landed(records: list[Record], nights: list[list[list[list[int]]]]) -> tuple[set[str], int]:
    """The calls in the lake after nights that read files of batches of records, and how many were counted as added."""
    with tempfile.TemporaryDirectory() as name:
        store = Lake(Path(name))
        count = 0
        for night, files in enumerate(nights):
            known = [LogFile("s", f"{night}-{number}") for number in range(len(files))]
            with store.lock("test"), store.staging() as staged, Lanes(2) as lanes:
                calls = Partitions("interactions", "UTC", staged, known, lanes)
                for number, batches in enumerate(files):
                    for batch in batches:
                        calls.add(table({one: records[one] for one in batch}, number))
                counts = calls.finish(store, len(known))
                count += int(counts.kept.sum()) - counts.taken_back.total()
        days = [date(2026, 3, day) for day in (1, 2)]
        return {one for day in days for one in store.read("interactions", day)["call_id"].to_pylist()}, count


@given(records=RECORDS, data=st.data())
@settings(max_examples=8, deadline=None)
def test_any_split_of_the_records_gives_the_same_table(records: list[Record], data: st.DataObject) -> None:
    numbers = list(range(len(records)))
    at_once, counted = landed(records, [[[numbers]]])
    assert counted == len(at_once) >= 1
    order = data.draw(st.permutations(numbers))
    places = [data.draw(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 1))) for _ in order]
    nights = [
        [[[one for one, place in zip(order, places, strict=True) if place == (night, file, batch)] for batch in (0, 1)]
         for file in (0, 1)]
        for night in range(3)
    ]  # fmt: skip
    again = data.draw(st.sampled_from([[], [[[order]]], [nights[0]]]))
    assert landed(records, [*nights, *again]) == (at_once, counted)
