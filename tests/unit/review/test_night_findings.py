"""Calls of open incidents make a stratum; examples that flicker or regressed come into the queue with their answer."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.config import Config, load_config
from flows.lake import from_rows
from flows.review import Question
from flows.review.queue.day_queue import draw_queue

DAY = date(2026, 3, 10)
RUN = f"nightly-{DAY}"
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
RIGHT = Question("a", "right", "v1", "Is it right?", "judge-1")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """300 calls of one route, of which ten have the release 2."""
    path = tmp_path / "genchi.yaml"
    path.write_text("app: shop\nlake: lake\n", encoding="utf-8")
    config = load_config(path, {})
    rows = [
        {"call_id": f"c{n}", "route": "a", "started_at": AT, "status": "success", "input_text": "q",
         "output_text": "ok", "release": "2" if n < 10 else "1"}
        for n in range(300)
    ]  # fmt: skip
    config.open_lake().write("interactions", DAY, from_rows(rows, "interactions"))
    return config


def incident(number: int, cause_kind: str, cause: str | None, calls: list[str], **more: Any) -> dict[str, Any]:
    """A row of fct_incidents."""
    evidence = json.dumps({"example_call_ids": calls})
    row: dict[str, Any] = {"day": DAY, "incident_id": str(number), "severity": "warning", "state": "open"}
    row |= {"n_breaches": 1, "title": f"incident {number}", "cause_kind": cause_kind, "cause": cause}
    return row | {"evidence_json": evidence} | more


def marts(config: Config, incidents: list[dict[str, Any]], flips: list[dict[str, Any]]) -> None:
    """A warehouse with these incidents and flips."""
    columns = {
        "fct_incidents": "day date, incident_id text, severity text, state text, n_breaches bigint, title text,"
        " cause_kind text, cause text, evidence_json text",
        "fct_example_flips": "day date, run_id text, model text, route text, example_id text, criterion text,"
        " criterion_version text, arm text, state text, changed_from text, flip text, answer text, failing_reason text",
    }
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("create schema marts")
        for table, rows in (("fct_incidents", incidents), ("fct_example_flips", flips)):
            connection.execute(f"create table marts.{table} ({columns[table]})")
            for row in rows:
                names, marks = ", ".join(row), ", ".join("?" * len(row))
                connection.execute(f"insert into marts.{table} ({names}) values ({marks})", list(row.values()))


def flip(example: str, **more: Any) -> dict[str, Any]:
    """A row of fct_example_flips: an example that the pinned model answers rightly only sometimes."""
    row = {"day": DAY, "run_id": RUN, "model": "old", "route": "a", "example_id": example, "criterion": "right"}
    row |= {"criterion_version": "v1", "arm": "pinned", "state": "flaky", "answer": "no", "failing_reason": "it is no"}
    return row | more


def queue(config: Config) -> list[dict[str, Any]]:
    """The queue of the day, without what is for a second person."""
    rows = config.open_lake().read("review_queue", DAY).to_pylist()
    return [row for row in rows if not row["is_second"]]


def test_open_incidents_name_calls_by_their_ids_and_by_what_they_are_about(config: Config) -> None:
    marts(
        config,
        [
            incident(1, "unknown", None, ["c100", "c101"]),
            incident(2, "release", "2", []),
            incident(3, "release", "1", []),  # of most calls: it tells none of them apart
            incident(4, "unknown", None, ["c200"], state="recovered"),
            incident(5, "unknown", None, ["c201"], severity="info"),
        ],
        [],
    )
    draw_queue(config, DAY, [])
    sizes = {row["stratum"]: row["stratum_size"] for row in config.open_lake().read("review_strata", DAY).to_pylist()}
    assert sizes == {"incident:unjudged": 12, "plain:unjudged": 288}
    reasons = {row["subject_id"]: row["reason"] for row in queue(config) if row["draw"] == "targeted"}
    assert set(reasons.values()) <= {"of the open incident: incident 1", "of the open incident: incident 2"}
    assert len(reasons) >= 8


def test_flips_come_with_the_answer_of_the_night_and_without_a_probability(config: Config) -> None:
    marts(config, [], [flip("e1"), flip("e2", arm="candidate", model="new", flip="regressed"), flip("gone")])
    lake = config.open_lake()
    asked = {"set": "holdout", "route": "a", "input_text": "2 + 2?", "expected_text": "4"}
    examples = [asked | {"example_id": name} for name in ("e1", "e2")]
    lake.write("examples", DAY, from_rows(examples, "examples"))
    answers = [
        {"run_id": RUN, "model": model, "route": "a", "example_id": example, "repeat": repeat, "output_text": text}
        for model, example in (("old", "e1"), ("new", "e2"))
        for repeat, text in enumerate(("4", "no"))
    ]
    lake.write("completions", DAY, from_rows(answers, "completions"), RUN)
    draw_queue(config, DAY, [RIGHT])
    found = {row["subject_id"]: row for row in queue(config) if row["subject"] == "completion"}
    assert set(found) == {f"{RUN}/old/a/e1/1", f"{RUN}/new/a/e2/1"}
    row = found[f"{RUN}/old/a/e1/1"]
    assert (row["inclusion_probability"], row["stratum"], row["draw"]) == (None, None, "targeted")
    assert row["reason"] == "example e1 of the holdout: the answers to it pass right only sometimes"
    shown = json.loads(row["item_json"])
    assert (shown["answer"]["parts"][0]["text"], shown["expected"]) == ("no", "4")
    assert len(queue(config)) == 30
    lake.write("review_queue", DAY.replace(day=1), from_rows([row], "review_queue"))
    draw_queue(config, DAY, [RIGHT])
    again = {row["subject_id"] for row in queue(config) if row["subject"] == "completion"}
    assert again == {f"{RUN}/new/a/e2/1"}  # the other one was in a queue of this month


def test_a_night_without_marts_draws_from_the_rest_and_says_so(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    assert draw_queue(config, DAY, []).answers == 30
    assert "is drawn without what the night found" in caplog.text
