"""The judge requests for answers, and the scores from the replies. Pure: no request is sent here.

A pairwise judge sees a candidate's answer and the pinned model's in both orders. A verdict that changes with the order
says nothing about the answers and counts as a tie, as does `tie` in both orders. A tie scores 0.5 and passes, because
the answer is not worse. The mean score is thus the share of comparisons won, ties counting half (0.5 is as good as the
pinned model, which has 0.5 by definition).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from flows.config import why_not_sent
from flows.evaluate.criteria import judge_prompt
from flows.evaluate.criteria.criteria_file import Criterion
from flows.evaluate.criteria.definitions import Judge
from flows.evaluate.criteria.json_schema import hash_of
from flows.evaluate.criteria.judge_template import Mode
from flows.evaluate.criteria.scorers import Score, failed, passed_or, unscored

SINGLE, PINNED_FIRST, CANDIDATE_FIRST = "single", "pinned_first", "candidate_first"

Reply = Mapping[str, Any]
Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """What a judge sees: a conversation, an answer, and in a pairwise comparison the pinned model's answer."""

    conversation: Messages
    answer: str
    pinned: str | None = None


@dataclass(frozen=True)
class JudgeRequest:
    """One request to the judge. `request_hash` covers everything that may change the reply."""

    criterion: str
    criterion_version: str
    route: str
    order: str
    request_hash: str
    messages: Messages
    params: Mapping[str, Any]


def judge_requests(criterion: Criterion, route: str, case: Case) -> tuple[JudgeRequest, ...]:
    """The requests for a case: one, or one per order; none if both answers are the same text."""
    if case.pinned is None:
        return (_ask(criterion, route, SINGLE, case, (case.answer,)),)
    if case.pinned == case.answer:
        return ()
    return (
        _ask(criterion, route, PINNED_FIRST, case, (case.pinned, case.answer)),
        _ask(criterion, route, CANDIDATE_FIRST, case, (case.answer, case.pinned)),
    )


def _ask(criterion: Criterion, route: str, order: str, case: Case, answers: Sequence[str]) -> JudgeRequest:
    definition, judge = criterion.definition, criterion.judge
    assert isinstance(definition, Judge)
    assert judge is not None
    asked = (definition.mode, definition.question, case.conversation, answers)
    messages = judge_prompt.messages_for(*asked, criterion.template)
    params = {**_params_for(definition.mode), **judge.params}
    request_hash = hash_of(judge.model, judge.api_base, params, messages)
    return JudgeRequest(criterion.name, criterion.version, route, order, request_hash, messages, params)


@cache
def _params_for(mode: Mode) -> Mapping[str, Any]:
    return judge_prompt.params_for(mode)


def score_from_replies(criterion: Criterion, requests: Sequence[JudgeRequest], replies: Mapping[str, Reply]) -> Score:
    """The score of a case from the stored `replies` (by request_hash) to its `requests`.

    The case is unscored if the judge was not asked, failed, or gave no valid verdict.
    """
    definition = criterion.definition
    assert isinstance(definition, Judge)
    if not requests:
        return Score(0.5, True, "a tie: both answers are the same")
    found: list[Reply] = []
    for request in requests:
        reply = replies.get(request.request_hash)
        if reply is None or reply["status"] != "ok":
            why = reply["error_type"] if reply else criterion.judge and why_not_sent(criterion.judge)
            return unscored(f"not judged: {why or 'the judge was not asked'}")
        if reply["verdict"] is None:
            return unscored("the judge's reply as a whole is not a verdict: one JSON object of reason and verdict")
        found.append(reply)
    if definition.mode == "binary":
        (reply,) = found
        passes = reply["verdict"] == (definition.pass_if or "yes")
        return passed_or(passes, f"the judge says {reply['verdict']}: {reply['reason']}")
    return _of_both_orders(*found)


def _of_both_orders(pinned_first: Reply, candidate_first: Reply) -> Score:
    match pinned_first["verdict"], candidate_first["verdict"]:
        case "second", "first":
            return Score(1.0, True)
        case "first", "second":
            return failed(f"the pinned model's answer is better: {pinned_first['reason']}")
        case "tie", "tie":
            return Score(0.5, True, "a tie")
        case _:
            return Score(0.5, True, "a tie: the verdict changes with the order of the answers")


# By this reason fct_example_flips knows that a criterion is a pairwise judge's.
AGAINST_ITSELF = Score(0.5, True, "the pinned model is what others are compared with")
