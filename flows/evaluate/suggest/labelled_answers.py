"""People's labels of production's answers with the answers' texts, one per answer. All texts are hostile data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Any

from flows.evaluate.examples import messages_of
from flows.lake import Lake, in_force, rows_with

Row = Mapping[str, Any]

_COLUMNS = ("call_id", "route", "messages_json", "input_text", "output_text")
MOST = 1_000
"""Labelled answers of a route that count, the newest: more do not change what is found, and cost a night minutes."""
_QUEUE_DAYS, _OTHER_DAYS = 60, 28


@dataclass(frozen=True)
class LabelledAnswer:
    """One answer that people judged: bad if its newest label by any criterion says so.

    `modes` are the names of failure modes, `notes` what was written about it. `weight` is 1 / its inclusion
    probability.
    """

    call_id: str
    text: str
    is_bad: bool
    weight: float
    modes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    messages: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


def read_labels(lake: Lake) -> list[Row]:
    """The labels that say yes or no and were not taken back, the oldest first."""
    rows: list[Row] = [row for day in lake.days("annotations") for row in lake.read("annotations", day).to_pylist()]
    return [row for row in in_force(rows, "label_id") if row["passed"] is not None]


def labelled_answers(
    lake: Lake, route: str, labels: Iterable[Row] | None = None, *, first: str | None = None
) -> list[LabelledAnswer]:
    """The labelled answers of a route whose text the lake has, by call_id: at most MOST, those labelled last.

    `labels` are those in force, by default all that the lake has. Answers with the failure mode `first`, in lower case,
    come before newer ones. An answer without a known probability weighs as much as the median of those with one.
    """
    of_call: dict[str, list[Row]] = {}
    for row in read_labels(lake) if labels is None else labels:
        if row["subject"] == "interaction" and row["route"] == route:
            of_call.setdefault(row["subject_id"], []).append(row)
    if len(of_call) > MOST:
        newest = sorted(of_call, key=lambda one: (_has(of_call[one], first), _newness(of_call[one][-1])), reverse=True)
        of_call = {call_id: of_call[call_id] for call_id in newest[:MOST]}
    calls = _calls(lake, of_call)
    chances = {
        key: next(filter(None, (row["inclusion_probability"] for row in rows)), None) for key, rows in of_call.items()
    }
    known = [1 / one for one in chances.values() if one]
    usual = median(known) if known else 1.0
    return [
        _answer(call_id, of_call[call_id], calls[call_id], 1 / chance if (chance := chances[call_id]) else usual)
        for call_id in sorted(of_call.keys() & calls.keys())
        if calls[call_id]["output_text"] is not None
    ]


def _has(labels: Iterable[Row], mode: str | None) -> bool:
    return mode is not None and any(" ".join((row["failure_mode"] or "").split()).casefold() == mode for row in labels)


def _newness(label: Row) -> tuple[bool, Any, str]:
    return label["at"] is not None, label["at"], label["label_id"]


def _answer(call_id: str, labels: list[Row], call: Row, weight: float) -> LabelledAnswer:
    newest = {(row["criterion"], row["annotator"]): row for row in labels}.values()
    bad = [row for row in newest if not row["passed"]]
    modes = dict.fromkeys(" ".join(row["failure_mode"].split()) for row in bad if row["failure_mode"])
    notes = tuple(row["note"] for row in bad if row["note"] and row["note"].strip())
    return LabelledAnswer(
        call_id, call["output_text"], bool(bad), weight, tuple(one for one in modes if one), notes,
        tuple(messages_of(call)),
    )  # fmt: skip


def _calls(lake: Lake, of_call: Mapping[str, list[Row]]) -> dict[str, Row]:
    """The calls by their ids, looked for on the days of their queues and the days before, and then on the newest."""
    missing, found = set(of_call), dict[str, Row]()
    queued = {row["queue_day"] for rows in of_call.values() for row in rows if row["queue_day"]}
    near = {day - timedelta(days=n) for day in queued for n in (0, 1)}
    days = list(reversed(lake.days("interactions")))
    of_queues, others = [day for day in days if day in near], [day for day in days if day not in near]
    for day in [*of_queues[:_QUEUE_DAYS], *others[:_OTHER_DAYS]]:
        if not missing:
            break
        rows = rows_with(lake, "interactions", day, key="call_id", values=missing, columns=_COLUMNS)
        found |= {row["call_id"]: row for row in rows.to_pylist()}
        missing -= found.keys()
    return found
