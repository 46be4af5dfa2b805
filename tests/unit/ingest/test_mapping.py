"""What the log formats mean: one record in, one canonical row out, or a reason."""

import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flows.errors import ConfigError, RunError
from tests.reading import mapped, user_key


def only(table: pa.Table) -> dict[str, Any]:
    (row,) = table.to_pylist()
    return row


def genchi(**more: Any) -> dict[str, Any]:
    return {"call_id": "c1", "started_at": "2026-03-01T10:00:00Z", "input_text": "hi", **more}


@pytest.mark.parametrize(
    "time",
    ["2026-03-01T10:00:00Z", "2026-03-01 10:00:00", "2026-03-01T11:00:00+01:00", 1772359200, 1772359200.0,
     1772359200000, "1772359200000000", 1772359200000000000],
)  # fmt: skip
def test_a_time_is_understood_as_text_and_as_an_epoch_of_any_unit(time: Any) -> None:
    row = only(mapped("genchi", genchi(started_at=time)).interactions)
    assert row["started_at"] == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"cut', "not valid JSON"),
        ("[1]", "a JSON array, expected an object"),
        ('"text"', "a JSON text, expected an object"),
        ({"started_at": "2026-03-01", "input_text": "x"}, "no call_id"),
        ({"call_id": "a", "input_text": "x"}, "no started_at"),
        ({"call_id": "a", "started_at": "2026-03-01"}, "none of messages, messages_json and input_text is given"),
        (genchi(started_at="yesterday"), "started_at: yesterday is not a time"),
        (genchi(started_at="infinity"), "started_at: infinity is not a time"),
        (genchi(started_at=90000000000000), "started_at: 90000000000000 is not a time"),
    ],
)
def test_what_cannot_be_read_is_refused_whole_and_its_neighbours_are_not(record: Any, reason: str) -> None:
    result = mapped("genchi", genchi(call_id="before"), record, genchi(call_id="after"))
    refused = only(result.refused)
    assert refused["line"] == 2
    assert refused["raw"] == (record if isinstance(record, str) else json.dumps(record))
    assert refused["reason"] == reason
    assert result.interactions.column("call_id").to_pylist() == ["before", "after"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("input_tokens", "many"), ("input_tokens", 1.5), ("input_tokens", True), ("input_tokens", [3]),
        ("input_tokens", 9 * 10**18), ("output_tokens", 10**23 - 1), ("cached_tokens", "12 tokens"),
        ("cost_usd", {"a": 1}), ("cost_usd", 1e300), ("cost_usd", "abc"), ("cost_usd", False), ("latency_ms", "1.5s"),
        ("status", "perhaps"), ("status", 5), ("cache_hit", "perhaps"), ("is_shadow", 7.5), ("is_cut", {}),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read_is_null_and_its_record_is_counted(column: str, value: Any) -> None:
    result = mapped("genchi", genchi(call_id="before"), genchi(**{column: value}), genchi(call_id="after"))
    assert result.interactions.column("call_id").to_pylist() == ["before", "c1", "after"]
    row = result.interactions.to_pylist()[1]
    assert (row[column], row["input_text"]) == (None, "hi")
    assert result.incomplete.select(["line", "unreadable"]).to_pylist() == [{"line": 2, "unreadable": column}]


def test_several_values_that_cannot_be_read_are_of_one_incomplete_record() -> None:
    result = mapped("genchi", genchi(cost_usd="abc", ttft_ms="abc", status="abc"))
    assert only(result.incomplete)["unreadable"].split() == ["status", "ttft_ms", "cost_usd"]
    assert only(result.interactions)["cost_source"] == "unknown"


def test_the_input_is_the_last_user_message_and_parts_are_joined() -> None:
    messages = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "first"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}],
        },
        {"role": "assistant", "content": "before"},
    ]
    record = {"call_id": "c", "started_at": 1772359200, "messages": messages}
    assert only(mapped("genchi", record).interactions)["input_text"] == "ab"
    as_text = {"call_id": "c", "started_at": 1772359200, "messages_json": json.dumps(messages)}
    row = only(mapped("genchi", as_text).interactions)
    assert row["input_text"] == "ab"
    assert json.loads(row["messages_json"]) == messages


@pytest.mark.parametrize(("given", "canonical"), [("ok", "success"), ("FAILED", "error"), (None, "success")])
def test_the_status_of_a_call_has_one_word_for_success_and_one_for_failure(given: str | None, canonical: str) -> None:
    assert only(mapped("genchi", genchi(status=given)).interactions)["status"] == canonical


def test_a_number_that_is_empty_is_absent() -> None:
    assert only(mapped("genchi", genchi(latency_ms="")).interactions)["latency_ms"] is None


def test_a_genchi_record_with_a_kind_is_feedback() -> None:
    signal = {"call_id": "c", "kind": "thumb", "at": "2026-03-01", "value": 1, "origin": "explicit"}
    result = mapped("genchi", signal)
    assert len(result.interactions) == 0
    assert only(result.feedback)["value"] == "1"


LITELLM = {
    "id": "chatcmpl-1", "trace_id": "t", "session_id": "s", "call_type": "acompletion", "stream": True,
    "status": "success", "custom_llm_provider": "openai", "model": "gpt-4o", "model_group": "fast",
    "startTime": 1772359200.5, "endTime": 1772359201.75, "completionStartTime": 1772359200.75,
    "prompt_tokens": 10, "completion_tokens": 20, "response_cost": 0.25, "cache_hit": "True", "end_user": "u",
    "request_tags": ["a"], "model_parameters": {"temperature": 0},
    "messages": [{"role": "user", "content": "q"}],
    "response": {
        "model": "gpt-4o-2026", "system_fingerprint": "fp",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}],
        "usage": {"prompt_tokens_details": {"cached_tokens": 4}},
    },
    "metadata": {
        "is_silent_experiment": True,
        "prompt_management_metadata": {"prompt_id": "triage"},
        "requester_metadata": {"prompt_version": "v7", "release": "r1", "environment": "prod"},
        "usage_object": {"completion_tokens_details": {"reasoning_tokens": 3}},
    },
}  # fmt: skip


def test_every_litellm_field_with_a_canonical_column_is_mapped() -> None:
    row = only(mapped("litellm", LITELLM).interactions)
    expected = {
        "call_id": "chatcmpl-1", "trace_id": "t", "session_id": "s", "route": "triage", "environment": "prod",
        "release": "r1", "prompt_name": "triage", "prompt_version": "v7", "provider": "openai",
        "model_requested": "fast", "model_served": "gpt-4o-2026", "system_fingerprint": "fp", "input_text": "q",
        "output_text": "a", "finish_reason": "stop", "latency_ms": 1250.0, "ttft_ms": 250.0, "input_tokens": 10,
        "output_tokens": 20, "cached_tokens": 4, "reasoning_tokens": 3, "cost_usd": 0.25, "cost_source": "logged",
        "status": "success", "cache_hit": True, "is_shadow": True, "tags": '["a"]',
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["user_key"] == hmac.new(b"", b"u", "sha256").hexdigest()[:16]


def test_a_failed_litellm_call_is_kept_with_its_error() -> None:
    failed = {
        **LITELLM, "status": "failure", "response": None, "response_cost": None, "cache_hit": False,
        "prompt_tokens": 0, "completion_tokens": 0,
        "error_information": {"error_class": "RateLimitError", "error_message": "slow down"},
    }  # fmt: skip
    row = only(mapped("litellm", failed).interactions)
    assert (row["status"], row["error_type"], row["error_message"]) == ("error", "RateLimitError", "slow down")
    assert row["output_text"] is None
    assert row["cost_usd"] is None
    assert row["cost_source"] == "unknown"


def test_an_embedding_is_no_llm_call_but_counted() -> None:
    result = mapped("litellm", {**LITELLM, "call_type": "aembedding"})
    assert len(result.other) == 1
    assert len(result.interactions) == 0


def test_parameters_that_came_as_a_text_are_an_object_and_name_no_user() -> None:
    given = {**LITELLM, "end_user": None, "model_parameters": json.dumps({"temperature": 1, "user": "ann@example.org"})}
    row = only(mapped("litellm", given).interactions)
    assert json.loads(row["params_json"]) == {"temperature": 1}
    assert row["user_key"] == user_key("ann@example.org")


@pytest.mark.parametrize("messages", [None, "a text", {"role": "user", "content": "q"}, [], [{"role": "user"}], 5])
def test_litellm_messages_of_any_shape_are_kept(messages: Any) -> None:
    result = mapped("litellm", {**LITELLM, "messages": messages})
    assert len(result.interactions) == 1


def test_openai_pairs_batch_lines_and_stored_completions_are_mapped() -> None:
    response = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1772359200, "model": "gpt-4-0613",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "A"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 2}},
    }  # fmt: skip
    pair = {"request": {"model": "gpt-4", "messages": [{"role": "user", "content": "q"}], "temperature": 0},
            "response": response}  # fmt: skip
    batch = {
        "id": "b",
        "custom_id": "r1",
        "response": {"status_code": 200, "body": {**response, "id": "2"}},
        "error": None,
    }
    result = mapped("openai", pair, batch, {**response, "id": "3"})
    first, second, third = result.interactions.to_pylist()
    assert second["cost_usd"] == third["cost_usd"] / 2  # a batch costs half of what a call does
    assert (first["model_requested"], first["model_served"], first["input_text"]) == ("gpt-4", "gpt-4-0613", "q")
    assert json.loads(first["params_json"]) == {"model": "gpt-4", "temperature": 0}
    assert (first["input_tokens"], first["cached_tokens"], first["output_text"]) == (3, 2, "A")
    assert (second["call_id"], second["tags"], second["params_json"]) == ("2", '{"custom_id":"r1"}', None)
    assert third["output_text"] == "A"


def test_hostile_keys_and_values_are_only_values() -> None:
    text = "'; drop table mapped; -- \\u0000 {{ 7*7 }} <script>"
    row = only(mapped("genchi", genchi(output_text=text, **{"'); drop table x; --": 1})).interactions)
    assert row["output_text"] == text


def with_format(workspace: Path, name: str, select: str) -> Path:
    """The workspace, with a format of its own."""
    (workspace / "formats").mkdir()
    (workspace / "formats" / f"{name}.sql").write_text(select, encoding="utf-8")
    return workspace


@pytest.mark.parametrize(
    "select",
    [
        "selekt 1",
        "select file, line, no_such as call_id from records",
        "select 1 as a",
        "select 1; select 2",
        "select file, 0 as line, 'a' as call_id, '2026-03-01' as started_at from records",
        "select file, line, 'a' as call_id, '2026-03-01' as started_at, 'b' as rout from records",
    ],
)
def test_a_select_that_is_none_is_one_line_that_names_its_file(tmp_path: Path, select: str) -> None:
    workspace = with_format(tmp_path, "mine", select)
    problems = (
        r"mine\.sql: (DuckDB cannot run it|the SELECT lacks|returns|has 2|unknown column `rout`; did you mean `route`)"
    )
    with pytest.raises((ConfigError, RunError), match=problems) as caught:
        mapped("mine", {"a": 1}, workspace=workspace)
    assert "\n" not in str(caught.value)


def test_a_format_is_a_file_that_a_user_drops_into_the_workspace(tmp_path: Path) -> None:
    workspace = with_format(
        tmp_path,
        "theirs",
        "select file, line, raw ->> 'n' as call_id, raw ->> 'when' as started_at, raw ->> 'to' as target"
        " from records -- a comment at its end",
    )
    records = ({"n": 7, "when": "2026-03-01"}, {"n": 8}, {"n": 9, "when": "2026-03-01", "to": "calls"})
    result = mapped("theirs", *records, workspace=workspace)
    assert only(result.interactions)["call_id"] == "7"
    reasons = result.refused.column("reason").to_pylist()
    assert reasons == ["no started_at", "target: calls is not one of interaction feedback other"]


def test_of_a_line_that_cannot_be_mapped_only_the_span_that_fails_is_refused(
    tmp_path: Path,
) -> None:
    workspace = with_format(
        tmp_path,
        "strict",
        "select file, line, span_id as call_id, if(fields.name = 'bad', error('no'), started_at) as started_at"
        " from otlp_items('records')",
    )
    spans = [{"spanId": f"{n:016x}", "name": name, "startTimeUnixNano": "1772445600000000000", "attributes": []}
             for n, name in enumerate(["good", "bad", "fine"], 1)]  # fmt: skip
    line = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": spans[:2]}, {"spans": spans[2:]}]}]}
    result = mapped("strict", line, workspace=workspace)
    assert result.interactions.column("call_id").to_pylist() == [f"{1:016x}", f"{3:016x}"]
    refused = only(result.refused)
    assert refused["reason"].startswith("cannot be mapped: ")
    assert '"bad"' in refused["raw"]
    assert '"fine"' not in refused["raw"]
    spans.append({"spanId": "4", "name": "timeless", "attributes": []})
    line = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": spans}]}]}
    both = only(mapped("strict", line, workspace=workspace).refused)  # one row a line, whatever refused its parts
    assert both["reason"].startswith("cannot be mapped: ")
    assert both["reason"].endswith("; no started_at")
    assert [name for name in ("bad", "timeless") if f'"{name}"' not in both["raw"]] == []
    assert json.loads(both["raw"])


@pytest.mark.parametrize("started_at", ["soon", "", 0, "9999-01-01"])
def test_a_time_that_cannot_be_read_does_not_hide_one_that_can(started_at: Any) -> None:
    said = {
        "id": "c",
        "created": 1772445600,
        "model": "m",
        "choices": [{"message": {"role": "assistant", "content": "b"}}],
    }
    found = mapped("openai", {"request": {"messages": []}, "response": said, "started_at": started_at})
    (row,) = found.interactions.to_pylist()
    assert row["started_at"].isoformat() == "2026-03-02T10:00:00+00:00"
    told = [] if started_at == "" else ["started_at"]
    assert found.incomplete.column("unreadable").to_pylist() == told
