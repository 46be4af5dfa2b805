"""A hand-made night for the page's tests: a warehouse with the marts' columns, and a lake beside it.

Thirty days of one support desk. On the last three days its JSON is broken on the route triage; one candidate is
worse on German questions; the pinned model once fell below its minimum.
"""

import json
import math
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from tests.unit.report import incidents, people, topics

DAY = date(2024, 5, 14)
DAYS = [DAY - timedelta(days=n) for n in range(29, -1, -1)]
HOSTILE = "<img src=x onerror=alert(1)>"
HOSTILE_CALL = '"><a href="http://evil.example">'

_KEYED = "day date, run_id text, pinned text, candidate text, route text, criterion text"
_COMPARED = (
    "severity text, delta double, ci_low double, ci_high double, p_value double, q_value double, margin double,"
    " minimum_detectable double, verdict text, n_regressed bigint, n_repaired bigint, n_examples bigint,"
    " n_unscored bigint, examples_enough bigint, repeats_enough bigint, n_unanswered bigint, ci_low_worst double,"
    " is_graded boolean, open_because text"
)
TABLES = {
    "fct_review_daily": "day date, route text, queued bigint, reviewed bigint, for_two bigint, reviewed_by_two bigint,"
    " annotators bigint, seconds_median double",
    "fct_reviewers_daily": "day date, route text, annotator text, annotator_kind text, reviewed bigint,"
    " seconds_median double, seconds_median_of_routes double, last_at timestamptz",
    "fct_usage_daily": "day date, route text, model_served text, calls bigint, errors bigint, input_tokens bigint,"
    " output_tokens bigint, cost_usd double, latency_p50_ms double, latency_p95_ms double, latency_p99_ms double",
    "fct_structure_daily": "day date, route text, model_served text, outputs bigint, json_valid bigint,"
    " schema_valid bigint, schema_checked bigint, refusals bigint, truncations bigint, empty bigint",
    "fct_model_frontier": "day date, run_id text, model text, route text, arm text, n_examples bigint,"
    " pass_rate double, ci_low double, ci_high double, cost_per_1k_calls double, latency_p50_ms double,"
    " latency_p95_ms double, is_dominated boolean, is_sufficient boolean, is_smallest_sufficient boolean,"
    " n_unanswered bigint, n_without_cost bigint",
    "fct_request_failures": "day date, run_id text, model text, route text, error_class text, is_own_failure boolean,"
    " n_answers bigint, n_examples bigint, error_message text",
    "fct_example_flips": "day date, run_id text, model text, arm text, route text, criterion text, example_id text,"
    " passes bigint, repeats bigint, state text, flip text, answer text, failing_reason text, pinned_answer text",
    "fct_pin_integrity_daily": "day date, model text, served_names text[], last_served_names text[],"
    " n_prompts bigint, p_value double, is_changed boolean",
    "fct_feature_skew_daily": "day date, route text, side text, feature text, reference text, model_served text,"
    " prompt_version text, value_reference double, value_current double, n_reference bigint, n_current bigint,"
    " psi double, js_distance double, ks double, wasserstein double, share_delta double, p_value double,"
    " q_value double, is_breach boolean",
    "fct_topic_drift_daily": "day date, route text, topic_id text, share_reference double, share_current double,"
    " p_value double, q_value double, status text, label text, example_call_ids text[]",
    "fct_holdout_freshness": "day date, route text, age_days bigint, topic_coverage double, uncovered_share double,"
    " skew_features bigint, is_stale boolean",
    "fct_eval_scores": "day date, run_id text, model text, route text, criterion text, n_examples bigint,"
    " n_repeats bigint, n_unscored bigint, pass_rate double, ci_low double, ci_high double, arm text, severity text,"
    " min_pass_rate double, mean_score double",
    "fct_model_comparisons": f"{_KEYED}, {_COMPARED}",
    "fct_slice_comparisons": f"{_KEYED}, slice text, {_COMPARED}",
    "fct_breaches": "day date, kind text, subject text, severity text, summary text, evidence_json text,"
    " first_seen date, nights bigint, incident_id text",
    "fct_incidents": incidents.TABLE,
    **people.TABLES,
}


def config(folder: Path) -> Config:
    """A workspace under `folder`, in which nothing has been written yet."""
    return Config(
        path=folder / "genchi.yaml",
        app="support-triage",
        lake=folder / "lake",
        warehouse=folder / "lake" / "warehouse.duckdb",
        reports=folder / "reports",
        evidently=True,
    )


def write_warehouse(path: Path, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Marts with the given rows. A table that `rows` does not name does not exist; a column not given is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        for table, found in rows.items():
            connection.execute(f"create table marts.{table} ({TABLES[table]})")
            if found:
                columns = list(dict.fromkeys(name for row in found for name in row))
                connection.register("found", pa.table({name: [row.get(name) for row in found] for name in columns}))
                connection.execute(f"insert into marts.{table} by name select * from found")


def night(folder: Path, with_features: bool = False) -> Config:
    """The whole synthetic night, on disk; `with_features`, Evidently has something to draw, which takes long."""
    found = config(folder)
    write_warehouse(found.warehouse, marts())
    if with_features:
        write_features(found.warehouse, DAYS[-8:])
    _write_lake(Lake(found.lake))
    return found


def marts() -> dict[str, list[dict[str, Any]]]:
    """The rows of every mart."""
    dice = random.Random(7)
    return {
        "fct_review_daily": [],
        "fct_reviewers_daily": [],
        "fct_usage_daily": [_usage(day, *pair, dice) for pair in _PAIRS for day in DAYS],
        "fct_structure_daily": [_structure(day, *pair, dice) for pair in _PAIRS for day in DAYS],
        "fct_feature_skew_daily": [
            *_feature("triage", "output", "json_is_object", 0.985, 0.61, 0.008, dice),
            *_feature("triage", "output", "characters", 212, 301, 6, dice),
            *_feature("reply", "input", "typos", 0.031, 0.058, 0.004, dice),
        ],
        "fct_topic_drift_daily": topics.rows(DAYS),
        "fct_holdout_freshness": [
            topics.freshness(DAY, "triage", 0.34, True),
            topics.freshness(DAY, "reply", 0.031, False),
        ],
        "fct_eval_scores": _scores(dice),
        "fct_model_comparisons": [
            comparison("sim/cheap", "triage", "correct", -0.012, 0.016, "insufficient"),
            comparison("sim/cheap", "triage", "valid_triage", 0.0, 0.006, "not_worse"),
            comparison("sim/cheap", "reply", "polite", 0.045, 0.021, "better"),
            comparison("sim/small", "triage", "correct", -0.094, 0.031, "worse"),
            comparison("sim/small", "triage", "valid_triage", -0.004, 0.011, "not_worse"),
            {**comparison("sim/small", "reply", "polite", 0.0, 0.0, "insufficient"), **_UNSCORED},
        ],
        "fct_model_frontier": [],
        "fct_request_failures": [],
        "fct_example_flips": [],
        "fct_pin_integrity_daily": [],
        "fct_slice_comparisons": [
            {**comparison("sim/cheap", "triage", "correct", -0.21, 0.09, "worse"), "slice": "language=de"},
            {**comparison("sim/cheap", "triage", "correct", 0.01, 0.02, "not_worse"), "slice": "language=en"},
            {**comparison("sim/small", "triage", "correct", -0.32, 0.1, "worse"), "slice": "language=de"},
        ],
        "fct_breaches": breaches(),
        "fct_incidents": incidents.rows(DAY, ["call-0017", HOSTILE_CALL, "call-0203"]),
        **people.rows(DAY),
    }


_PAIRS = [("triage", "gpt-4-0613", 820), ("reply", "gpt-4-0613", 310), ("reply", "gpt-4o-mini-2024-07-18", 74)]
_UNSCORED = {"delta": None, "ci_low": None, "ci_high": None, "q_value": None, "n_unscored": 300}


def comparison(  # noqa: PLR0917 - a row reads best in the order of its columns
    candidate: str, route: str, criterion: str, delta: float, half: float, verdict: str
) -> dict[str, Any]:
    """One row of fct_model_comparisons of the night, with a symmetric interval."""
    return {
        "day": DAY, "run_id": f"nightly-{DAY}", "pinned": "sim/pinned", "candidate": candidate, "route": route,
        "criterion": criterion, "severity": "critical", "delta": delta, "ci_low": delta - half,
        "ci_high": delta + half, "p_value": 0.01, "q_value": 0.02, "margin": 0.02, "minimum_detectable": 0.03,
        "verdict": verdict, "n_regressed": 9, "n_repaired": 2, "n_examples": 300, "n_unscored": 0,
        "examples_enough": 900 if verdict == "insufficient" else None, "repeats_enough": None,
    }  # fmt: skip


def breach(  # noqa: PLR0917 - a row reads best in the order of its columns
    kind: str,
    subject: str,
    severity: str,
    summary: str,
    nights: int = 1,
    evidence: dict[str, Any] | None = None,
    incident_id: str | None = None,
) -> dict[str, Any]:
    """One row of fct_breaches of the night."""
    return {
        "day": DAY, "kind": kind, "subject": subject, "severity": severity, "summary": summary,
        "evidence_json": json.dumps(evidence or {}), "first_seen": DAY - timedelta(days=nights - 1), "nights": nights,
        "incident_id": incident_id,
    }  # fmt: skip


def breaches() -> list[dict[str, Any]]:
    """The breaches of the night, one of which carries hostile text."""
    about: dict[str, Any] = {"route": "triage", "side": "output", "feature": "json_is_object", "reference": "trailing"}
    numbers = {"value_reference": 0.985, "value_current": 0.611, "n_reference": 22960, "n_current": 820}
    text = "On triage, {:.1%} of outputs are a JSON object, against {:.1%} {} (n = 820, q < 0.001)."
    days, dev = text.format(0.611, 0.985, "in the 28 days before"), text.format(0.611, 1.0, "on the development set")
    about["example_call_ids"] = ["call-0017", "call-0203", HOSTILE_CALL]
    loyalty = {"route": "triage", "side": "input", "feature": "topic:7a1c-14", "example_call_ids": ["call-0204"]}
    volume = {"route": "reply", "side": "input", "feature": "calls", "n_current": 384, "example_call_ids": None}
    slow = {"route": "triage", "side": "output", "feature": "characters", "reference": "trailing"}
    typos = {"route": "reply", "side": "input", "feature": "typos", "reference": "trailing"}
    worse = "{} passes correct on triage{} {} points less often than sim/pinned (95% interval {}, n = 300)."
    small = {"delta": -0.094, "ci_low": -0.125, "ci_high": -0.063, "margin": 0.02, "q_value": 0.001}
    german = {"delta": -0.21, "ci_low": -0.3, "ci_high": -0.12, "margin": 0.02, "q_value": 0.004}
    return [
        breach("drift", "triage/output/json_is_object", "critical", days, 3, {**about, **numbers}, "i-model"),
        breach(
            "skew", "triage/output/json_is_object", "critical", dev, 3, {**about, **numbers, "reference": "dev"},
            "i-model",
        ),
        breach(
            "topic", "triage/input/topic:7a1c-14", "warning", f"Inputs about {topics.HOSTILE} are new.", 1, loyalty,
            "i-topic",
        ),
        breach("volume", "reply/input/calls", "info", "There were 384 calls, where 380 were expected.", 1, volume),
        breach(
            "drift", "triage/output/characters", "warning", "Outputs rose from 212 to 301 characters.", 3, slow,
            "i-model",
        ),
        breach("drift", "reply/input/typos", "info", f"Typos rose from 3.1% to 5.8%. {HOSTILE}", 1, typos),
        breach(
            "worse", "triage/correct/sim/small", "info",
            worse.format("sim/small", "", "9.4", "-12.5 to -6.3"), 1, small, "i-candidate",
        ),
        breach(
            "slice_worse", "triage/correct/sim/cheap/language=de", "info",
            worse.format("sim/cheap", " where language=de", "21.0", "-30.0 to -12.0"), 1, german,
            "i-candidate",
        ),
        breach(
            "pass_rate", "triage/correct", "warning",
            "sim/pinned passes correct on triage in 78.3% of 300 examples, below the required 80.0%.", 1,
            {"route": "triage", "criterion": "correct", "pass_rate": 0.783, "min_pass_rate": 0.8},
            "i-criterion",
        ),
    ]  # fmt: skip


def _usage(day: date, route: str, model: str, size: int, dice: random.Random) -> dict[str, Any]:
    calls = int(size * (0.55 if day.weekday() >= 5 else 1) * dice.uniform(0.93, 1.07))
    return {
        "day": day, "route": route, "model_served": model, "calls": calls, "errors": dice.choice([0, 0, 1, 4]),
        "input_tokens": calls * 210, "output_tokens": calls * 80, "cost_usd": calls * 0.0041,
        "latency_p50_ms": dice.uniform(600, 700), "latency_p95_ms": dice.uniform(1500, 2300), "latency_p99_ms": 4000.0,
    }  # fmt: skip


def _structure(day: date, route: str, model: str, size: int, dice: random.Random) -> dict[str, Any]:
    share = 0.61 if _is_late(day) and route == "triage" else dice.uniform(0.975, 0.995)
    valid = int(size * share) if route == "triage" else 0
    return {
        "day": day, "route": route, "model_served": model, "outputs": size, "json_valid": valid,
        "schema_valid": valid - 5 if route == "triage" else None,
        "schema_checked": valid if route == "triage" else None,
        "refusals": dice.choice([0, 1, 2]),
        "truncations": dice.choice([0, 0, 3]), "empty": 0,
    }  # fmt: skip


def _feature(  # noqa: PLR0917 - a row reads best in the order of its columns
    route: str, side: str, feature: str, usual: float, late: float, noise: float, dice: random.Random
) -> list[dict[str, Any]]:
    rows = []
    for n, day in enumerate(DAYS):
        if n == 11:
            continue  # a day without calls
        value = late if _is_late(day) else usual
        value += dice.gauss(0, noise) + noise * math.sin(n / 2)
        for reference in ("trailing", "dev"):
            has_reference = n > 0 or reference == "dev"
            rows.append({
                "day": day, "route": route, "side": side, "feature": feature, "reference": reference,
                "model_served": "*", "prompt_version": "*", "value_reference": usual if has_reference else None,
                "value_current": min(value, 1) if usual < 1 else value, "n_reference": 20000 if has_reference else 0,
                "n_current": 800, "is_breach": _is_late(day),
            })  # fmt: skip
    return rows


def _is_late(day: date) -> bool:
    return day > DAY - timedelta(days=3)


def _scores(dice: random.Random) -> list[dict[str, Any]]:
    rows = []
    for n, day in enumerate(DAYS):
        for model, rate in (("sim/pinned", 0.783 if n == 29 else dice.uniform(0.82, 0.86)), ("sim/small", 0.69)):
            rows.append(score(day, model, "triage", "correct", rate, 0.8))
        rows.append(score(day, "sim/pinned", "triage", "valid_triage", 0.993, 0.99))
    rows.append({**score(DAY, "sim/small", "reply", "polite", None, None), "n_unscored": 300})
    return rows


def score(  # noqa: PLR0917 - a row reads best in the order of its columns
    day: date, model: str, route: str, criterion: str, rate: float | None, least: float | None
) -> dict[str, Any]:
    """One row of fct_eval_scores."""
    return {
        "day": day, "run_id": f"nightly-{day}", "model": model, "route": route, "criterion": criterion,
        "n_examples": 300, "n_repeats": 3, "n_unscored": 0, "pass_rate": rate,
        "ci_low": None if rate is None else rate - 0.02, "ci_high": None if rate is None else min(rate + 0.02, 1),
        "arm": "pinned" if model == "sim/pinned" else "candidate", "severity": "critical", "min_pass_rate": least,
    }  # fmt: skip


def _write_lake(lake: Lake) -> None:
    file = {"source": "gateway", "sha256": "0" * 64, "bytes": 9, "other": 2, "duplicates": 1, "feedback": 41}
    files = [
        {**file, "file": "logs/a.jsonl.gz", "records": 954, "interactions": 903, "quarantined": 7, "incomplete": 3},
        {**file, "file": "logs/b.jsonl", "records": 345, "interactions": 301, "quarantined": 0},
        {**file, "file": "logs/<c>.jsonl", "records": 0, "interactions": 0, "quarantined": 0, "problem": "no <right>"},
    ]
    lake.write("manifest", DAY, from_rows(files, "manifest"))
    reasons = ["no JSON: unexpected end"] * 5 + [f"call_id is missing {HOSTILE}"] * 2
    lake.write("quarantine", DAY, from_rows([_quarantined(n, why) for n, why in enumerate(reasons)], "quarantine"))
    lake.write("expectation_results", DAY, from_rows(expectations(), "expectation_results"))
    lake.write("interactions", DAY, from_rows(calls(), "interactions"))


def calls() -> list[dict[str, object]]:
    """Two of the calls that a breach names, one of them with hostile texts, and one that no breach names."""
    call = {
        "route": "triage",
        "input_text": "Where is parcel 17?",
        "output_text": "Sure! It is in Graz.",
        "status": "success",
    }
    return [
        {**call, "call_id": "call-0017"},
        {**call, "call_id": HOSTILE_CALL, "input_text": HOSTILE, "output_text": f"```{HOSTILE}" * 200},
        {**call, "call_id": "call-9999", "output_text": "not shown"},
    ]


def _quarantined(line: int, reason: str) -> dict[str, object]:
    return {"source": "gateway", "file": "logs/a.jsonl.gz", "line": line, "reason": reason, "raw": "{"}


def expectations() -> list[dict[str, object]]:
    """One failed guard of severity warning, one failed mirror of a breach, and twelve that hold."""
    failed = {
        "success": False,
        "severity": "warning",
        "observed": "0.54% of 1,299 records",
        "expected": "at most 0.50%",
    }
    row = {"suite": "landed_logs", "expectation": "share_quarantined", "subject": "gateway", "evidence_json": "{}"}
    mirror = {"suite": "verdicts", "expectation": "no_breach", "subject": "drift", "evidence_json": "{}"}
    kept = [{**row, "success": True, "severity": "critical", "expectation": f"holds_{n}"} for n in range(12)]
    return [{**row, **failed}, {**mirror, **failed, "severity": "critical"}, *kept]


def write_features(warehouse: Path, days: list[date], calls: int = 40) -> None:
    """The features of a handful of calls a day, as dbt leaves them, so that there is something to draw."""
    rows = [row for day in days for n in range(calls) for row in _features(day, n)]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema if not exists marts")
        connection.execute(
            "create table marts.fct_text_samples (day date, route text, side text, subject_id text, characters bigint,"
            " typo_share double, json_is_object boolean, n_texts bigint, sample_place bigint)"
        )
        connection.register(
            "found", pa.table([pa.array(column) for column in zip(*rows, strict=True)], names=_FEATURES)
        )
        connection.execute(f"insert into marts.fct_text_samples select *, {2 * calls}, 1 from found")


_FEATURES = ["day", "route", "side", "subject_id", "characters", "typo_share", "json_is_object"]


def _features(day: date, n: int) -> list[list[object]]:
    key = [day, "triage"]
    broken = n % 3 == 0 and _is_late(day)
    return [
        [*key, "input", f"{day}-{n}", 40 + 7 * (n % 9), n / 400, False],
        [*key, "output", f"{day}-{n}", 90 + n, None, not broken],
    ]
