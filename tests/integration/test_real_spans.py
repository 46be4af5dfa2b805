"""Spans that real clients wrote about real calls, mapped and held against what the server saw and answered."""

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from flows.ingest.map.mapper import Mapped
from tests.integration.instrumented import SETTINGS
from tests.integration.servers import replayed
from tests.integration.workspaces import rows_of
from tests.reading import mapped_files, user_key

TOOL_CALL = {
    "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Kyōto"}'}
}  # fmt: skip


@dataclass
class Exchange:
    """One request as the server saw it, and its answer."""

    request: dict[str, Any]
    status: int
    response: dict[str, Any]


@dataclass
class Recorder:
    """A server between client and replay server, which adds what that one lacks: tool calls and streams."""

    address: str
    exchanges: list[Exchange] = field(default_factory=list)


@contextmanager
def recorded(upstream: str) -> Iterator[Recorder]:
    """A recorder in front of the replay server at `upstream`."""
    recorder = Recorder("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "tools" in request:
                status, response = 200, _asking_a_tool(request)
            else:
                status, response = _forwarded(
                    upstream, {k: v for k, v in request.items() if not k.startswith("stream")}
                )
            recorder.exchanges.append(Exchange(request, status, response))
            body = _stream(response) if request.get("stream") else json.dumps(response).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream" if request.get("stream") else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorder.address = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _forwarded(upstream: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    sent = urllib.request.Request(f"{upstream}/chat/completions", json.dumps(request).encode())
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def _asking_a_tool(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "replay-tool", "object": "chat.completion", "created": 1, "model": f"{request['model']}-served",
        "system_fingerprint": "fp_tool",
        "choices": [{"index": 0, "finish_reason": "tool_calls",
                     "message": {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49,
                  "prompt_tokens_details": {"cached_tokens": 32},
                  "completion_tokens_details": {"reasoning_tokens": 4}},
    }  # fmt: skip


def _stream(response: dict[str, Any]) -> bytes:
    """A whole answer as the chunks of a stream, word by word, the usage last."""
    choice = response["choices"][0]
    words = choice["message"]["content"].split(" ")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word if number == 0 else f" {word}"} for number, word in enumerate(words)]
    shared = {name: response[name] for name in ("id", "created", "model", "system_fingerprint")}
    shared["object"] = "chat.completion.chunk"
    chunks = [{**shared, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    chunks.append({**shared, "choices": [], "usage": response["usage"]})
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode() + b"data: [DONE]\n\n"


CALLS = ("several", "parts", "asks_a_tool", "has_asked_a_tool", "streamed", "fails")
# What each client does not write; all else it must tell as the server saw it.
LEFT_OUT: dict[str, set[str]] = {
    # The official client: no user, no details of usage, of a stream no fingerprint, and not
    # the contents of a message that is a list of parts.
    "v2_spans": {"user_key", "cached_tokens", "reasoning_tokens", "streamed.system_fingerprint",
                 "parts.contents", "ttft_ms", "tools"},
    # OpenLLMetry: no seed; of a stream no fingerprint, and the first chunk only where there are few.
    "openllmetry": {"seed", "streamed.system_fingerprint", "ttft_ms"},
    "openinference": set(),
}  # fmt: skip
LEFT_OUT["v2_events"] = LEFT_OUT["v2_spans"]
LEFT_OUT["v2_silent"] = LEFT_OUT["v2_spans"] | {"messages", "output", "streamed.finish_reason"}


@dataclass
class Watched:
    """What the server saw, and the files that the client's instrumentation wrote."""

    exchanges: list[Exchange]
    spans: Path
    logs: Path


@pytest.fixture(scope="module", params=SETTINGS)
def setting(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def watched(setting: str, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """The application of `instrumented`, run once a setting."""
    folder = tmp_path_factory.mktemp(setting)
    spans, logs = folder / "spans.jsonl", folder / "logs.jsonl"
    rows = rows_of(shared, "happy_numbers")
    model = rows[0]["model"]
    questions = [row["query"] for row in rows if row["model"] == model][:2]
    with replayed(shared, "happy_numbers.parquet") as upstream, recorded(upstream) as recorder:
        command = [sys.executable, "-m", "tests.integration.instrumented", setting, recorder.address]
        command += [model.rsplit("/", 1)[-1], *questions, str(spans), str(logs)]
        root = Path(__file__).resolve().parents[2]
        run = subprocess.run(
            command, env={**os.environ, **SETTINGS[setting]}, cwd=root, capture_output=True, text=True, check=False
        )
    assert run.returncode == 0, run.stderr[-2000:]
    assert len(recorder.exchanges) == len(CALLS)
    return Watched(recorder.exchanges, spans, logs)


def mapped(log_format: str, *paths: Path) -> Mapped:
    return mapped_files(log_format, *paths)


def plain(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Chat messages with what conventions may write in more than one way written in one: arguments parsed."""
    told = []
    for message in messages:
        calls = [
            {"id": call["id"], **call["function"], "arguments": json.loads(call["function"]["arguments"])}
            for call in message.get("tool_calls") or []
        ]
        content = message.get("content")
        if isinstance(content, list) and [part["type"] for part in content] == ["text"]:
            content = content[0]["text"]
        told.append({"role": message["role"], "content": content, "calls": calls, "of": message.get("tool_call_id")})
    return told


@pytest.mark.long
def test_every_column_is_what_the_server_saw(setting: str, watched: Watched) -> None:
    found = mapped("openinference" if setting == "openinference" else "otel", watched.spans, watched.logs)
    assert not len(found.refused)
    assert not len(found.feedback)
    # The application's own span, and the log records whose contents went into their spans.
    assert len(found.other) == 1 + (len(CALLS) if setting == "v2_events" else 0)
    rows = sorted(found.interactions.to_pylist(), key=lambda row: row["started_at"])
    assert len(rows) == len({row["call_id"] for row in rows}) == len(CALLS)
    for name, row, exchange in zip(CALLS, rows, watched.exchanges, strict=True):
        left_out = {item.removeprefix(f"{name}.") for item in LEFT_OUT[setting]}
        expected = expected_of(exchange, left_out)
        assert {key: told_of(row).get(key) for key in expected} == expected, name
        assert 0 < row["latency_ms"] < 60_000
        assert len(row["trace_id"]) == 32
        if name == "streamed" and "ttft_ms" not in left_out:
            assert 0 < row["ttft_ms"] < row["latency_ms"]
        if not left_out & {"messages", "contents"} and name != "fails":
            assert row["input_text"] == plain(exchange.request["messages"])[-1]["content"]
            assert row["output_text"] == exchange.response["choices"][0]["message"]["content"]
        if name == "asks_a_tool" and "tools" not in left_out:
            assert "The weather in a city." in row["params_json"]


def expected_of(exchange: Exchange, left_out: set[str]) -> dict[str, Any]:
    """What `told_of` must be of one exchange."""
    request, response = exchange.request, exchange.response
    expected = {
        "environment": "staging",
        "release": "2.1",
        "service": "weather-desk",
        "provider": "openai",
        "model_requested": request["model"],
        "user_key": user_key(request.get("user")),
        "status": "success" if exchange.status == 200 else "error",
        "messages": plain(request["messages"]),
        **{key: request.get(key) for key in ("temperature", "top_p", "max_tokens", "seed")},
    }
    if exchange.status == 200:
        choice, usage = response["choices"][0], response["usage"]
        expected |= {
            "model_served": response["model"],
            "response_id": response["id"],
            "system_fingerprint": response["system_fingerprint"],
            "finish_reason": choice["finish_reason"],
            "output": plain([choice["message"]]),
            "input_tokens": usage["prompt_tokens"],
            "output_tokens": usage["completion_tokens"],
            "cached_tokens": usage.get("prompt_tokens_details", {}).get("cached_tokens"),
            "reasoning_tokens": usage.get("completion_tokens_details", {}).get("reasoning_tokens"),
        }
    else:
        expected |= {"model_served": None, "finish_reason": None, "output": None, "input_tokens": None}
    if "contents" in left_out:
        expected["messages"] = [{**message, "content": None} for message in expected["messages"]]
    return expected | dict.fromkeys(left_out & expected.keys())


def told_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its JSON columns taken apart."""
    tags, params = json.loads(row["tags"]), json.loads(row["params_json"] or "{}")
    return {
        **row,
        **{key: params.get(key) for key in ("temperature", "top_p", "max_tokens", "seed")},
        "service": tags.get("service.name"),
        "response_id": tags.get("response_id"),
        "messages": plain(json.loads(row["messages_json"])) if row["messages_json"] else None,
        "output": plain([json.loads(row["output_json"])]) if row["output_json"] else None,
    }


@pytest.mark.long
def test_the_error_that_a_client_met_is_told(setting: str, watched: Watched) -> None:
    found = mapped("openinference" if setting == "openinference" else "otel", watched.spans)
    [failed] = [row for row in found.interactions.to_pylist() if row["status"] == "error"]
    assert failed["error_type"].endswith("NotFoundError")
    assert watched.exchanges[-1].response["error"]["message"] in failed["error_message"]


@pytest.mark.long
@pytest.mark.parametrize("setting", ["v2_events"], indirect=True, scope="module")
def test_contents_in_a_file_of_their_own_are_calls_with_the_ids_of_their_spans(watched: Watched) -> None:
    spans, logs = mapped("otel", watched.spans).interactions, mapped("otel", watched.logs).interactions
    assert set(spans.column("call_id").to_pylist()) == set(logs.column("call_id").to_pylist())
    assert spans.column("messages_json").null_count == len(CALLS)
    assert logs.column("messages_json").null_count == 0
