"""Spans and events as frameworks' own instrumentations write them, each read to one call."""

import json
from typing import Any

import pytest

from tests.reading import mapped, user_key
from tests.unit.ingest.test_spans import any_value, request, span

MODEL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
LLM = {"openinference.span.kind": "LLM", "llm.model_name": "m", "llm.input_messages.0.message.role": "user",
       "llm.input_messages.0.message.content": "How many?"}  # fmt: skip


def listed(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": any_value(value)} for name, value in attributes.items()]


def only(log_format: str, *records: Any) -> dict[str, Any]:
    row: dict[str, Any]
    (row,) = mapped(log_format, *records).interactions.to_pylist()
    return row


def of(attributes: dict[str, Any], *events: tuple[str, dict[str, Any]], log_format: str = "otel") -> dict[str, Any]:
    """The one call of a span with these attributes and events."""
    told = [{"name": name, "timeUnixNano": str(1772445600000000000 + number), "attributes": listed(says)}
            for number, (name, says) in enumerate(events)]  # fmt: skip
    return only(log_format, request(span(listed(attributes), events=told)))


def with_logs(attributes: dict[str, Any], *logs: tuple[str, Any]) -> dict[str, Any]:
    """The one call of a span whose contents are in log records, each in a request of its own."""
    records = [
        {"timeUnixNano": str(1772445600000000000 + number), "eventName": name, "body": any_value(body),
         "attributes": [], "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00000000000000a1"}
        for number, (name, body) in enumerate(logs)
    ]  # fmt: skip
    return only("otel", request(span(listed(attributes))), *(
        {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [record]}]}]} for record in records
    ))  # fmt: skip


def roles(row: dict[str, Any]) -> list[str]:
    return [message["role"] for message in json.loads(row["messages_json"])]


def test_strands_counts_its_first_token_in_milliseconds_and_what_it_wrote_to_the_cache() -> None:
    row = of(
        {**MODEL, "gen_ai.system": "strands-agents", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 7,
         "gen_ai.usage.total_tokens": 112, "gen_ai.usage.cache_write_input_tokens": 100,
         "gen_ai.usage.cache_read_input_tokens": 0, "gen_ai.server.time_to_first_token": 240},
    )  # fmt: skip
    assert (row["ttft_ms"], row["input_tokens"], row["output_tokens"]) == (240, 105, 7)
    seconds = of({**MODEL, "gen_ai.server.time_to_first_token": 0.24})
    assert seconds["ttft_ms"] == 240


def test_strands_current_conventions_are_read_from_the_events_of_the_span() -> None:
    details = "gen_ai.client.inference.operation.details"
    asked = [
        {"role": "user", "parts": [{"type": "text", "content": "How late?"}]},
        {"role": "user", "parts": [{"type": "tool_call_response", "id": "t", "response": [{"text": "12"}]}]},
    ]
    said = [{"role": "assistant", "finish_reason": "end_turn",
             "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "Noon."}]}]  # fmt: skip
    row = of(
        MODEL,
        (details, {"gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}])}),
        (details, {"gen_ai.input.messages": json.dumps(asked)}),
        (details, {"gen_ai.output.messages": json.dumps(said)}),
    )
    assert roles(row) == ["system", "user", "tool"]
    assert (row["input_text"], row["output_text"], row["finish_reason"]) == ("How late?", "Noon.", "end_turn")


def test_botocore_logs_a_result_of_a_tool_twice_but_it_is_one_message() -> None:
    used = {"toolUse": {"toolUseId": "t", "name": "w", "input": {"c": "Graz"}}}
    row = with_logs(
        {**MODEL, "gen_ai.system": "aws.bedrock"},
        ("gen_ai.user.message", {"content": [{"text": "Weather?"}]}),
        ("gen_ai.assistant.message", {"content": [{"text": "Hm."}, used], "tool_calls": [
            {"id": "t", "type": "function", "function": {"name": "w", "arguments": {"c": "Graz"}}}]}),
        ("gen_ai.tool.message", {"id": "t", "content": [{"text": "rain"}]}),
        ("gen_ai.user.message", {"content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "rain"}]}}]}),
        ("gen_ai.choice", {"index": 0, "finish_reason": "end_turn", "message": {
            "role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"text": "It rains."}]}}),
    )  # fmt: skip
    assert roles(row) == ["user", "assistant", "tool"]
    assert len(json.loads(row["messages_json"])[1]["tool_calls"]) == 1
    assert (row["input_text"], row["output_text"], row["finish_reason"]) == ("Weather?", "It rains.", "end_turn")


def test_contents_of_google_genais_log_records() -> None:
    row = with_logs(
        {**MODEL, "gen_ai.operation.name": "generate_content", "gcp.gen_ai.operation.config.thinking_budget": 5},
        ("gen_ai.system.message", {"content": "Be brief."}),
        ("gen_ai.user.message", {"content": {"role": "user", "parts": [{"text": "Weather?"}]}}),
        ("gen_ai.choice", {"index": 0, "finish_reason": "MAX_TOKENS", "content": {
            "role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "Rain."}]}}),
    )  # fmt: skip
    assert (row["input_text"], row["output_text"], row["finish_reason"]) == ("Weather?", "Rain.", "length")
    assert roles(row) == ["system", "user"]
    assert json.loads(row["params_json"]) == {"thinking_budget": 5}
    assert row["tags"] is None


def test_thoughts_that_google_genai_counts_apart_are_output() -> None:
    row = of({**MODEL, "gen_ai.usage.output_tokens": 10, "gen_ai.usage.reasoning.output_tokens": 40})
    assert (row["output_tokens"], row["reasoning_tokens"]) == (50, 40)
    within = of({**MODEL, "gen_ai.usage.output_tokens": 50, "gen_ai.usage.reasoning.output_tokens": 40})
    assert (within["output_tokens"], within["reasoning_tokens"]) == (50, 40)


@pytest.mark.parametrize("returned_by", ["user", "tool"])
def test_a_request_of_pydantic_ai_with_instructions_beside_its_system_prompt(returned_by: str) -> None:
    asked = [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Look:"}, {"type": "uri", "uri": "http://a/b.png"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "t", "name": "f", "arguments": {"a": 1}}]},
        {"role": returned_by, "parts": [{"type": "tool_call_response", "id": "t", "name": "f", "result": "ok"}]},
    ]
    said = [{"role": "assistant", "parts": [{"type": "thinking", "content": "hm"}, {"type": "text", "content": "A."}]}]
    row = of(
        {**MODEL, "gen_ai.agent.name": "desk", "operation.cost": 0.001, "gen_ai.usage.output_tokens": 20,
         "gen_ai.usage.details.reasoning_tokens": 12, "gen_ai.response.finish_reasons": ["tool_call"],
         "gen_ai.client.operation.time_to_first_chunk": 0.25, "model_request_parameters": "{}",
         "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "In French."}]),
         "gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps(said)},
    )  # fmt: skip
    assert roles(row) == ["system", "system", "user", "assistant", "tool"]
    assert "In French." in row["messages_json"]
    expected = {"input_text": "Look:", "output_text": "A.", "reasoning_tokens": 12, "ttft_ms": 250.0, "route": "desk",
                "finish_reason": "tool_calls", "cost_usd": 0.001, "tags": None}  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_instructions_that_stand_among_the_messages_are_told_once() -> None:
    asked = [{"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
             {"role": "user", "parts": [{"type": "text", "content": "Hi?"}]}]  # fmt: skip
    row = of({**MODEL, "gen_ai.input.messages": json.dumps(asked),
              "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}])})  # fmt: skip
    assert roles(row) == ["system", "user"]


def test_events_of_pydantic_ai_version_1_keep_thinking_out_of_the_answer() -> None:
    events = [
        {"event.name": "gen_ai.user.message", "role": "user", "content": "Hi?"},
        {"event.name": "gen_ai.tool.message", "role": "tool", "id": "t", "name": "f", "content": "ok"},
        {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": [
            {"kind": "thinking", "text": "hm"}, {"kind": "text", "text": "Done."}]}},
    ]  # fmt: skip
    row = of({**MODEL, "events": json.dumps(events)})
    assert (row["input_text"], row["output_text"]) == ("Hi?", "Done.")
    assert json.loads(row["output_json"]) == {"role": "assistant", "content": "Done.", "reasoning_content": "hm"}
    assert json.loads(row["messages_json"])[1]["tool_call_id"] == "t"


def test_spring_ai_writes_numbers_and_lists_as_texts() -> None:
    row = of(
        {**MODEL, "gen_ai.system": "openai", "gen_ai.request.temperature": "0.7",
         "gen_ai.response.finish_reasons": '["STOP"]', "gen_ai.usage.input_tokens": "10",
         "gen_ai.usage.output_tokens": "2", "gen_ai.usage.total_tokens": "12"},
    )  # fmt: skip
    assert (row["finish_reason"], row["input_tokens"], row["output_tokens"]) == ("stop", 10, 2)


@pytest.mark.parametrize("attributes", [
    {"gen_ai.operation.name": "framework", "gen_ai.system": "spring_ai", "spring.ai.kind": "chat_client"},
    {"gen_ai.operation.name": "execute_event_loop_cycle", "gen_ai.system": "strands-agents"},
    {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5},
    {"gen_ai.operation.name": "invoke_swarm"},
    {"agent_name": "desk", "model_name": "m", "all_messages_events": "[]"},
    {"openinference.span.kind": "AGENT", "input.value": "a", "output.value": "b"},
], ids=lambda one: next(iter(one.values())))  # fmt: skip
def test_what_wraps_calls_is_none(attributes: dict[str, Any]) -> None:
    found = mapped("otel", request(span(listed(attributes))))
    assert (found.interactions.num_rows, found.other.num_rows, found.refused.num_rows) == (0, 1, 0)


@pytest.mark.parametrize("log_format", ["otel", "openinference"])
class TestOpenInference:
    def test_a_completion_of_llama_index_streams(self, log_format: str) -> None:
        row = of(
            {"openinference.span.kind": "LLM", "llm.prompts": ["Say hi."], "llm.model_name": "m",
             "input.value": json.dumps({"prompt": "Say hi."}), "output.value": "hi"},
            ("First Token Stream Event", {}), log_format=log_format,
        )  # fmt: skip
        assert (row["input_text"], row["output_text"], row["ttft_ms"]) == ("Say hi.", "hi", 0.0)

    def test_smolagents_puts_what_was_reasoned_behind_the_answer(self, log_format: str) -> None:
        said = "llm.output_messages.0.message.contents"
        row = of(
            {**LLM, "llm.output_messages.0.message.role": "assistant",
             f"{said}.0.message_content.type": "text", f"{said}.0.message_content.text": "Three.",
             f"{said}.1.message_content.type": "text", f"{said}.1.message_content.text": "Let me count.",
             "output.value": json.dumps({"role": "assistant", "content": "Three."})}, log_format=log_format,
        )  # fmt: skip
        assert row["output_text"] == "Three."

    def test_an_answer_in_two_texts_stays_whole(self, log_format: str) -> None:
        said = "llm.output_messages.0.message.contents"
        row = of(
            {**LLM, f"{said}.0.message_content.type": "text", f"{said}.0.message_content.text": "Three",
             f"{said}.1.message_content.type": "text", f"{said}.1.message_content.text": " of them.",
             "output.value": json.dumps({"role": "assistant", "content": [{"type": "text", "text": "Three"}]})},
            log_format=log_format,
        )  # fmt: skip
        assert row["output_text"] == "Three of them."

    def test_agno_gives_the_answer_twice_and_the_reasoning_once(self, log_format: str) -> None:
        said = "llm.output_messages.0.message"
        row = of(
            {**LLM, f"{said}.contents.0.message_content.type": "reasoning",
             f"{said}.contents.0.message_content.text": "count", f"{said}.contents.1.message_content.type": "text",
             f"{said}.contents.1.message_content.text": "Three.", f"{said}.content": "Three."}, log_format=log_format,
        )  # fmt: skip
        expected = {"role": "assistant", "content": "Three.", "reasoning_content": "count"}
        assert json.loads(row["output_json"]) == expected
        assert row["output_text"] == "Three."

    def test_the_outputs_of_dspy_with_reasoning(self, log_format: str) -> None:
        outputs = [{"text": "Three.", "reasoning_content": "count"}]
        row = of({**LLM, "output.value": json.dumps(outputs), "output.mime_type": "application/json"},
                 log_format=log_format)  # fmt: skip
        assert (row["output_text"], json.loads(row["output_json"])["reasoning_content"]) == ("Three.", "count")

    def test_mistrals_thinking_is_a_list_of_texts(self, log_format: str) -> None:
        message = {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "count"}]},
                {"type": "text", "text": "Three."},
            ],
        }
        whole = {"choices": [{"index": 0, "message": message, "finish_reason": "length"}]}
        row = of({**LLM, "output.value": json.dumps(whole), "output.mime_type": "application/json"},
                 log_format=log_format)  # fmt: skip
        assert (row["output_text"], json.loads(row["output_json"])["reasoning_content"]) == ("Three.", "count")
        assert row["finish_reason"] == "length"

    @pytest.mark.parametrize(("usage", "told"), [
        ({"usage": {"prompt_tokens": 7, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}},
         (7, 5, 4, None)),
        ({"usage": {"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 4,
                    "cache_creation_input_tokens": 2}}, (9, 5, 4, None)),
        ({"usage": {"inputTokens": 3, "outputTokens": 5, "cacheReadInputTokens": 4}}, (7, 5, 4, None)),
        ({"usage_metadata": {"prompt_token_count": 7, "candidates_token_count": 2, "thoughts_token_count": 5,
                             "cached_content_token_count": 1}}, (7, 7, 1, 5)),
        ({"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2}}, (7, 2, None, None)),
    ], ids=["openai", "anthropic", "bedrock", "gemini", "gemini-rest"])  # fmt: skip
    def test_tokens_that_only_the_whole_response_tells(
        self, log_format: str, usage: dict[str, Any], told: tuple[int | None, ...]
    ) -> None:
        row = of({**LLM, "output.value": json.dumps({"text": "Three.", **usage})}, log_format=log_format)
        assert tuple(row[f"{name}_tokens"] for name in ("input", "output", "cached", "reasoning")) == told
        counted = of({**LLM, "llm.token_count.prompt": 99, "output.value": json.dumps(usage)}, log_format=log_format)
        assert counted["input_tokens"] == 99

    @pytest.mark.parametrize(("written", "read"), [
        ("FinishReason.STOP", "stop"), ("MAX_TOKENS", "length"), (2, "length"), ("max_tokens", "max_tokens"),
        ("end_turn", "end_turn"), ("tool_call", "tool_calls"), ('["STOP"]', "stop"), (["SAFETY"], "content_filter"),
        ("FINISH", "stop"), ("abort", "error"), (9, "error"), (1, "stop"), ([], None), ("", None),
    ])  # fmt: skip
    def test_a_reason_to_end_may_be_a_number_a_list_or_in_capitals(
        self, log_format: str, written: Any, read: str | None
    ) -> None:
        assert of({**LLM, "llm.finish_reason": written}, log_format=log_format)["finish_reason"] == read


LITELLM = {
    "llm.request.type": "acompletion", "gen_ai.request.model": "gpt-4o", "gen_ai.system": "openai",
    "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 5, "gen_ai.usage.total_tokens": 14,
}  # fmt: skip


def test_litellms_metadata_is_python() -> None:
    row = of(
        {**LITELLM, "hidden_params": '{"litellm_call_id": "x"}',
         "metadata.requester_metadata": "{'route': 'faq', 'session_id': 's', 'user_id': 'ann', 'tags': [None, True]}",
         "metadata.usage_object": "{'prompt_tokens': 9, 'completion_tokens': 5, 'completion_tokens_details': "
                                  "{'reasoning_tokens': 3}, 'prompt_tokens_details': {'cached_tokens': 4}}"},
    )  # fmt: skip
    assert (row["route"], row["session_id"], row["user_key"]) == ("faq", "s", user_key("ann"))
    assert (row["cached_tokens"], row["reasoning_tokens"], row["tags"]) == (4, 3, None)


@pytest.mark.parametrize(
    "literal", ["{'route': ", "{'a': open('/etc/passwd')}", "{" * 500, "[1, 2]", "plain", "{1: 2}"]
)
def test_metadata_that_is_no_literal_loses_nothing_but_itself(literal: str) -> None:
    row = of({**LITELLM, "metadata.requester_metadata": literal, "metadata.usage_object": literal})
    assert (row["input_tokens"], row["route"], row["cached_tokens"]) == (9, None, None)


def test_litellms_log_records_name_their_event_in_an_attribute() -> None:
    said = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Here."}}
    logs = [
        ("gen_ai.content.prompt", {"role": "system", "content": "Be brief."}),
        ("gen_ai.content.prompt", {"role": "user", "content": "Where?"}),
        ("gen_ai.content.completion", said),
    ]
    records = [
        {"timeUnixNano": str(1772445600000000000 + number), "body": any_value(body), "spanId": "00000000000000a1",
         "traceId": "0af7651916cd43dd8448eb211c80319c", "attributes": listed({"event_name": name})}
        for number, (name, body) in enumerate(logs)
    ]  # fmt: skip
    requests = ({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]} for record in records)
    row = only("otel", request(span(listed(LITELLM))), *requests)
    assert roles(row) == ["system", "user"]
    assert (row["input_text"], row["output_text"], row["finish_reason"]) == ("Where?", "Here.", "stop")


MLFLOW = {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.spanInputs": json.dumps(
    {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where?"}]}
)}  # fmt: skip


def test_every_attribute_of_mlflows_is_json() -> None:
    row = of(
        {**MLFLOW, "mlflow.llm.model": '"gpt-4o"', "mlflow.llm.provider": '"openai"',
         "mlflow.llm.cost": '{"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3}',
         "mlflow.chat.tokenUsage": '{"input_tokens": 3, "output_tokens": 2, "total_tokens": 105,'
                                   ' "cache_creation_input_tokens": 100, "cache_read_input_tokens": 0}',
         "mlflow.spanOutputs": '"Here."'},
    )  # fmt: skip
    expected = {"model_requested": "gpt-4o", "provider": "openai", "cost_usd": 0.3, "input_tokens": 103,
                "input_text": "Where?", "output_text": "Here."}  # fmt: skip
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(("outputs", "told"), [
    ({"type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn", "usage": {"input_tokens": 3,
      "output_tokens": 2}, "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Here."}]},
     ("c", "end_turn", 3, 2)),
    ({"candidates": [{"content": {"role": "model", "parts": [{"text": "Here."}]}, "finish_reason": "MAX_TOKENS"}],
      "usage_metadata": {"prompt_token_count": 3, "candidates_token_count": 2}}, (None, "length", 3, 2)),
    ({"output": {"message": {"role": "assistant", "content": [{"text": "Here."}]}}, "stopReason": "end_turn",
      "usage": {"inputTokens": 3, "outputTokens": 2}}, (None, "end_turn", 3, 2)),
    ({"generations": [[{"text": "Here.", "message": {"type": "ai", "content": "Here.", "response_metadata": {
        "finish_reason": "stop"}}}]], "llm_output": {"token_usage": {"prompt_tokens": 3, "completion_tokens": 2}}},
     (None, "stop", 3, 2)),
], ids=["anthropic", "gemini", "bedrock", "langchain"])  # fmt: skip
def test_mlflow_logs_each_providers_answer_as_it_came(outputs: dict[str, Any], told: tuple[Any, ...]) -> None:
    row = of({**MLFLOW, "mlflow.spanOutputs": json.dumps(outputs)})
    assert row["output_text"] == "Here."
    assert (row["model_served"], row["finish_reason"], row["input_tokens"], row["output_tokens"]) == told


@pytest.mark.parametrize("version", [2, 3])
def test_a_trace_of_mlflows_is_its_spans(version: int) -> None:
    new = {"trace_id": "CvdlGRbNQ92ESOshHIAxnA==", "span_id": "AAAAAAAAAKI=", "parent_span_id": "AAAAAAAAAKE=",
           "start_time_unix_nano": 1772445600000000000, "end_time_unix_nano": 1772445600500000000,
           "status": {"code": "STATUS_CODE_OK", "message": ""}}  # fmt: skip
    old = {"context": {"trace_id": "0x0af7651916cd43dd8448eb211c80319c", "span_id": "0x00000000000000a2"},
           "parent_id": "0x00000000000000a1", "start_time": 1772445600000000000, "end_time": 1772445600500000000,
           "status_code": "OK"}  # fmt: skip
    call = {
        "name": "Completions",
        **(new if version == 3 else old),
        "attributes": {**MLFLOW, "mlflow.spanOutputs": '"Here."'},
    }
    agent = {**call, "span_id": "AAAAAAAAAKE=", "attributes": {"mlflow.spanType": '"AGENT"'}}
    info = {"trace_metadata": {"mlflow.trace.session": "s", "mlflow.trace.user": "ann"}}
    found = mapped("otel", {"info": info, "data": {"spans": [agent, call]}})
    (row,) = found.interactions.to_pylist()
    assert (found.other.num_rows, found.refused.num_rows) == (1, 0)
    expected = {"call_id": "00000000000000a2", "trace_id": "0af7651916cd43dd8448eb211c80319c", "latency_ms": 500.0,
                "input_text": "Where?", "output_text": "Here.", "model_requested": "gpt-4o", "session_id": "s",
                "user_key": user_key("ann")}  # fmt: skip
    assert {name: row[name] for name in expected} == expected
