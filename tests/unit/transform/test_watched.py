"""What people expect to be watched: a change of each kind is found the first night, with its words and its calls."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.transform.build import build
from flows.warehouse import query

pytestmark = pytest.mark.long  # builds a warehouse

LAST = date(2026, 3, 29)
DAYS = [LAST - timedelta(days=n) for n in range(12, -1, -1)]
CALLS = 150
TIMED_OUT = "Request timed out."
ENGLISH, GERMAN = (
    "Where is my parcel? It should have been here yesterday.",
    "Wo ist mein Paket? Es sollte gestern ankommen.",
)


def message(*tools: str) -> str:
    called = [{"id": "1", "type": "function", "function": {"name": tool, "arguments": "{}"}} for tool in tools]
    return json.dumps({"role": "assistant", "content": None, "tool_calls": called})


def results(has_failed: bool) -> str:
    """A request that brings the result of a tool."""
    result = {"role": "tool", "tool_call_id": "1", "content": "No.", **({"status": "error"} if has_failed else {})}
    return json.dumps([{"role": "user", "content": "Buy it."}, json.loads(message("buy")), result])


# What is otherwise on the last day, by route: the change of a call, given whether it is that day, and a random number.
CHANGES: dict[str, Callable[[bool, float], dict[str, Any]]] = {
    "layout": lambda is_last, u: {"input_text": f"Paper {u}:{' ' if is_last else chr(10)}An abstract.\nAnother one."},
    "canned": lambda is_last, u: {"output_text": TIMED_OUT} if u < (0.5 if is_last else 0.01) else {},
    "dear": lambda is_last, u: {"cost_usd": (5 if is_last else 1) * 2e-5 * (1 + u), "input_tokens": 100 + int(50 * u)},
    "wordy": lambda is_last, u: {"output_tokens": int((3 if is_last else 1) * (80 + 40 * u))},
    "down": lambda is_last, u: (
        {"status": "error", "error_type": "Timeout" if is_last else "RateLimitError", "output_text": None}
        if u < (0.4 if is_last else 0.03)
        else {}
    ),
    "agent": lambda is_last, u: {
        "output_json": message(
            *["search"] * (6 if is_last else 1),
            *(["buy"] if is_last and u < 0.4 else []),
            *(["read"] if u > 0.5 else []),
        )
    },
    "labels": lambda is_last, u: {
        "output_text": json.dumps({"category": "refund" if u < (0.6 if is_last else 0.3) else "order", "id": u})
    },
    "quiet": lambda is_last, u: {},
    "tools": lambda is_last, u: {"messages_json": results(u < (0.3 if is_last else 0.03))},
    "summaries": lambda is_last, u: {
        "output_text": json.dumps({"user": {"note": "a" * int((1.5 if is_last else 1) * (80 + 80 * u)), "id": u}})
    },
    "scores": lambda is_last, u: {"output_text": json.dumps({"score": u - (0.6 if is_last else 0.3), "by": "m"})},
    "lists": lambda is_last, u: {
        "output_text": json.dumps({"tags": ["a"] * (1 + int(6 * u) // (2 if is_last else 1))})
    },
    "types": lambda is_last, u: {
        "output_text": json.dumps({"price": f"{u:.2f} EUR" if is_last and u < 0.5 else round(u, 9)})
    },
    "foreign": lambda is_last, u: {"input_text": f"{GERMAN if u < (0.4 if is_last else 0.02) else ENGLISH} {u}"},
}


def calls(day: date) -> list[dict[str, Any]]:
    """Of each route some hundred calls of eighty users, all of them ordinary but on the last day."""
    rng = np.random.default_rng(day.toordinal())
    return [
        {
            "call_id": f"{day}-{route}-{n}",
            "user_key": f"u{rng.integers(80)}",
            "route": route,
            "prompt_version": "v1",
            "model_served": "m",
            "input_text": f"Where is order {rng.integers(10**6)}?",
            "output_text": f"Order {rng.integers(10**6)} is on its way.",
            "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            "status": "success",
            **change(day == LAST, float(rng.random())),
        }
        for route, change in CHANGES.items()
        for n in range(CALLS + int(rng.integers(-10, 10)))
    ]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Twelve days and the day of the changes, built in one go."""
    root = tmp_path_factory.mktemp("watched")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    lake = Lake(config.lake)
    for day in DAYS:
        lake.write("interactions", day, from_rows(calls(day), "interactions"))
    build(config, DAYS[0], LAST)
    return config


def breaches(config: Config, route: str) -> dict[str, dict[str, Any]]:
    """The route's breaches of the last day, by what follows its name in the subject."""
    sql = "select * from marts.fct_breaches where subject like ? and day = ?"
    rows = query(config.warehouse, sql, [f"{route}/%", LAST])
    return {row["subject"].removeprefix(f"{route}/"): row for row in rows}


@pytest.mark.parametrize(
    ("route", "subject", "words"),
    [
        ("layout", "input/line_breaks", "mean line breaks per input fell from 2.0 (previous 28 days) to 1.0 on"),
        ("canned", "output/repeated", "outputs with the same text as the answer to another input rose from "),
        ("dear", "pair/cost_usd", "mean cost per call rose from $0.000030 (previous 28 days) to $0.00015"),
        ("wordy", "pair/output_tokens", "mean output tokens per call rose from 9"),
        ("down", "pair/error:Timeout", "calls that failed with Timeout rose from 0.0 %"),
        ("agent", "pair/tool:buy", "calls that call the tool buy rose from 0.0 %"),
        ("labels", "output/field:category=refund", "outputs whose category is refund rose from "),
        ("labels", "output/field:category=order", "outputs whose category is order fell from "),
        ("agent", "pair/tool_calls", "mean tool calls per call rose from 1.5"),
        (
            "summaries",
            "output/field_length:user.note",
            "mean length of field user.note in outputs rose from 1",
        ),
        ("scores", "output/field_number:score", "mean value of field score in outputs fell from 0."),
        ("lists", "output/field_size:tags", "mean number of elements of field tags in outputs fell from 3."),
        ("types", "output/field_type:price=string", "outputs whose price is of the type string rose from 0.0 %"),
        ("types", "output/field_type:price=number", "outputs whose price is of the type number fell from 100.0 %"),
        ("tools", "pair/tool_failed", "calls whose tools had failed rose from "),
        ("foreign", "input/language:de", "inputs in the language de rose from "),
    ],
)
def test_a_change_is_a_breach_on_its_first_night(config: Config, route: str, subject: str, words: str) -> None:
    found = breaches(config, route)[subject]
    assert words in found["summary"]
    assert (found["kind"], found["nights"]) == ("drift", 1)
    shown = json.loads(found["evidence_json"])["example_call_ids"]
    assert len(shown) == 3
    assert all(call_id.startswith(f"{LAST}-{route}-") for call_id in shown)


def test_nothing_is_told_of_a_route_on_which_nothing_changed_nor_before_the_change(config: Config) -> None:
    assert breaches(config, "quiet") == {}
    assert query(config.warehouse, "select subject from marts.fct_breaches where day < ?", [LAST]) == []


def test_what_never_varied_takes_no_part_in_the_night_s_tests(config: Config) -> None:
    sql = (
        "select route, side, feature, p_value from intermediate.int_series_tests where day = ? and p_value is not null"
        " and (route, side, feature) in (select (route, side, feature) from intermediate.int_series_daily"
        " where dimension = '*' group by all having max(total / n) - min(total / n) < 1e-12 and"
        " max(total_squares / n - (total / n) ** 2) < 1e-12)"
    )
    assert query(config.warehouse, sql, [LAST]) == []


def test_the_classes_of_errors_of_a_route_are_zero_on_days_without_them(config: Config) -> None:
    rows = query(
        config.warehouse,
        "select day, total, n from intermediate.int_series_daily"
        " where route = 'down' and feature = 'error:Timeout' order by day",
    )
    assert [row["day"] for row in rows] == DAYS
    assert [row["total"] > 0 for row in rows] == [False] * 12 + [True]
    assert all(row["n"] >= CALLS - 10 for row in rows)
    names = query(config.warehouse, "select distinct feature from marts.fct_feature_skew_daily where feature like '%:'")
    assert names == []
