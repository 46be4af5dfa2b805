"""Nights over logs that arrive late, grow, and repeat themselves: whatever the order, the lake is what was written."""

import json
import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.config import load
from flows.ingest import landing
from flows.lake.lake import Lake

FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(4)]
# A line: a call (its number tells its day), a signal about one, an embedding, or no JSON.
LINES = st.one_of(
    st.integers(0, 11).map(lambda n: ("call", n)),
    st.integers(0, 3).map(lambda n: ("signal", n)),
    st.just(("broken", 0)),
)
WRITES = st.tuples(st.just("write"), st.integers(0, 3), st.sampled_from("ab"), st.lists(LINES, max_size=4))
NIGHTS = st.tuples(st.just("night"), st.integers(0, 3), st.just(""), st.just([]))


def line(kind: str, number: int) -> str:
    at = f"{FIRST + timedelta(days=number % 3)}T10:00:00Z"
    if kind == "call":
        return json.dumps({"call_id": f"c{number}", "started_at": at, "input_text": "hi"})
    if kind == "signal":
        return json.dumps({"call_id": f"c{number}", "kind": "thumb", "at": at, "value": 1})
    return '{"broken'


def lines_of(store: Lake, table: str) -> list[dict[str, object]]:
    return [row for day in store.days(table) for row in store.read(table, day).to_pylist()]


@given(steps=st.lists(WRITES | NIGHTS, min_size=1, max_size=8))
@settings(max_examples=12, deadline=None)
def test_the_lake_is_what_was_written_and_the_manifest_adds_up(
    steps: list[tuple[str, int, str, list[tuple[str, int]]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "logs").mkdir()
        source = "{name: s, format: genchi, path: 'logs/{day}-*.jsonl'}"
        (folder / "genchi.yaml").write_text(f"app: a\nlake: lake\nsources: [{source}]\n", encoding="utf-8")
        loaded = load.load_config(folder / "genchi.yaml")
        store = Lake(loaded.lake)
        written: set[tuple[str, int]] = set()
        for step, day, file, lines in [("night", 0, "", []), *steps, ("night", 3, "", [])]:
            if step == "write":
                with (folder / "logs" / f"{DAYS[day]}-{file}.jsonl").open("a", encoding="utf-8") as log:
                    log.writelines(f"{line(*item)}\n" for item in lines)
                written |= set(lines)
                continue
            landed = landing.land(loaded, DAYS[day])
            assert landed == landing.land(loaded, DAYS[day])
            manifest = lines_of(store, "manifest")
            for row in manifest:
                parts = ("interactions", "feedback", "duplicates", "other", "quarantined")
                assert row["records"] == sum(int(str(row[part])) for part in parts), row
                assert int(str(row["duplicates"])) >= 0
            for table in ("interactions", "feedback"):
                assert sum(int(str(row[table])) for row in manifest) == len(lines_of(store, table))
        calls = Counter(str(row["call_id"]) for row in lines_of(store, "interactions"))
        assert calls == Counter(f"c{number}" for kind, number in written if kind == "call")
        for day in store.days("interactions"):
            rows = store.read("interactions", day).to_pylist()
            assert {row["started_at"].date() for row in rows} <= {day}
        assert len(lines_of(store, "feedback")) == len({item for item in written if item[0] == "signal"})
        for night in DAYS:
            refused = Counter(row["file"] for row in store.read("quarantine", night).to_pylist())
            told = {row["file"]: row["quarantined"] for row in store.read("manifest", night).to_pylist()}
            assert refused == Counter(told)
