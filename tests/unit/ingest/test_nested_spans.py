"""One call that several instrumentations log, a span within a span."""

import json
from typing import Any

from tests.reading import mapped

SECOND = 10**9
START = 1772445600 * SECOND


def span(number: int, first: int, last: int, parent: int | None = None, *, response: str = "chatcmpl-213",
         text: str | None = "Hi") -> dict[str, Any]:  # fmt: skip
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.response.id": response}
    if text:
        attributes["gen_ai.input.messages"] = json.dumps([{"role": "user", "content": text}])
    return {
        "traceId": "1111222233334444aaaabbbbccccdddd", "spanId": f"{number:016x}", "name": "chat",
        **({"parentSpanId": f"{parent:016x}"} if parent else {}),
        "startTimeUnixNano": str(START + first * SECOND), "endTimeUnixNano": str(START + last * SECOND),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }  # fmt: skip


def calls(*spans: dict[str, Any]) -> list[int]:
    found = mapped("otel", {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]})
    assert found.interactions.num_rows + found.other.num_rows == len(spans)
    return [int(span_id, 16) for span_id in found.interactions.column("call_id").to_pylist()]


def test_of_nested_spans_with_one_response_the_inner_one_is_the_call() -> None:
    assert calls(span(1, 0, 9), span(2, 1, 8, parent=1)) == [2]


def test_a_span_between_them_makes_no_difference() -> None:
    assert calls(span(1, 0, 9), span(3, 2, 7, parent=2)) == [3]


def test_the_outer_span_is_the_call_where_it_alone_has_the_texts() -> None:
    assert calls(span(1, 0, 9), span(2, 1, 8, parent=1, text=None)) == [1]


def test_two_calls_to_which_the_provider_gave_one_id_are_two() -> None:
    assert calls(span(1, 0, 4), span(2, 5, 9)) == [1, 2]
    assert calls(span(1, 0, 9, parent=7), span(2, 1, 8, parent=7)) == [1, 2]


def test_nested_calls_with_responses_of_their_own_are_two() -> None:
    assert calls(span(1, 0, 9, response="a"), span(2, 1, 8, parent=1, response="b")) == [1, 2]
