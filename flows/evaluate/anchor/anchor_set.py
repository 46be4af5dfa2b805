"""The answers of the anchor set, with their texts: chosen from the labels, stored in `anchors`, and only ever added to.

A set that is full stays as it is, so that a judge is compared with its own past on the same answers. One that is not
gets what was labelled since.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flows.evaluate.anchor.people import Key, Labelled, labelled_answers, retracted_labels
from flows.evaluate.criteria import Case
from flows.evaluate.examples import messages_of
from flows.evaluate.score import completion_id
from flows.lake import Lake, each_day, from_rows, rows_with
from flows.retention import EXPIRED
from flows.stats.sample import rank

FEWEST = 60
"""Labelled answers without which a criterion has no anchor set."""
_DAYS_BACK = 28  # before the judgement, in which a call is looked for whose queue is not known
_CALL = ("call_id", "messages_json", "input_text", "output_text")
_EXAMPLE = ("set", "route", "example_id", "messages_json", "input_text")
_ANSWER = ("run_id", "model", "route", "example_id", "repeat", "output_text")


@dataclass(frozen=True)
class Anchor:
    """One answer of the set. `passed` is what people say of it."""

    key: Key
    subject_id: str
    passed: bool
    case: Case


def anchor_sets(lake: Lake, day: date, keys: Collection[Key], most: int) -> dict[Key, list[Anchor]]:
    """The anchor sets of the night of `day`, those that are large enough, each in the order of the sample.

    Adds to `anchors` what the labels give more. Answers whose label was taken back are left out.
    """
    stored = [row for one in lake.days("anchors") if one <= day for row in lake.read("anchors", one).to_pylist()]
    sets: dict[Key, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in stored:
        if (key := _key(row)) in keys:
            sets[key].setdefault(row["subject_id"], row)
    added = list(_added(lake, day, keys, sets, most)) if any(len(sets[key]) < most for key in keys) else []
    if added:
        today = lake.read("anchors", day).to_pylist()
        lake.write("anchors", day, from_rows([*today, *added], "anchors"))
    for row in added:
        sets[_key(row)][row["subject_id"]] = row
    retracted = retracted_labels(lake, day)
    found = {
        key: [_anchor(row) for row in rows.values() if row["label_id"] not in retracted] for key, rows in sets.items()
    }
    return {
        key: sorted(anchors, key=lambda one: rank(*key[:2], one.subject_id))
        for key, anchors in sorted(found.items())
        if len(anchors) >= FEWEST
    }


def choose(labelled: Iterable[Labelled], have: Sequence[bool], most: int) -> list[Labelled]:
    """Which answers to add to a set of at most `most` answers that has some, of which `have` says whether they passed.

    Failed and passed answers have half of the places each, those with the smallest ranks first.
    """
    chosen = []
    answers = sorted(labelled, key=lambda one: rank(one.subject_id))
    for passed, places in ((False, most // 2), (True, most - most // 2)):
        left = places - sum(one == passed for one in have)
        chosen += [one for one in answers if one.passed == passed][: max(0, left)]
    return chosen


def _key(row: dict[str, Any]) -> Key:
    return row["route"], row["criterion"], row["criterion_version"]


def _anchor(row: dict[str, Any]) -> Anchor:
    return Anchor(
        _key(row), row["subject_id"], row["label_passed"], Case(json.loads(row["messages_json"]), row["output_text"])
    )


def _added(
    lake: Lake, day: date, keys: Collection[Key], sets: dict[Key, dict[str, dict[str, Any]]], most: int
) -> Iterator[dict[str, Any]]:
    """Rows of `anchors` for the answers to add, those whose texts are in the lake."""
    for key, answers in labelled_answers(lake, day, keys).items():
        have = sets[key]
        others = [one for one in answers if one.subject_id not in have]
        chosen = _chosen(lake, others, [row["label_passed"] for row in have.values()], most)
        if len(have) + len(chosen) < FEWEST:
            continue
        for one, case in chosen:
            yield {
                **dict(zip(("route", "criterion", "criterion_version"), key, strict=True)),
                "subject": one.subject,
                "subject_id": one.subject_id,
                "label_id": one.label_id,
                "label_passed": one.passed,
                "messages_json": json.dumps(list(case.conversation), ensure_ascii=False),
                "output_text": case.answer,
            }


def _chosen(lake: Lake, answers: list[Labelled], have: Sequence[bool], most: int) -> list[tuple[Labelled, Case]]:
    """What to add to a set as `choose` says, of the answers whose texts are in the lake.

    Where texts of the first choice are missing, those of all others that may take the places are looked up together:
    however many are missing, each day of the lake is read twice at most.
    """
    first = choose(answers, have, most)
    texts = _texts(lake, first)
    if missing := {one.subject_id: one.passed for one in first if one.subject_id not in texts}:
        places = set(missing.values())
        tried = texts.keys() | missing.keys()
        others = [one for one in answers if one.passed in places and one.subject_id not in tried]
        texts |= _texts(lake, others)
    found = [one for one in answers if one.subject_id in texts]
    return [(one, texts[one.subject_id]) for one in choose(found, have, most)]


def _texts(lake: Lake, answers: Iterable[Labelled]) -> dict[str, Case]:
    """The texts of answers by their ids, of those that are still in the lake."""
    wanted: dict[date, set[str]] = defaultdict(set)
    completions: dict[str, set[str]] = defaultdict(set)
    there = set(lake.days("interactions"))
    for one in answers:
        if one.subject == "completion":
            completions[one.subject_id.partition("/")[0]].add(one.subject_id)
            continue
        for day in [one.day] if one.is_of_queue else each_day(one.day - timedelta(days=_DAYS_BACK), one.day):
            if day in there:
                wanted[day].add(one.subject_id)
    found: dict[str, Case] = {}
    for day in sorted(wanted, reverse=True):
        if lake.exists("interactions", day, EXPIRED):
            continue
        missing = wanted[day] - found.keys()
        for call in rows_with(lake, "interactions", day, key="call_id", values=missing, columns=_CALL).to_pylist():
            if call["output_text"] is not None:
                found[call["call_id"]] = Case(messages_of(call), call["output_text"])
    for run_id, ids in completions.items():
        found |= _texts_of_run(lake, run_id, ids)
    return found


def _texts_of_run(lake: Lake, run_id: str, ids: set[str]) -> dict[str, Case]:
    """The texts of answers of an evaluation, with the conversations of its holdouts."""
    found: dict[str, Case] = {}
    for day in lake.days("completions"):
        if not lake.exists("completions", day, run_id):
            continue
        rows = [
            row
            for batch in lake.batches("completions", day, _ANSWER, run_id)
            for row in batch.to_pylist()
            if row["output_text"] is not None and completion_id(row) in ids
        ]
        wanted = {row["example_id"] for row in rows}
        examples = rows_with(lake, "examples", day, key="example_id", values=wanted, columns=_EXAMPLE).to_pylist()
        messages = {(one["route"], one["example_id"]): messages_of(one) for one in examples if one["set"] == "holdout"}
        for row in rows:
            if (place := (row["route"], row["example_id"])) in messages:
                found[completion_id(row)] = Case(messages[place], row["output_text"])
    return found
