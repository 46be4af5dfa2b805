"""Score one route's answers by its criteria, a chunk at a time: the rows of `scores`, and the rows that rates count."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import repeat

from flows.evaluate.criteria import (
    AGAINST_ITSELF,
    NO_TEXT,
    Case,
    Criterion,
    Judge,
    JudgeRequest,
    Reply,
    Response,
    Score,
    failed,
    judge_requests,
    score,
    score_from_replies,
    score_repaired,
    unscored,
)
from flows.evaluate.examples import Example
from flows.evaluate.generate import Row
from flows.evaluate.setup import EvalTask
from flows.llm import OWN, class_of_row

# The score of an answer as it is, and of the repaired one if something was repaired.
Scored = tuple[Score, Score | None]
_KEY_COLUMNS = ("run_id", "model", "example_id", "repeat", "route")


@dataclass(frozen=True)
class RouteScorer:
    """Scores the answers of one route. `pinned` is the pinned model's name.

    `pinned_answers` are its texts by (example_id, repeat), for pairwise judges. `replies` are the judge's replies by
    request_hash.
    """

    task: EvalTask
    pinned: str
    pinned_answers: Mapping[tuple[str, int], str] = field(default_factory=dict)
    replies: Mapping[str, Reply] = field(default_factory=dict)
    _repaired_criteria: set[str] = field(init=False, default_factory=set)

    def of_route(self, answers: Iterable[Row]) -> list[Row]:
        """The answers of this route."""
        return [row for row in answers if row["route"] == self.task.name]

    def score_batch(
        self, answers: Iterable[Row], known: Iterable[Mapping[str, Scored]] | None = None
    ) -> tuple[list[Row], list[Row]]:
        """Score rows of `completions`. Returns the rows for `scores`, and the rows from which rates are computed.

        A criterion that formatting can mislead is applied a second time to the repaired answer, as `<name>:unwrapped`.
        It is counted for every answer, but written only if something was repaired. `known` are what `scored` has found
        for each row, by criterion; what is not known is scored here.
        """
        landed: list[Row] = []
        counted: list[Row] = []
        for row, of_row in zip(answers, repeat({}) if known is None else known, strict=False):
            for criterion in self.task.criteria:
                raw, found = of_row.get(criterion.name) or self._scored(criterion, row)
                landed.append(one := _row(row, criterion, raw))
                counted.append(one)
                if (repaired := criterion.repaired) is not None:
                    if found is not None:
                        self._repaired_criteria.add(repaired.name)
                        landed.append(_row(row, repaired, found))
                    counted.append(_row(row, repaired, found or raw))
        return landed, counted

    def scored(self, answers: Iterable[Row]) -> list[dict[str, Scored]]:
        """For each answer the scores by all criteria of the task, by their names."""
        return [{criterion.name: self._scored(criterion, row) for criterion in self.task.criteria} for row in answers]

    def self_contained(self) -> "RouteScorer":
        """The same for other processes: criteria that need the answer and its example only."""
        criteria = [criterion for criterion in self.task.criteria if criterion.is_self_contained]
        return RouteScorer(replace(self.task, criteria=criteria, variants=()), self.pinned)

    def criteria(self) -> list[Criterion]:
        """The criteria to report: the route's own, and the `:unwrapped` ones that repaired an answer so far."""
        all_of_them = ((one, one.repaired) for one in self.task.criteria)
        return [
            criterion
            for pair in all_of_them
            for criterion in pair
            if criterion and (not criterion.is_repaired or criterion.name in self._repaired_criteria)
        ]

    def requests_for_judge(self, answers: Iterable[Row]) -> Iterator[JudgeRequest]:
        """The judge requests for these answers."""
        for row in answers:
            for criterion in self.task.criteria:
                if isinstance(criterion.definition, Judge) and isinstance(case := self._case(criterion, row), Case):
                    yield from judge_requests(criterion, self.task.name, case)

    def _score(self, criterion: Criterion, row: Row) -> Score:
        if isinstance(criterion.definition, Judge):
            case = self._case(criterion, row)
            if isinstance(case, Score):
                return case
            return score_from_replies(criterion, judge_requests(criterion, self.task.name, case), self.replies)
        example = self._example_or_reason(row)
        return example if isinstance(example, Score) else score(criterion, example, _response(row))

    def _scored(self, criterion: Criterion, row: Row) -> Scored:
        raw, repaired = self._score(criterion, row), criterion.repaired
        example = self._example_or_reason(row)
        if repaired is None or isinstance(example, Score):
            return raw, None
        return raw, score_repaired(repaired, example, _response(row), raw)

    def _case(self, criterion: Criterion, row: Row) -> Case | Score:
        """The case for the judge; or the score, if no request is needed or possible."""
        example = self._example_or_reason(row)
        if isinstance(example, Score):
            return example
        if row["output_text"] is None:
            return NO_TEXT
        case = Case(example.messages, row["output_text"])
        if not criterion.is_pairwise:
            return case
        if row["model"] == self.pinned:
            return AGAINST_ITSELF
        pinned_answer = self.pinned_answers.get((row["example_id"], row["repeat"]))
        return (
            unscored("the pinned model gave no text") if pinned_answer is None else replace(case, pinned=pinned_answer)
        )

    def _example_or_reason(self, row: Row) -> Example | Score:
        """The example of an answer; or an unscored result with the reason."""
        error_class = class_of_row(row)
        if error_class in OWN:
            return failed(f"not answered: {error_class}{_in_their_words(row)}")
        if row["status"] != "ok":
            return unscored(f"not answered: {error_class or row['error_type']}")
        example = self.task.example(row["example_id"])
        return unscored("the example is no longer in the frozen holdout") if example is None else example


def completion_id(row: Row) -> str:
    """The `subject_id` of an answer of `completions`."""
    return "/".join(str(row[key]) for key in ("run_id", "model", "route", "example_id", "repeat"))


def pinned_answers(pinned: str, answers: Iterable[Row]) -> dict[tuple[str, int], str]:
    """The pinned model's texts by (example_id, repeat), for the `RouteScorer` of a route with a pairwise judge."""
    return {
        (row["example_id"], row["repeat"]): row["output_text"]
        for row in answers
        if row["model"] == pinned and row["status"] == "ok" and row["output_text"] is not None
    }


def _in_their_words(row: Row) -> str:
    return f": {row['error_message']}" if row.get("error_message") else ""


def _response(row: Row) -> Response:
    return Response(row["output_text"], row["latency_ms"], row["cost_usd"])


def _row(row: Row, criterion: Criterion, found: Score) -> Row:
    return {
        "subject": "completion",
        "subject_id": completion_id(row),
        "criterion": criterion.name,
        **{key: row[key] for key in _KEY_COLUMNS},
        "criterion_version": criterion.version,
        "score": found.score,
        "passed": found.passed,
        "reason": found.reason,
        "inclusion_probability": 1.0,
    }
