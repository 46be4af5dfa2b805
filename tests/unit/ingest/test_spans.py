"""OTLP's JSON: values of any depth, and lines that were made to break the reader."""

import json
import random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.ingest.map.functions import add_functions
from flows.ingest.map.mapper import Mapped
from flows.project import LOG_FORMATS
from tests.reading import mapped

FORMATS = ("otel", "openinference")
AWKWARD = ['a"b\\', "}]}}", '{"key":"a","value":', "[{}]", '\\"]}}', "<array>\n\té", "null", ""]
TEXTS = st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, min_size=1, max_size=3)),
    max_leaves=12,
)


def any_value(value: Any) -> dict[str, Any]:  # noqa: PLR0911 - one return a kind
    """A value as OTLP's JSON wraps it."""
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case float():
            return {"doubleValue": value}
        case int():
            return {"intValue": str(value)}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
        case _:
            return {"kvlistValue": {"values": [{"key": key, "value": any_value(item)} for key, item in value.items()]}}


def attributes_of(**told: Any) -> list[dict[str, Any]]:
    """Attributes as OTLP's JSON lists them; `__` in a name is a dot."""
    return [{"key": name.replace("__", "."), "value": any_value(value)} for name, value in told.items()]


def span(attributes: Any, **more: Any) -> dict[str, Any]:
    return {
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00000000000000a1", "name": "chat",
        "startTimeUnixNano": "1772445600000000000", "endTimeUnixNano": "1772445601000000000",
        "attributes": attributes, **more,
    }  # fmt: skip


def request(*spans: Any) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": list(spans)}]}]}


def lines_of(found: Mapped) -> set[int]:
    tables = (found.interactions, found.feedback, found.refused, found.other)
    return {line for table in tables for line in table.column("line").to_pylist()}


@pytest.fixture(scope="module")
def macros() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    add_functions(connection)
    for name in ("macros", "macros/messages", "macros/otlp", "macros/events"):
        connection.execute((LOG_FORMATS / f"{name}.sql").read_text(encoding="utf-8"))
    return connection


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.lists(VALUES, max_size=4), st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4)))
def test_a_wrapped_value_of_any_depth_is_plain_json(macros: duckdb.DuckDBPyConnection, value: Any) -> None:
    wrapped = json.dumps(any_value(value), ensure_ascii=False, separators=(",", ":"))
    row = macros.execute("select otlp_nested($1::varchar)", [wrapped]).fetchone()
    assert row is not None
    assert json.loads(row[0]) == value


@pytest.mark.long
@pytest.mark.parametrize("log_format", FORMATS)
def test_nesting_of_ten_thousand_levels_is_read_or_quarantined(log_format: str) -> None:
    deep = '{"a":' * 10_000 + "1" + "}" * 10_000
    kind = attributes_of(openinference__span__kind="LLM")
    wrapped = '{"arrayValue":{"values":[' * 10_000 + '{"intValue":"1"}' + "]}}" * 10_000
    whole = json.dumps(request(span(kind), "DEEP"))
    named = [*kind, {"key": "gen_ai.input.messages", "value": "DEEP"}]
    texts = [*kind, *attributes_of(gen_ai__input__messages=deep)]
    found = mapped(
        log_format,
        deep,
        whole.replace('"DEEP"', deep),
        json.dumps(request(span("DEEP"))).replace('"DEEP"', deep),
        json.dumps(request(span(named))).replace('"DEEP"', wrapped),
        json.dumps(request(span(texts))),
    )
    assert lines_of(found) == {1, 2, 3, 4, 5}
    assert set(found.interactions.column("line").to_pylist()) == {2, 3, 4, 5} - {3}


@pytest.mark.long
@pytest.mark.parametrize("log_format", FORMATS)
def test_no_shape_raises_and_every_line_is_in_a_place(log_format: str) -> None:
    chance = random.Random(7)
    names = ["gen_ai.operation.name", "gen_ai.input.messages", "gen_ai.prompt.0.content", "openinference.span.kind",
             "llm.input_messages.0.message.contents.0.message_content.text", "gen_ai.evaluation.score.value",
             "annotations.0.annotation.score", "gen_ai.usage.input_tokens", "input.value", "output.value", "metadata",
             "llm.invocation_parameters", "gen_ai.response.finish_reasons"]  # fmt: skip
    odd = [None, 5, -1.5, True, "chat", "LLM", "", "[", "[5]", '{"role": 5}', [], {}, [{}], [None], {"parts": [5]},
           {"stringValue": [1]}, {"arrayValue": 5}, {"arrayValue": {"values": "x"}}, {"kvlistValue": {"values": [5]}},
           {"intValue": "many"}, {"doubleValue": "NaN"}, {"stringValue": "chat"}, {"stringValue": "LLM"}]  # fmt: skip

    def spoilt(value: Any) -> Any:
        if chance.random() < 0.12:
            return chance.choice(odd)
        if isinstance(value, dict):
            return {key: spoilt(item) for key, item in value.items() if chance.random() > 0.05}
        return [spoilt(item) for item in value] if isinstance(value, list) else value

    lines = []
    for _ in range(3_000):
        attributes = [{"key": name, "value": chance.choice(odd)} for name in chance.sample(names, 6)]
        event = {"name": chance.choice(["exception", "gen_ai.evaluation.result", "gen_ai.choice"]),
                 "timeUnixNano": "1772445600000000001", "attributes": attributes}  # fmt: skip
        record = {**event, "eventName": event["name"], "body": chance.choice(odd), "spanId": "00000000000000a1"}
        logs = {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [record]}]}]}
        whole = request(span(attributes, events=[event], links=[{"spanId": "00000000000000a2"}]))
        lines.append(json.dumps(spoilt(chance.choice([logs, whole, span(attributes)]))))
    found = mapped(log_format, *lines)
    assert lines_of(found) == set(range(1, len(lines) + 1))
    assert min(map(len, (found.interactions, found.feedback, found.refused, found.other))) > 10


def test_what_several_annotators_say_of_one_call_is_a_signal_each() -> None:
    said = [("correct", "1", "HUMAN"), ("correct", "0", "LLM"), ("polite", "1", "CODE"), ("correct", "0.5", None)]
    fields = {
        f"annotations.{place}.annotation.{name}": text
        for place, (of, score, by) in enumerate(said)
        for name, text in (("name", of), ("score", score), ("annotator_kind", by))
        if text is not None
    }
    found = mapped("openinference", request(span(attributes_of(**fields)))).feedback.to_pylist()
    assert len({(row["call_id"], row["kind"], row["at"]) for row in found}) == len(said)
    assert len({row["key"] for row in found}) == len(said)
    assert sorted((row["kind"], row["value"], row["origin"]) for row in found) == [
        ("correct", "0", "implicit"), ("correct", "0.5", "explicit"), ("correct", "1", "explicit"),
        ("polite", "1", "implicit"),
    ]  # fmt: skip


def test_a_service_tier_has_its_own_price() -> None:
    usual = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
             "gen_ai.response.model": "gpt-4o-2024-08-06"}  # fmt: skip
    counts = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
    tiers = ({}, {"openai.response.service_tier": "default"}, {"gen_ai.openai.response.service_tier": "priority"})
    spans = [
        span(attributes_of(**usual, **counts, **tier), spanId=f"{number:016x}") for number, tier in enumerate(tiers, 1)
    ]
    rows = mapped("otel", request(*spans)).interactions.to_pylist()
    found = [row["cost_usd"] for row in sorted(rows, key=lambda row: str(row["call_id"]))]
    assert found == pytest.approx([1000 * 2.5e-6 + 100 * 1e-5] * 2 + [1000 * 4.25e-6 + 100 * 1.7e-5])
