"""The rows of a queue: each drawn answer with its texts, what is asked about it, and why it is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flows.lake import Lake, rows_with
from flows.review.queue.item_texts import item_json
from flows.review.queue.night_findings import Incidents
from flows.review.queue.questions import Question
from flows.stats.sample import rank

Row = dict[str, Any]
_COLUMNS = (
    *("call_id", "route", "started_at", "latency_ms", "cost_usd", "finish_reason", "status", "session_id"),
    *("model_served", "release", "prompt_version", "messages_json", "input_text", "output_text", "output_json"),
)
_EXAMPLE = ("set", "route", "example_id", "messages_json", "input_text", "expected_text")
_COMPLETION = (
    *("run_id", "model", "route", "example_id", "repeat", "output_text", "output_json", "model_served"),
    *("latency_ms", "cost_usd", "finish_reason", "status"),
)


@dataclass(frozen=True)
class Pick:
    """A call that was drawn for a question. `stratum` and what follows it are None where its chance is not known."""

    question: Question
    call_id: str
    kind: str
    draw: str
    is_judged: bool = False
    is_slow: bool = False
    stratum: str | None = None
    stratum_size: int | None = None
    probability: float | None = None
    is_second: bool = False


def seconds_of(picks: Sequence[Pick], seed: str, part: float = 0.2) -> list[Pick]:
    """A fifth of the picks that were drawn at random, to be judged by a second person too."""
    at_random = sorted(
        (one for one in picks if one.draw == "random"), key=lambda one: rank(seed, "second", one.call_id)
    )
    return [replace(one, is_second=True) for one in at_random[: round(part * len(at_random))]]


def in_random_order(rows: Sequence[Row], question: Question, day: date) -> list[Row]:
    """The rows of one question in an order that tells nothing of them, so that a part of a queue is a random part."""
    seed = question.seed(day)
    mine = [row for row in rows if (row["route"], row["criterion"]) == (question.route, question.criterion)]
    return sorted(mine, key=lambda row: rank(seed, "place", row["subject_id"]))


def rows_of_calls(lake: Lake, day: date, picks: Sequence[Pick], incidents: Incidents) -> list[Row]:
    """The rows of `review_queue` for the picks whose answer was logged, in their order, without `position`."""
    ids = {one.call_id for one in picks}
    found = rows_with(lake, "interactions", day, key="call_id", values=ids, columns=_COLUMNS).to_pylist()
    calls = {row["call_id"]: row for row in found}
    verdicts = _verdicts(lake, day, picks)
    feedback = _feedback(lake, day, ids)
    rows = []
    for pick in picks:
        call = calls[pick.call_id]
        if not (call["output_text"] or call["output_json"]):
            continue
        verdict = verdicts.get((pick.call_id, pick.question.criterion, pick.question.version), {})
        said = feedback.get(pick.call_id, "")
        rows.append(
            _asked(pick.question)
            | {
                "subject": "interaction",
                "subject_id": pick.call_id,
                "draw": pick.draw,
                "stratum": pick.stratum,
                "stratum_size": pick.stratum_size,
                "inclusion_probability": pick.probability,
                "is_second": pick.is_second,
                "reason": _reason(pick, verdict, incidents.title_of(call), said),
                "judge": pick.question.judge if pick.is_judged else None,
                "judge_verdict": verdict.get("passed"),
                "judge_reason": verdict.get("reason"),
                "item_json": item_json(call, context={"the user said": said} if said else {}),
            }
        )
    return rows


def rows_of_flips(lake: Lake, day: date, question: Question, flips: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The rows for examples of the evaluation, each with the answer that the night shows of it."""
    if not flips:
        return []
    ids = {flip["example_id"] for flip in flips}
    examples = {
        (row["route"], row["example_id"]): row
        for row in rows_with(lake, "examples", day, key="example_id", values=ids, columns=_EXAMPLE).to_pylist()
        if row["set"] == "holdout"
    }
    answers = rows_with(lake, "completions", day, key="example_id", values=ids, columns=_COMPLETION).to_pylist()
    rows = []
    for flip in flips:
        names = ("run_id", "model", "route", "example_id")
        mine = [row for row in answers if all(row[name] == flip[name] for name in names)]
        mine = [row for row in mine if row["output_text"] == flip["answer"]]
        example = examples.get((flip["route"], flip["example_id"]))
        if not mine or example is None:
            continue
        answer = min(mine, key=lambda row: row["repeat"])
        call = {**answer, "messages_json": example["messages_json"], "input_text": example["input_text"]}
        is_same = (flip["criterion"], flip["criterion_version"]) == (question.criterion, question.version)
        rows.append(
            _asked(question)
            | {
                "subject": "completion",
                "subject_id": "/".join(str(answer[name]) for name in (*names, "repeat")),
                "draw": "targeted",
                "is_second": False,
                "reason": _why_flip(flip),
                "judge": question.judge if is_same else None,
                "judge_reason": flip["failing_reason"] if is_same else None,
                "item_json": item_json(call, expected=example["expected_text"], context={}),
            }
        )
    return rows


def _asked(question: Question) -> Row:
    return {
        "route": question.route,
        "criterion": question.criterion,
        "criterion_version": question.version,
        "question": question.text,
    }


def _reason(pick: Pick, verdict: Mapping[str, Any], incident: str, said: str) -> str:
    if pick.draw == "random":
        return "drawn at random"
    match pick.kind:
        case "incident":
            return f"of the open incident: {incident}" if incident else "of an open incident"
        case "new_topic":
            return "of a new topic"
        case "bad_feedback":
            return f"the user was not content: {said}" if said else "the user was not content"
        case "costly":
            return (
                "among the slowest hundredth of the day" if pick.is_slow else "among the dearest hundredth of the day"
            )
    return "the judge failed it" if verdict.get("passed") is False else "drawn for its stratum"


def _why_flip(flip: Mapping[str, Any]) -> str:
    example = f"example {flip['example_id']} of the holdout"
    if flip["arm"] != "pinned":
        return f"{example}: {flip['model']} fails {flip['criterion']}, the pinned model passes"
    if flip["state"] == "flaky":
        return f"{example}: the answers to it pass {flip['criterion']} only sometimes"
    return f"{example}: failed {flip['criterion']} tonight, and passed the night before"


def _verdicts(lake: Lake, day: date, picks: Sequence[Pick]) -> dict[tuple[str, str, str], Row]:
    ids = {one.call_id for one in picks if one.is_judged}
    columns = ("subject", "subject_id", "criterion", "criterion_version", "passed", "reason")
    found = rows_with(lake, "scores", day, key="subject_id", values=ids, columns=columns).to_pylist()
    return {
        (row["subject_id"], row["criterion"], row["criterion_version"]): row
        for row in found
        if row["subject"] == "interaction"
    }


def _feedback(lake: Lake, day: date, ids: set[str]) -> dict[str, str]:
    """What users said of the calls, in one line each."""
    said: dict[str, list[str]] = {}
    for row in rows_with(lake, "feedback", day, key="call_id", values=ids).to_pylist():
        if row["origin"] != "implicit":
            told = " ".join(str(row[name]) for name in ("kind", "value", "comment") if row[name])
            said.setdefault(row["call_id"], []).append(told)
    return {call_id: "; ".join(sorted(told)) for call_id, told in said.items()}
