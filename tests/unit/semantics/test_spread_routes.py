"""Semantics as tasks, in a cluster of this process: every table is that of one process."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.config import Config, load_config
from flows.lake import from_rows
from flows.semantics import embedding, run, spread_routes
from tests.clusters import local_dask

FIRST = date(2026, 3, 2)
DAYS = [FIRST + timedelta(days=number) for number in range(9)]
TABLES = ("embeddings", "topics", "topic_catalog", "topic_tests", "topic_pasts")
KINDS = [
    "please refund the {} that I returned to the shop",
    "where is the parcel with my {}, it is late",
    "I forgot my password and cannot see my {}",
]
THINGS = ["shoes", "coat", "lamp", "phone", "table", "book", "radio", "bike", "tent", "chair", "kettle", "watch"]


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a scheduler with one worker of two threads."""
    with local_dask(workers=1, threads=2) as found:
        yield found


def workspace(folder: Path, name: str, more: str = "") -> Config:
    path = folder / f"{name}.yaml"
    path.write_text(f"app: desk\nlake: lakes/{name}\nwindow_days: 7\n{more}")
    config = load_config(path)
    for day in DAYS:
        config.open_lake().write("interactions", day, from_rows(calls(day), "interactions"))
    examples = [
        {"set": "holdout", "route": "desk", "example_id": "h", "input_text": "please refund the lamp"},
        {"set": "dev", "route": None, "example_id": "d", "input_text": "where is the parcel"},
    ]
    config.open_lake().write("examples", DAYS[-1], from_rows(examples, "examples"))
    return config


def calls(day: date) -> list[dict[str, Any]]:
    """Calls of three routes, one of which is gone on the last days; on the last day a new subject."""
    rng, rows = np.random.default_rng(day.toordinal()), []
    for route, count in (("desk", 70), ("sales", 50), ("old", 40 if day < DAYS[6] else 0)):
        for number in range(count):
            text = f"{KINDS[rng.integers(3)].format(rng.choice(THINGS))} {number % 20}"
            if day == DAYS[-1] and route == "desk" and number < 15:
                text = f"my {rng.choice(THINGS)} is smoking and caught fire {number}"
            rows.append(
                {"call_id": f"{route}-{day}-{number}", "user_key": f"u{number % 30}", "route": route,
                 "input_text": text, "output_text": f"An answer to: {text}", "status": "success"}
            )  # fmt: skip
    return rows


def tables(config: Config) -> dict[tuple[str, date], Any]:
    lake = config.open_lake()
    return {(table, day): lake.read(table, day) for table in TABLES for day in lake.days(table)}


def test_every_table_is_that_of_one_process(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread_routes, "_TEXTS_A_TASK", 40)
    alone = workspace(tmp_path, "alone")
    spread = workspace(tmp_path, "spread", f"engine: {{tasks: dask, address: '{address}'}}\n")
    for config in (alone, spread):
        config.open_lake().create()
    for first, last in ((DAYS[5], DAYS[5]), (DAYS[6], DAYS[7]), (DAYS[8], DAYS[8])):
        one, other = (run.run_semantics(config, first, last) for config in (alone, spread))
        assert one.topics == other.topics
        assert (one.embedded.texts, one.embedded.new) == (other.embedded.texts, other.embedded.new)
        assert one.topics.topics > 3
    ours, theirs = tables(alone), tables(spread)
    assert ours.keys() == theirs.keys()
    assert {table for table, _ in ours} == set(TABLES)
    for of, rows in ours.items():
        assert rows.equals(theirs[of]), of
    assert sum(row["topic_id"] is not None for row in ours["topic_tests", DAYS[8]].to_pylist()) == 1
    assert {row["route"] for row in ours["topic_catalog", DAYS[8]].to_pylist()} == {"desk", "sales", "old"}


def test_a_model_of_the_workspace_stays_in_the_process_that_runs(tmp_path: Path, address: str) -> None:
    class Own(embedding.Packaged):
        asked = 0

        def embed(self, texts: Sequence[str]) -> np.ndarray:
            self.asked += len(texts)
            return super().embed(texts)

    config = workspace(tmp_path, "own", f"engine: {{tasks: dask, address: '{address}'}}\n")
    own = Own("mine")
    done = run.embed_days(config, FIRST, FIRST, own)
    assert own.asked == done.new > 0
