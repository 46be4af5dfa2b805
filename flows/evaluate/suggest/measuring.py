"""What candidates do to labelled answers: verdicts by code or by the judge, and the choice among them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from flows.evaluate.criteria import (
    Case,
    Criterion,
    Response,
    Schema,
    criterion_of,
    is_blank,
    judge_requests,
    score,
    score_from_replies,
    score_schema,
)
from flows.evaluate.examples import Example
from flows.evaluate.generate import ask_judge, budget_of, judge_replies
from flows.evaluate.setup import EvalSetup
from flows.evaluate.suggest.criterion_candidates import Candidate, CandidateFamily, forbidden
from flows.evaluate.suggest.labelled_answers import LabelledAnswer
from flows.llm import ClientFactory
from flows.stats.assertion_sets import Array, CrossFitted, Family, Labels, choose, cross_fitted, distinct, folds_of
from flows.stats.sample import rank

LEAST_LABELS, LEAST_FAILURES = 60, 10
_NO_EXAMPLE = Example("", "", ())
_NAME = "candidate"


@dataclass(frozen=True)
class Measured:
    """Families with the variant of each that the labels chose, and their figures; None where nothing is measured."""

    families: tuple[CandidateFamily, ...]
    fails: tuple[Array, ...]
    variants: tuple[int, ...]
    fitted: CrossFitted | None
    labels: Labels

    def candidate(self, place: int) -> Candidate:
        """The chosen variant of a family."""
        return self.families[place].variants[self.variants[place]]

    def failing(self, place: int) -> Array:
        """What the chosen variant of a family fails, (n,)."""
        chosen: Array = self.fails[place][:, self.variants[place]]
        return chosen


def labels_of(answers: Sequence[LabelledAnswer]) -> Labels:
    """The labels of the answers, in their order."""
    return Labels(np.array([one.is_bad for one in answers], bool), np.array([one.weight for one in answers], float))


def is_enough(labels: Labels) -> bool:
    """Whether there are enough labels, and bad answers among them, to measure anything."""
    return len(labels.is_bad) >= LEAST_LABELS and int(labels.is_bad.sum()) >= LEAST_FAILURES


def measure(
    families: Sequence[CandidateFamily],
    fails: Sequence[Array],
    answers: Sequence[LabelledAnswer],
    limit: float,
    *,
    is_measured: bool | None = None,
) -> Measured:
    """Choose by the labels. With too few of them variants are chosen all the same, and nothing is measured.

    Of families whose variants have the same verdicts the first is kept.
    """
    labels = labels_of(answers)
    given = [Family(flags, _target(family, answers, labels)) for family, flags in zip(families, fails, strict=True)]
    if not given:
        return Measured((), (), (), None, labels)
    variants = choose(given, labels, limit).variants if len(answers) else (0,) * len(given)
    if len(answers):
        verdicts = np.stack([flags[:, n] for flags, n in zip(fails, variants, strict=True)], 1)
        kept = distinct(verdicts)
    else:
        kept = tuple(range(len(given)))
    fitted = None
    if is_enough(labels) if is_measured is None else is_measured:
        ranks = sorted(range(len(answers)), key=lambda n: rank(answers[n].call_id))
        fold = folds_of(labels.is_bad, np.argsort(ranks))
        fitted = cross_fitted([given[n] for n in kept], labels, limit, fold)
    return Measured(
        tuple(families[n] for n in kept),
        tuple(fails[n] for n in kept),
        tuple(variants[n] for n in kept),
        fitted,
        labels,
    )


def _target(family: CandidateFamily, answers: Sequence[LabelledAnswer], labels: Labels) -> Array:
    if family.mode is None:
        return labels.is_bad
    return np.array([answer.call_id in family.call_ids for answer in answers], bool)


def verdicts_of_code(
    families: Sequence[CandidateFamily], answers: Sequence[LabelledAnswer], schema: Schema | None
) -> list[Array]:
    """Which answers the variants of each family fail, (n, variants). An answer that one cannot score does not fail.

    A definition that several families have is applied once.
    """
    known: dict[str, Array] = {}
    for family in families:
        for one in family.variants:
            key = json.dumps(one.definition, sort_keys=True)
            if key not in known:
                known[key] = np.array(_failing(one, answers, schema), bool)
    return [
        np.stack([known[json.dumps(one.definition, sort_keys=True)] for one in family.variants], 1)
        for family in families
    ]


def _failing(candidate: Candidate, answers: Sequence[LabelledAnswer], schema: Schema | None) -> list[bool]:
    definition = candidate.definition
    if (pattern := forbidden(definition)) is not None:  # the same verdicts as the criterion's, much sooner
        wanted = criterion_of({"name": _NAME, **definition, "pattern": pattern})
        return [is_blank(one.text) or score(wanted, _NO_EXAMPLE, Response(one.text)).passed is True for one in answers]
    criterion = None if definition["kind"] == "json_schema" else criterion_of({"name": _NAME, **definition})
    return [_fails(criterion, one.text, schema) for one in answers]


def _fails(criterion: Criterion | None, text: str, schema: Schema | None) -> bool:
    if criterion is not None:
        return score(criterion, _NO_EXAMPLE, Response(text)).passed is False
    return schema is not None and score_schema(schema, text).passed is False


def verdicts_of_judge(
    setup: EvalSetup,
    day: date,
    families: Sequence[CandidateFamily],
    answers: Sequence[LabelledAnswer],
    route: str,
    *,
    clients: ClientFactory | None = None,
) -> list[Array | None]:
    """Which answers the judge fails by each family's question, (n, 1); None where a verdict is missing.

    The requests are a run of their own, `suggest-<day>`, with a budget of its own; verdicts that were given are reused.
    """
    config = setup.config
    if config.judge is None or not families:
        return [None] * len(families)
    criteria = [criterion_of({"name": _NAME, **one.variants[0].definition}, config.judge) for one in families]
    requests = [
        [judge_requests(criterion, route, Case(answer.messages, answer.text)) for answer in answers]
        for criterion in criteria
    ]
    run_id = f"suggest-{day.isoformat()}"
    every = (request for of_family in requests for found in of_family for request in found)
    ask_judge(config, day, run_id, every, budget_of(config, day, run_id), clients=clients)
    replies = judge_replies(config, day)
    verdicts: list[Array | None] = []
    for criterion, of_family in zip(criteria, requests, strict=True):
        passed = [score_from_replies(criterion, found, replies).passed for found in of_family]
        is_whole = bool(passed) and None not in passed
        verdicts.append(np.array([[one is False] for one in passed], bool) if is_whole else None)
    return verdicts
