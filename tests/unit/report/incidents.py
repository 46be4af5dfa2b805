"""The incidents of the hand-made night: one critical and told before, two new, two over, one for information."""

import json
from datetime import date, timedelta
from typing import Any

HOSTILE_CAUSE = "</h3><script>alert('cause')</script>`rm -rf`"

TABLE = (
    "day date, incident_id text, severity text, need text, title text, summary text, cause_kind text, cause text,"
    " routes text[], first_seen date, nights bigint, state text, n_breaches bigint, evidence_json text"
)


def incident(day: date, incident_id: str, severity: str, title: str, **given: Any) -> dict[str, Any]:
    """One row of fct_incidents: open and of an unknown cause, where nothing else is given."""
    evidence = {name: given.pop(name, []) for name in ("breaches", "example_call_ids", "changes", "causes_tried")}
    usual = {
        "need": "reliability", "summary": f"Summary of {incident_id}.", "cause_kind": "unknown", "cause": None,
        "routes": ["triage"], "nights": 1, "state": "open",
    }  # fmt: skip
    row = {**usual, **given}
    return {
        "day": day, "incident_id": incident_id, "severity": severity, "title": title, **row,
        "first_seen": day - timedelta(days=row["nights"] - 1), "n_breaches": len(evidence["breaches"]),
        "evidence_json": json.dumps(evidence),
    }  # fmt: skip


def change(what: str, side: str, feature: str, words: str, *, before: float, now: float) -> dict[str, Any]:
    """One entry of `changes`, on the route triage."""
    return {
        "what": what, "route": "triage", "side": side, "feature": feature, "before": before, "now": now, "words": words,
    }  # fmt: skip


def rows(day: date, calls: list[str]) -> list[dict[str, Any]]:
    """The incidents of the night; `calls` show the worst of them."""
    return [
        incident(
            day, "i-topic", "warning", "Users ask triage about something new: loyalty points", need="usefulness",
            cause_kind="topic", cause=HOSTILE_CAUSE, breaches=["topic triage/input/topic:7a1c-14"],
            example_call_ids=["call-0204"],
            changes=[change("share of the topic", "input", "topic:7a1c-14", "40 times more", before=0.001, now=0.04)],
        ),
        incident(
            day, "i-model", "critical",
            "Another model seems to answer as gpt-4-0613: 39 % of its outputs on triage are no JSON object any more",
            summary="Since 12 May outputs on triage are 42 % longer and often begin with a sentence. Inputs, topics and"
            " the prompt did not change.",
            cause_kind="model_under_name", cause="gpt-4-0613", nights=3, state="ongoing", example_call_ids=calls,
            breaches=[
                "drift triage/output/json_is_object", "skew triage/output/json_is_object",
                "drift triage/output/characters",
            ],
            changes=[
                change("outputs that are JSON", "output", "json_is_object", "37 points fewer", before=0.985, now=0.611),
                change("characters per output", "output", "characters", "outputs 42 % longer", before=212, now=301),
                change("cost per call", "output", "no_series", "27 % more", before=0.0041, now=0.0052),
            ],
            causes_tried=[
                {"cause_kind": "model_under_name", "cause": "gpt-4-0613", "explained": 0.97},
                {"cause_kind": "topic", "cause": None, "explained": 0.04},
            ],
        ),
        incident(
            day, "i-criterion", "warning", "The criterion correct passes on triage in 78.3 % of the examples",
            need="factual_consistency", cause_kind="criterion", cause="correct", breaches=["pass_rate triage/correct"],
        ),
        incident(
            day, "i-candidate", "info", "The candidate sim/small is worse on triage", need="usefulness",
            cause_kind="candidate", cause="sim/small",
            changes=[{**change("worse", "", "", "9.4 points fewer", before=0.85, now=0.756), "route": "triage"}],
            breaches=["worse triage/correct/sim/small", "slice_worse triage/correct/sim/cheap/language=de"],
        ),
        incident(
            day, "i-over", "warning", "Calls of reply took 3.1 s instead of 0.7 s", nights=5, state="recovered",
            routes=["reply"],
        ),
        incident(day, "i-settled", "warning", "Half of the inputs of reply are German", nights=9, state="settled"),
    ]  # fmt: skip
