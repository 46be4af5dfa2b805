"""Breaches and nights to test the rules of incidents with."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flows.incidents import Given, incident_table

FIRST = date(2026, 3, 1)
"""A Sunday; breaches begin two weeks later."""
EVENT = FIRST + timedelta(days=14)
FEATURES = [
    {"feature": "characters", "kind": "number", "grid": "log", "description": "characters"},
    {"feature": "words", "kind": "number", "grid": "log", "description": "words"},
    {"feature": "line_breaks", "kind": "number", "grid": "log", "description": "line breaks"},
    {"feature": "latency_ms", "kind": "number", "grid": "log", "description": "latency"},
    {"feature": "cost_usd", "kind": "number", "grid": "log", "description": "cost"},
    {"feature": "code_fence", "kind": "share", "grid": "flag", "description": "with a code fence"},
    {"feature": "json_valid", "kind": "share", "grid": "flag", "description": "that are valid JSON"},
    {"feature": "repeated", "kind": "share", "grid": "flag", "description": "that repeat another output"},
    {"feature": "failed", "kind": "share", "grid": "flag", "description": "that failed"},
    {"feature": "script_han", "kind": "share", "grid": "flag", "description": "mostly in Chinese or Japanese script"},
    {"feature": "script_latin", "kind": "share", "grid": "flag", "description": "mostly in Latin script"},
    {"feature": "model:", "kind": "share", "grid": "flag", "description": "answered by"},
    {"feature": "prompt:", "kind": "share", "grid": "flag", "description": "with prompt version"},
    {"feature": "criterion:", "kind": "share", "grid": "flag", "description": "that pass criterion"},
    {"feature": "language:", "kind": "share", "grid": "flag", "description": "in the language"},
    {"feature": "field:", "kind": "share", "grid": "flag", "description": "with the field"},
    {"feature": "field_type:", "kind": "share", "grid": "flag", "description": "with a field of the type"},
    {"feature": "field_length:", "kind": "number", "grid": "log", "description": "length of field"},
    {"feature": "field_number:", "kind": "number", "grid": "signed", "description": "value of field"},
    {"feature": "field_size:", "kind": "number", "grid": "log", "description": "number of elements of field"},
]


def breach(
    day: date, side: str, feature: str, before: float, now: float, *, route: str = "r", kind: str = "drift", **more: Any
) -> dict[str, Any]:
    """One row of int_breaches. `more` are columns, or else parts of its evidence."""
    columns = {
        "severity": "warning",
        "need": "usefulness",
        "about": "traffic",
        "rank": 2,
        "is_start": True,
        "summary": f"On route {route}, {feature} changed.",
        "mute": None,
    }
    evidence = {
        "route": route,
        "side": side,
        "feature": feature,
        "value_reference": before,
        "value_current": now,
        "p_value": 1e-6,
        "example_call_ids": [f"{feature}-{day}"],
    } | {name: value for name, value in more.items() if name not in columns}
    return {
        "day": day,
        "kind": kind,
        "subject": f"{route}/{side}/{feature}",
        **{name: more.get(name, value) for name, value in columns.items()},
        "evidence_json": json.dumps(evidence),
    }


def series(
    side: str, feature: str, of_days: Mapping[int, float], *, route: str = "r", usual: float, n_days: int = 60
) -> list[dict[str, Any]]:
    """The values of a series: the usual one, but on the days that are given, counted from EVENT."""
    return [
        {
            "day": FIRST + timedelta(days=n),
            "route": route,
            "side": side,
            "feature": feature,
            "value": of_days.get(n - 14, usual),
        }
        for n in range(n_days)
    ]


def since(day: int, value: float, until: int = 60) -> dict[int, float]:
    """A level that lasts, for `series`."""
    return dict.fromkeys(range(day, until), value)


def usage(
    *, routes: Iterable[str] = ("r",), model: str = "m", n_days: int = 60, without: Iterable[int] = ()
) -> list[dict[str, Any]]:
    """A hundred calls a night of each route by one model, but on the days `without`, counted from EVENT."""
    silent = set(without)
    return [
        {"day": FIRST + timedelta(days=n), "route": route, "model_served": model, "calls": 100}
        for route in routes
        for n in range(n_days)
        if n - 14 not in silent
    ]


def incidents(
    breaches: Iterable[Mapping[str, Any]], values: Iterable[Mapping[str, Any]] = (), **given: Any
) -> list[dict[str, Any]]:
    """The rows of the incidents themselves, with their evidence as a dict; `given` is as for `all_rows`."""
    return [row for row in all_rows(breaches, values, **given) if row["subject"] is None]


def all_rows(
    breaches: Iterable[Mapping[str, Any]],
    values: Iterable[Mapping[str, Any]] = (),
    *,
    nights: Iterable[Mapping[str, Any]] | None = None,
    evaluated: Iterable[date] = (),
    canned: Iterable[Mapping[str, Any]] = (),
    failing: Iterable[Mapping[str, Any]] = (),
    users: Iterable[Mapping[str, Any]] = (),
    may_quote: bool = True,
) -> list[dict[str, Any]]:
    """The rows of incidents and breaches."""
    given = Given.read(
        breaches=breaches,
        usage=usage() if nights is None else nights,
        values=values,
        evaluated=({"day": day} for day in evaluated),
        canned=canned,
        failing=failing,
        features=FEATURES,
        users=users,
        window_days=28,
        may_quote=may_quote,
    )
    rows: list[dict[str, Any]] = incident_table(given).to_pylist()
    return [row | {"evidence": json.loads(row["evidence_json"] or "{}")} for row in rows]


def told(rows: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """The day, counted from EVENT, and the state of each row."""
    return [((row["day"] - EVENT).days, row["state"]) for row in rows]


def on_day(n: int) -> date:
    """The n-th day from EVENT on."""
    return EVENT + timedelta(days=n)


def at(day: date, hour: int) -> datetime:
    """A full hour of a day."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def logged(value: float) -> float:
    """A count as series add it up."""
    return math.log1p(value)
