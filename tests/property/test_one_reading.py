"""One conversation, in the shape of every format and framework, comes to the same question, answer and messages."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reading import mapped
from tests.unit.ingest.test_spans import attributes_of, request, span

Turns = list[dict[str, Any]]
# Texts as users write them: no control characters, and none that is JSON of messages by itself.
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip)
TEXTS = st.one_of(
    WORDS, st.sampled_from(['{"a": 1}', "[1, 2]", "[INST] hi", '"quoted"', "{x", "- a\n- b", "ends...", "<think>"])
)
TALKS = st.tuples(TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=2), TEXTS, TEXTS)


def turns_of(talk: Any) -> Turns:
    system, earlier, question, _ = talk
    told = [("system", system)]
    told += [turn for asked, said in earlier for turn in (("user", asked), ("assistant", said))]
    return [{"role": role, "content": text} for role, text in (*told, ("user", question))]


def gemini(turns: Turns) -> list[dict[str, Any]]:
    return [{"role": "model" if turn["role"] == "assistant" else turn["role"], "parts": [{"text": turn["content"]}]}
            for turn in turns]  # fmt: skip


def parts(turns: Turns, **more: Any) -> list[dict[str, Any]]:
    return [{"role": turn["role"], "parts": [{"type": "text", "content": turn["content"]}], **more} for turn in turns]


def blocks(turns: Turns) -> list[dict[str, Any]]:
    return [{"role": turn["role"], "content": [{"type": "text", "text": turn["content"]}]} for turn in turns]


def otel(**attributes: Any) -> tuple[str, Any]:
    log_format = "openinference" if "openinference__span__kind" in attributes else "otel"
    return log_format, request(span(attributes_of(**attributes)))


def langfuse(asked: Any, answered: Any) -> tuple[str, Any]:
    return "langfuse", {
        "id": "a", "trace_id": "t", "type": "GENERATION", "start_time": "2026-03-02 10:00:00.000", "input": asked,
        "output": answered,
    }  # fmt: skip


def litellm(asked: Any, answered: Any, **more: Any) -> tuple[str, Any]:
    return "litellm", {"id": "a", "call_type": "acompletion", "startTime": 1772445600, "messages": asked,
                       "response": answered, **more}  # fmt: skip


def message(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def chosen(text: str) -> dict[str, Any]:
    return {"id": "r", "created": 1772445600, "object": "chat.completion",
            "choices": [{"finish_reason": "stop", "message": message(text)}]}  # fmt: skip


def responded(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text}]
    return {"id": "r", "created_at": 1772445600, "object": "response", "status": "completed", "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "message", "role": "assistant", "content": content}]}  # fmt: skip


def thought(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": text}]}


def indexed(turns: Turns, name: str) -> dict[str, str]:
    return {f"{name}.{n}.{key}": turn[key] for n, turn in enumerate(turns) for key in turn}


def flattened(turns: Turns, name: str) -> dict[str, str]:
    return {f"{name}.{n}.message.{key}": turn[key] for n, turn in enumerate(turns) for key in turn}


CHAT = {"gen_ai__operation__name": "chat"}
GENCHI = {"call_id": "a", "started_at": 1772445600}
SHAPES: dict[str, Callable[[Turns, str], tuple[str, Any]]] = {
    "genchi": lambda turns, said: ("genchi", {**GENCHI, "messages": turns, "output_json": message(said)}),
    "genchi, texts of JSON": lambda turns, said: ("genchi", {
        **GENCHI, "messages_json": json.dumps(turns), "output_json": json.dumps(message(said))}),
    "litellm": lambda turns, said: litellm(turns, chosen(said)),
    "litellm, blocks": lambda turns, said: litellm(blocks(turns), {"choices": [{"message": thought(said)}]}),
    "litellm, Responses": lambda turns, said: litellm(
        None, responded(said), call_type="aresponses", proxy_server_request={"input": turns}),
    "litellm, Gemini": lambda turns, said: litellm(
        gemini(turns[1:]), {"candidates": [{"content": gemini([message(said)])[0]}]}, call_type="agenerate_content",
        proxy_server_request={"systemInstruction": {"parts": [{"text": turns[0]["content"]}]}}),
    "openai": lambda turns, said: ("openai", {"request": {"messages": turns}, "response": chosen(said)}),
    "openai, Responses": lambda turns, said: ("openai", {
        "request": {"input": turns[1:], "instructions": turns[0]["content"]}, "response": responded(said)}),
    "langfuse": lambda turns, said: langfuse(turns, message(said)),
    "langfuse, texts of JSON": lambda turns, said: langfuse(json.dumps(turns), json.dumps(message(said))),
    "langfuse, parts": lambda turns, said: langfuse(parts(turns), parts([message(said)])),
    "langfuse, ADK": lambda turns, said: langfuse(
        {"model": "m", "config": {"system_instruction": turns[0]["content"]}, "contents": gemini(turns[1:])},
        {"content": gemini([message(said)])[0], "partial": False}),
    "langfuse, LangChain": lambda turns, said: langfuse(
        {"messages": [[{"type": turn["role"], "data": {"content": turn["content"]}} for turn in turns]]},
        {"generations": [[{"text": said, "message": {"type": "ai", "data": {"content": said}}}]]}),
    "otel, parts": lambda turns, said: otel(
        **CHAT, gen_ai__input__messages=json.dumps(parts(turns[1:])),
        gen_ai__system_instructions=json.dumps([{"type": "text", "content": turns[0]["content"]}]),
        gen_ai__output__messages=json.dumps(parts([message(said)], finish_reason="stop"))),
    "otel, structured": lambda turns, said: otel(
        **CHAT, gen_ai__input__messages=parts(turns), gen_ai__output__messages=parts([message(said)])),
    "otel, OpenLLMetry": lambda turns, said: otel(
        **CHAT, **indexed(turns, "gen_ai.prompt"), **indexed([message(said)], "gen_ai.completion")),
    "otel, Vercel": lambda turns, said: otel(
        ai__operationId="ai.generateText.doGenerate", ai__prompt__messages=json.dumps(blocks(turns)),
        ai__response__text=said),
    "otel, Langfuse's SDK": lambda turns, said: otel(
        langfuse__observation__type="generation", langfuse__observation__input=json.dumps(turns),
        langfuse__observation__output=json.dumps(message(said))),
    "otel, MLflow": lambda turns, said: otel(
        mlflow__spanType="CHAT_MODEL", mlflow__spanInputs=json.dumps({"messages": turns}),
        mlflow__spanOutputs=json.dumps(chosen(said))),
    "openinference": lambda turns, said: otel(
        openinference__span__kind="LLM", **flattened(turns, "llm.input_messages"),
        **flattened([message(said)], "llm.output_messages")),
    "openinference, whole": lambda turns, said: otel(
        openinference__span__kind="LLM", input__value=json.dumps({"messages": turns, "model": "m"}),
        output__value=json.dumps(chosen(said)), output__mime_type="application/json"),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=8, deadline=None)
@given(talk=TALKS)
def test_a_conversation_is_read_alike_in_every_shape(shape: str, talk: Any) -> None:
    turns, said = turns_of(talk), talk[-1]
    log_format, record = SHAPES[shape](turns, said)
    (row,) = mapped(log_format, json.dumps(record)).interactions.to_pylist()
    answer = json.loads(row["output_json"])
    assert json.loads(row["messages_json"]) == turns
    assert (row["input_text"], row["output_text"], row["is_cut"]) == (talk[2], said, False)
    assert (answer["role"], answer["content"]) == ("assistant", said)


@settings(max_examples=60, deadline=None)
@given(talk=TALKS)
def test_what_sql_says_of_plain_messages_is_what_the_function_says(talk: Any) -> None:
    turns = turns_of(talk)
    record = {**GENCHI, "messages": turns, "output_json": message(talk[-1])}
    # A field that only another framework's messages have leads to the function.
    other = {**GENCHI, "messages": [{**turn, "data": None} if n else {**turn, "data": []}
                                    for n, turn in enumerate(turns)],
             "output_json": {**message(talk[-1]), "data": []}}  # fmt: skip
    first, second = (mapped("genchi", json.dumps(one)).interactions.to_pylist()[0] for one in (record, other))
    told = ("input_text", "output_text", "is_cut")
    assert [first[name] for name in told] == [second[name] for name in told]
    assert [{key: turn[key] for key in ("role", "content")} for turn in json.loads(second["messages_json"])] == turns
