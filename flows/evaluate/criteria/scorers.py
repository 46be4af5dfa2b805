"""Apply one criterion to one answer. No request is sent and no file read here.

A score of None is unscored: the answer is missing, or the criterion cannot be applied. That is not a failure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flows.evaluate.criteria.criteria_file import Criterion
from flows.evaluate.criteria.definitions import (
    Contains,
    Cost,
    Exact,
    JsonSchema,
    JsonValid,
    Judge,
    Latency,
    Length,
    Numeric,
    Python,
    Regex,
)
from flows.evaluate.criteria.folding import fold, is_blank, is_same_json
from flows.evaluate.criteria.json_schema import Schema, parse_json
from flows.evaluate.criteria.number_reading import first_number
from flows.evaluate.criteria.repair import Repaired, repair_json, repair_text
from flows.evaluate.criteria.time_limit import search
from flows.evaluate.examples import Example, as_text
from flows.functions import FunctionError, TimeLimitError
from flows.lake import storable

_LONGEST_REASON = 300


@dataclass(frozen=True)
class Response:
    """The part of an answer that criteria use. Latency in milliseconds, cost in USD. A tool call alone has no text."""

    text: str | None
    latency_ms: float | None = None
    cost_usd: float | None = None


@dataclass(frozen=True)
class Score:
    """A score from 0 to 1, or None if unscored. `passed` means at least 0.5; `reason` says why it is not 1."""

    score: float | None
    passed: bool | None
    reason: str | None = None


PASSED = Score(1.0, True)


def failed(reason: str) -> Score:
    """A score of 0 with its reason."""
    return Score(0.0, False, _writable(reason))


def passed_or(passes: bool, reason: str) -> Score:
    """A score of 1, or of 0 with its reason."""
    return PASSED if passes else failed(reason)


def unscored(reason: str) -> Score:
    """No score, with the reason."""
    return Score(None, None, _writable(reason))


def _writable(reason: str) -> str:
    """A reason that can be stored: truncated, and without lone surrogates, which answers may contain."""
    return storable(reason[:_LONGEST_REASON])


NO_TEXT = unscored("the answer is a tool call without text")


def score(criterion: Criterion, example: Example, answer: Response) -> Score:
    """Apply a code criterion to `answer`. Raises TypeError for a judge criterion; see `score_from_replies`.

    Unscored if the criterion has a problem, or if a pattern or function reaches its time limit; after several, the
    criterion is not applied any more.
    """
    if criterion.problem is not None:
        return unscored(criterion.problem)
    try:
        criterion.timeouts.check()
        return _apply(criterion, example, answer)
    except TimeLimitError as error:
        criterion.timeouts.note()
        return unscored(str(error))


def _apply(criterion: Criterion, example: Example, answer: Response) -> Score:
    match criterion.definition:
        case Latency(max_ms=limit):
            return _at_most(answer.latency_ms, limit, "ms")
        case Cost(max_usd=limit):
            return _at_most(answer.cost_usd, limit, "USD")
        case Judge():
            raise TypeError("a judge's criterion is scored by the judge's verdict")
        case _:
            return NO_TEXT if answer.text is None else _apply_to_text(criterion, example, answer.text)


def _apply_to_text(criterion: Criterion, example: Example, text: str) -> Score:  # noqa: PLR0911 - one return a kind
    if isinstance(criterion.definition, Regex | Length | Python) and example.expected != "" and is_blank(text):
        return failed("the answer is empty")
    match criterion.definition:
        case Exact() | Contains() | Numeric() as definition:
            return _compare(definition, example, text)
        case Regex(pattern=pattern):
            return passed_or(search(pattern, text) is not None, f"no match of {pattern}")
        case JsonValid():
            return passed_or(parse_json(text).problem is None, "no valid JSON")
        case JsonSchema():
            assert criterion.schema is not None
            return score_schema(criterion.schema, text)
        case Length() as definition:
            return _length(definition, text)
        case _:
            return _call(criterion, example, text)


def score_repaired(criterion: Criterion, example: Example, answer: Response, raw: Score) -> Score | None:
    """The score of the repaired answer; None if nothing was repaired or the answer passes as it is.

    `raw` is the score of the answer as it is. The better of the two counts. The reason says what was removed, also if
    the repaired answer passes.
    """
    if raw.score == 1 or answer.text is None or criterion.problem is not None:
        return None
    found = _repair(criterion, example, answer.text)
    if not found.repairs:
        return None
    bare = score(criterion, example, replace(answer, text=found.text))
    if bare.score is None or bare.score < (raw.score or 0):
        bare = raw
    without = f"without its {' and '.join(found.repairs)}"
    return replace(bare, reason=_writable(f"{without}: {bare.reason}" if bare.reason else without))


def _repair(criterion: Criterion, example: Example, text: str) -> Repaired:
    match criterion.definition:
        case JsonValid() | JsonSchema():
            return repair_json(text)
        case Exact() if isinstance(example.expected, dict | list):
            return repair_json(text)
        case _:
            return repair_text(text)


def _compare(definition: Exact | Contains | Numeric, example: Example, answer: str) -> Score:
    if example.expected is None:
        return unscored("the example has no `expected`")
    got: str | None = answer
    if definition.extract is not None:
        got = _first_group(definition.extract, answer)
    if got is None:
        return failed(f"no match of {definition.extract}")
    if isinstance(definition, Numeric):
        return _near(got, [_extracted(definition, one) for one in _texts_of(example.expected)], definition.tolerance)
    return _any_of(definition, example.expected, answer, got)


def _any_of(definition: Exact | Contains, expected: Any, answer: str, got: str) -> Score:
    """Compare with `expected`, or with each item if it is a list: any of them will do, and so will the whole list."""
    is_free = isinstance(definition, Exact) and definition.extract is None and not definition.strict
    if is_free and _is_same_value(answer, expected):
        return PASSED
    if isinstance(definition, Contains) and expected == []:
        return unscored("`expected` is an empty list")
    wanted = [_extracted(definition, text) for text in _texts_of(expected)]
    if not definition.strict:
        got, wanted = fold(got), [fold(one) for one in wanted]
    if isinstance(definition, Contains):
        if not any(wanted):
            return unscored("`expected` is empty, which every answer contains")
        found = any(one in got for one in wanted if one)
        return passed_or(found, f"does not contain {_one_of(wanted)}")
    return passed_or(got in wanted, f"expected {_one_of(wanted)}, found {got!r}")


def _texts_of(expected: Any) -> list[str]:
    """The items of a list that is expected, or what is expected itself, as texts."""
    texts = [as_text(one) for one in expected if one is not None] if isinstance(expected, list) else []
    return texts or [as_text(expected)]


def _one_of(wanted: Sequence[str]) -> str:
    return repr(wanted[0]) if len(wanted) == 1 else f"one of {', '.join(map(repr, wanted))}"


def _extracted(definition: Exact | Contains | Numeric, expected: str) -> str:
    """The part of `expected` to compare: the pattern's group, or all of it without a match."""
    found = _first_group(definition.extract, expected) if definition.extract is not None else None
    return expected if found is None else found


def _first_group(pattern: str, text: str) -> str | None:
    """The first group that took part in the first match; a pattern of alternatives has one group each."""
    match = search(pattern, text)
    return next((group for group in match.groups() if group is not None), None) if match else None


def _is_same_value(answer: str, expected: Any) -> bool:
    """Whether an answer is the same JSON object, list or number as `expected` or an item of it, however written."""
    items = expected if isinstance(expected, list) else []
    values = [one for one in (expected, *items) if isinstance(one, dict | list | int | float)]
    if not values or (parsed := parse_json(answer)).problem is not None:
        return False
    return any(is_same_json(parsed.value, one) for one in values)


def _near(got: str, expected: Sequence[str], tolerance: float) -> Score:
    number, wanted = first_number(got), [found for one in expected if (found := first_number(one)) is not None]
    if not wanted:
        return unscored("`expected` holds no number")
    if number is None:
        return failed("no number in the answer")
    # Tolerates rounding of doubles, so that 0.3 is within 0.1 of 0.2.
    close = any(abs(number - one) <= tolerance + 1e-12 * max(1.0, abs(one)) for one in wanted)
    told = " or ".join(f"{one:g}" for one in wanted)
    return PASSED if close else failed(f"expected {told} ± {tolerance:g}, found {number:g}")


def score_schema(schema: Schema, text: str) -> Score:
    """Whether a text is JSON that is valid under a schema; unscored if the schema cannot be applied."""
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - imported late: only some criteria need it

    if schema.problem is not None:
        return unscored(schema.problem)
    parsed = parse_json(text)
    if parsed.problem is not None:
        return failed(f"no valid JSON: {parsed.problem}")
    try:
        violation = schema.first_violation(parsed.value)
    except (Unresolvable, RecursionError, ArithmeticError, ValueError, re.error, TimeLimitError) as error:
        return unscored(f"the schema cannot be applied: {type(error).__name__}: {error}")
    return failed(violation) if violation else PASSED


def _length(definition: Length, text: str) -> Score:
    characters, words = len(text), len(text.split())
    limits = (
        (definition.min_chars, characters, 1, "characters"),
        (definition.max_chars, characters, -1, "characters"),
        (definition.min_words, words, 1, "words"),
        (definition.max_words, words, -1, "words"),
    )
    for limit, length, sign, unit in limits:
        if limit is not None and (length - limit) * sign < 0:
            return failed(f"{length} {unit}, {'at least' if sign > 0 else 'at most'} {limit} wanted")
    return PASSED


def _at_most(value: float | None, limit: float, unit: str) -> Score:
    if value is None:
        return unscored(f"not known in {unit}")
    return PASSED if value <= limit else failed(f"{value:g} {unit}, at most {limit:g} wanted")


def _call(criterion: Criterion, example: Example, text: str) -> Score:
    assert criterion.function is not None
    try:
        result = criterion.function(example.row, text)
    except FunctionError as error:
        return unscored(str(error))
    if isinstance(result, bool):
        return PASSED if result else failed("the function says no")
    if isinstance(result, float) and 0 <= result <= 1:
        return Score(result, result >= 0.5, None if result == 1 else f"the function says {result:g}")
    return unscored(f"the function returned {result}; a bool or a number from 0 to 1 is wanted")
