"""Code criteria on production answers, fast enough for a million of them. No request is sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pyarrow as pa

from flows.evaluate.criteria import (
    OUTPUT_SCHEMA,
    Cost,
    Criterion,
    Latency,
    Python,
    Response,
    Schema,
    Score,
    score,
    score_schema,
    unscored,
)
from flows.evaluate.examples import Example, as_example, messages_of
from flows.lake import SCHEMAS, conform

INPUTS = ("input_text", "messages_json")
_CACHED_ANSWERS = 1 << 14  # size of the cache of scores, in distinct answers
_NO_EXAMPLE = Example("", "", ())


@dataclass(frozen=True)
class Check:
    """One criterion for every answer of a route. `scorer` takes the values of `columns` and depends on nothing else.

    One that is not `is_self_contained` calls a function of the workspace.
    """

    criterion: str
    version: str
    columns: Sequence[str]
    scorer: Callable[..., Score]
    is_self_contained: bool = True

    def rows(self, answers: pa.Table, route: str) -> pa.Table:
        """The rows of `scores` for interactions of the route."""
        columns = (answers[name].to_pylist() for name in self.columns)
        found = [self.scorer(*values) for values in zip(*columns, strict=True)]
        return rows_of(answers, route, self.criterion, self.version, found)


def checks(criteria: Sequence[Criterion], schema: Schema | None, route: str) -> list[Check]:
    """The checks of a route: its `output_schema`, and those of its criteria that need nothing but the call.

    What is expected is known of no production call, so that exact, contains and numeric do not apply.
    """
    found = []
    if schema is not None:
        found.append(_check(OUTPUT_SCHEMA, schema.version, ("output_text",), lambda text: score_schema(schema, text)))
    for criterion in criteria:
        if criterion.needs_expected or criterion.judge:
            continue
        match criterion.definition:
            case Latency():
                columns: tuple[str, ...] = ("output_text", "latency_ms")
            case Cost():
                columns = ("output_text", "cost_usd")
            case Python():
                columns = ("output_text", *INPUTS)
            case _:
                columns = ("output_text",)
        check = _check(criterion.name, criterion.version, columns, _scorer(criterion, columns, route))
        found.append(replace(check, is_self_contained=criterion.is_self_contained))
    return found


def _check(name: str, version: str, columns: tuple[str, ...], scorer: Callable[..., Score]) -> Check:
    @lru_cache(_CACHED_ANSWERS)
    def cached(text: str | None, *others: Any) -> Score:
        return unscored("the answer has no text") if text is None else scorer(text, *others)

    return Check(name, version, columns, cached)


def _scorer(criterion: Criterion, columns: Sequence[str], route: str) -> Callable[..., Score]:
    def scored(text: str, *others: Any) -> Score:
        given = dict(zip(columns[1:], others, strict=True))
        answer = Response(text, given.get("latency_ms"), given.get("cost_usd"))
        call = as_example(messages_of(given), given, route) if "messages_json" in given else _NO_EXAMPLE
        return score(criterion, call, answer)

    return scored


def rows_of(
    answers: pa.Table, route: str, criterion: str, version: str, found: Sequence[Score], *, probability: float = 1.0
) -> pa.Table:
    """Rows of `scores`, one for each of the interactions; `probability` is that of being scored at all."""
    n = len(answers)
    values = {
        name: pa.array([getattr(one, name) for one in found], SCHEMAS["scores"].field(name).type)
        for name in ("score", "passed", "reason")
    }
    return conform(
        pa.table(
            {
                "subject": pa.repeat("interaction", n),
                "subject_id": answers["call_id"],
                "criterion": pa.repeat(criterion, n),
                "model": answers["model_served"],
                "route": pa.repeat(route, n),
                "criterion_version": pa.repeat(version, n),
                "inclusion_probability": pa.repeat(probability, n),
                **values,
            }
        ),
        "scores",
    )
