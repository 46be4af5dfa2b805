"""Eleven things that happen to people on call: each is one incident, with its cause in the title."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.transform.build import build
from flows.warehouse import query

pytestmark = pytest.mark.long  # builds a warehouse

LAST = date(2026, 3, 27)  # a Friday
DAYS = [LAST - timedelta(days=n) for n in range(24, -1, -1)]
CALLS = 150
ENGLISH = "the order was sent last week and has not arrived yet please tell me where it is now thanks"
GERMAN = "die bestellung wurde letzte woche verschickt und ist noch nicht da bitte sagen sie mir wo sie ist danke"
DRILLS = {
    "prompted": ("prompt_version", "New prompt version v2 changed prompted: outputs that are a JSON object fell"),
    "reshaped": (
        "prompt_version",
        "The prompt on reshaped seems to have changed: outputs with the field headline",
    ),
    "foreign": ("language", "Inputs on foreign turned from English to German: 0 % before, "),
    "slow": ("latency", "Latency per call 2."),
    "dear": ("cost", " times as high on dear"),
    "down": ("outage", "of 1"),
    "silent": ("volume", "0 calls, about 1"),
    "asked": ("topic", 'People ask about other things on asked: new topic "gift, card" rose from 0 % to '),
    "swapped": ("model_under_name", "Another model seems to answer as m: outputs "),
    "judged": ("unknown", "Outputs that pass criterion cites fell from 9"),
    "crowded": ("user", "User heavy sends 6"),
    "quiet": (None, ""),
}


def text(rng: np.random.Generator, mean: float, words: str) -> str:
    """A sentence of some words, whose number varies from text to text."""
    n = max(3, round(rng.lognormal(np.log(mean), 0.3)))
    return " ".join(rng.choice(words.split(), n)).capitalize() + "."


def call(day: date, route: str, n: int, rng: np.random.Generator) -> dict[str, Any]:
    """One call; what is drilled happens on the last day."""
    on = {name: day == LAST and name == route for name in DRILLS}
    is_new = on["prompted"] and rng.random() < 0.4
    answer = text(rng, 26 if on["swapped"] else 20, ENGLISH)
    if route == "prompted":
        answer = f'["{answer}"]' if is_new else f'{{"answer": "{answer}"}}'
    elif route == "reshaped":
        label = str(rng.choice(["order", "refund", "other"]))
        answer = json.dumps({"headline" if on["reshaped"] else "title": answer, "label": label})
    elif on["swapped"] and rng.random() < 0.5:
        answer = f"**Answer**\n\n- {answer}"
    failed = on["down"] and rng.random() < 0.6
    is_heavy = on["crowded"] and n >= CALLS
    said = text(rng, 40 if is_heavy else 15, GERMAN if on["foreign"] and rng.random() < 0.4 else ENGLISH)
    return {
        "call_id": f"{day}-{route}-{n}",
        "user_key": "heavy" if is_heavy else f"u{rng.integers(100)}",
        "route": route,
        "prompt_version": "v2" if is_new else "v1",
        "model_served": "m",
        "release": "1",
        "input_text": said,
        "output_text": None if failed else answer,
        "started_at": datetime(day.year, day.month, day.day, 2 + n % 4 if failed else 12, n % 60, tzinfo=UTC),
        "latency_ms": float(rng.lognormal(np.log(2000.0 if on["slow"] else 900.0), 0.2)),
        "cost_usd": float(rng.lognormal(np.log(0.01 if on["dear"] else 0.002), 0.1)),
        "input_tokens": 40,
        "output_tokens": 30,
        "status": "failure" if failed else "success",
        "error_type": "RateLimitError" if failed else None,
        "error_message": "Slow down." if failed else None,
    }


def write_day(lake: Lake, day: date) -> None:
    """The calls of all routes, their topics, and what criteria say of one route."""
    rng = np.random.default_rng(day.toordinal())
    times = {"silent": 0, "crowded": 3} if day == LAST else {}
    counts = {name: times.get(name, 1) * (CALLS + int(rng.integers(-8, 9))) for name in DRILLS}
    calls = [call(day, name, n, rng) for name, count in counts.items() for n in range(count)]
    topics = [
        {"call_id": row["call_id"], "side": "input", "origin": "production", "route": "asked", "topic_version": "v",
         "topic_id": f"v-0{3 if day == LAST and rng.random() < 0.12 else rng.integers(1, 3)}", "distance": 0.1,
         "is_novel": False}
        for row in calls if row["route"] == "asked"
    ]  # fmt: skip
    scores = [
        {"subject": "interaction", "subject_id": row["call_id"], "criterion": "cites", "route": "judged", "model": "m",
         "criterion_version": "v1", "passed": passed, "score": float(passed), "inclusion_probability": 1.0}
        for row in calls if row["route"] == "judged"
        for passed in [bool(rng.random() < (0.5 if day == LAST else 0.96))]
    ]  # fmt: skip
    lake.write("interactions", day, from_rows(calls, "interactions"))
    lake.write("topics", day, from_rows(topics, "topics"))
    lake.write("scores", day, from_rows(scores, "scores"), f"production-{day}")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Twenty-five days of twelve routes, built in one go."""
    root = tmp_path_factory.mktemp("drills")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    lake = Lake(config.lake)
    for day in DAYS:
        write_day(lake, day)
    labels = {"v-01": "orders", "v-02": "refunds", "v-03": "gift, card"}
    catalog = [
        {"route": "asked", "side": "input", "topic_id": topic, "topic_version": "v", "label": label,
         "first_day": LAST if topic == "v-03" else DAYS[0]}
        for topic, label in labels.items()
    ]  # fmt: skip
    pasts = [
        {"route": "asked", "topic_id": "v-03", "past_day": day, "total": 0.0, "cluster_squares": 0.0,
         "cluster_cross": 0.0}
        for day in DAYS[:-1]
    ]  # fmt: skip
    lake.write("topic_catalog", LAST, from_rows(catalog, "topic_catalog"))
    lake.write("topic_pasts", LAST, from_rows(pasts, "topic_pasts"))
    build(config, DAYS[0], LAST)
    return config


@pytest.mark.parametrize("route", DRILLS)
def test_a_drill_is_one_incident_with_its_cause_in_the_title(config: Config, route: str) -> None:
    kind, title = DRILLS[route]
    found = query(
        config.warehouse,
        "select * from marts.fct_incidents where list_contains(routes, ?) and day = ? and state <> 'recovered'",
        [route, LAST],
    )
    told = [(row["cause_kind"], row["title"], row["state"]) for row in found]
    if kind is None:
        assert told == []
        return
    assert len(told) == 1, told
    assert told[0][0] == kind, told
    assert title in told[0][1]
    assert route in told[0][1]
    assert told[0][2] == "open"


def test_every_breach_of_the_night_has_its_incident(config: Config) -> None:
    rows = query(
        config.warehouse,
        "select breaches.subject from marts.fct_breaches as breaches"
        " left join marts.fct_incidents as incidents using (day, incident_id) where incidents.title is null",
    )
    assert rows == []
