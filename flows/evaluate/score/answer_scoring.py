"""One route's answers held against its criteria, some at a time: what lands in `scores`, and what is counted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from flows.evaluate.criteria import (
    AGAINST_ITSELF,
    Case,
    Criterion,
    Judge,
    JudgeRequest,
    Reply,
    Response,
    Score,
    judge_requests,
    score,
    score_from_replies,
    score_unwrapped,
    unscored,
)
from flows.evaluate.examples import Example
from flows.evaluate.generate import Row
from flows.evaluate.setup import EvalTask

_PLACE = ("run_id", "model", "example_id", "repeat", "route")


@dataclass(frozen=True)
class RouteScorer:
    """The criteria of one route, ready to mark answers. `pinned` is the pinned model's name.

    `pinned_answers` are its texts by (example_id, repeat), for pairwise judges; `replies` are the judges' by
    request_hash.
    """

    paper: EvalTask
    pinned: str
    pinned_answers: Mapping[tuple[str, int], str] = field(default_factory=dict)
    replies: Mapping[str, Reply] = field(default_factory=dict)
    _repaired: set[str] = field(init=False, default_factory=set)

    def mine(self, answers: Iterable[Row]) -> list[Row]:
        """Those of the answers that are of this route."""
        return [row for row in answers if row["route"] == self.paper.name]

    def mark(self, answers: Iterable[Row]) -> tuple[list[Row], list[Row]]:
        """The rows of `scores` for rows of `completions`, and those that the rates are of.

        A criterion that a wrapping can mislead is counted a second time, as `<name>:unwrapped`: for every answer, but
        landed only for those that have a wrapping. A pairwise judge is counted by its score, that a tie is half a win.
        """
        landed: list[Row] = []
        counted: list[Row] = []
        for row in answers:
            for criterion in self.paper.criteria:
                raw = self._score(criterion, row)
                landed.append(one := _row(row, criterion, raw))
                counted.append({**one, "passed": raw.score} if criterion.is_pairwise else one)
                if (bare := criterion.unwrapped) is not None:
                    found = self._without_wrapping(bare, row, raw)
                    landed += [] if found is None else [_row(row, bare, found)]
                    counted.append(_row(row, bare, found or raw))
        return landed, counted

    def criteria(self) -> list[Criterion]:
        """The criteria to report on: the route's own, and of the unwrapped ones those that made a difference so far."""
        all_of_them = ((one, one.unwrapped) for one in self.paper.criteria)
        return [
            criterion
            for pair in all_of_them
            for criterion in pair
            if criterion and (not criterion.is_unwrapped or criterion.name in self._repaired)
        ]

    def asks(self, answers: Iterable[Row]) -> Iterator[JudgeRequest]:
        """What the judges are to be asked about these answers."""
        for row in answers:
            for criterion in self.paper.criteria:
                if isinstance(criterion.definition, Judge) and isinstance(case := self._case(criterion, row), Case):
                    yield from judge_requests(criterion, self.paper.name, case)

    def _score(self, criterion: Criterion, row: Row) -> Score:
        if isinstance(criterion.definition, Judge):
            case = self._case(criterion, row)
            if isinstance(case, Score):
                return case
            return score_from_replies(criterion, judge_requests(criterion, self.paper.name, case), self.replies)
        known = self._known(row)
        return known if isinstance(known, Score) else score(criterion, known, _response(row))

    def _without_wrapping(self, bare: Criterion, row: Row, raw: Score) -> Score | None:
        known = self._known(row)
        found = None if isinstance(known, Score) else score_unwrapped(bare, known, _response(row), raw)
        if found is not None:
            self._repaired.add(bare.name)
        return found

    def _case(self, criterion: Criterion, row: Row) -> Case | Score:
        """What the judge is to see; or the score, where it need not be asked or cannot."""
        known = self._known(row)
        if isinstance(known, Score):
            return known
        case = Case(known.messages, row["output_text"] or "")
        if not criterion.is_pairwise:
            return case
        if row["model"] == self.pinned:
            return AGAINST_ITSELF
        theirs = self.pinned_answers.get((row["example_id"], row["repeat"]))
        return unscored("the pinned model did not answer") if theirs is None else replace(case, pinned=theirs)

    def _known(self, row: Row) -> Example | Score:
        """The example that was answered; or why there is nothing to score."""
        if row["status"] != "ok":
            return unscored(f"not answered: {row['error_type']}")
        example = self.paper.example(row["example_id"])
        return unscored("the example is no longer in the frozen holdout") if example is None else example


def pinned_answers(pinned: str, answers: Iterable[Row]) -> dict[tuple[str, int], str]:
    """The pinned model's texts by (example_id, repeat), for a `Marker` of a route with a pairwise judge."""
    return {
        (row["example_id"], row["repeat"]): row["output_text"] or ""
        for row in answers
        if row["model"] == pinned and row["status"] == "ok"
    }


def _response(row: Row) -> Response:
    return Response(row["output_text"] or "", row["latency_ms"], row["cost_usd"])


def _row(row: Row, criterion: Criterion, found: Score) -> Row:
    return {
        "subject": "completion",
        "subject_id": "/".join(str(row[key]) for key in ("run_id", "model", "route", "example_id", "repeat")),
        "criterion": criterion.name,
        **{key: row[key] for key in _PLACE},
        "criterion_version": criterion.version,
        "score": found.score,
        "passed": found.passed,
        "reason": found.reason,
        "inclusion_probability": 1.0,
    }
