"""Records that litellm's own callbacks wrote of real calls, mapped and held against what was asked and answered."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flows.ingest.map.mapper import Mapped
from tests.integration.servers import replayed
from tests.integration.workspaces import rows_of
from tests.reading import mapped as mapped_records
from tests.reading import user_key

pytestmark = pytest.mark.long

MODEL = "gpt-4-0613"


@contextmanager
def streaming() -> Iterator[str]:
    """The base address of a server that answers in parts, a tenth of a second apart; the replay server does not."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for part in ("an answer ", "in parts", None):
                time.sleep(0.1)
                choice = {
                    "index": 0,
                    "delta": {"content": part} if part else {},
                    "finish_reason": None if part else "stop",
                }
                chunk = {
                    "id": "s-1",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": MODEL,
                    "choices": [choice],
                }
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def call_everything(url: str, log: str, questions: list[str]) -> None:
    """Run in a process of its own, for litellm's callbacks and cache are the process's."""
    # litellm 1.106 imports soundfile where it logs and caches, and does not ask for it.
    sys.modules.setdefault("soundfile", types.ModuleType("soundfile"))
    import litellm
    from litellm.caching.caching import Cache
    from litellm.integrations.custom_logger import CustomLogger

    class Writer(CustomLogger):
        def _write(self, kwargs: dict[str, Any]) -> None:
            with Path(log).open("a", encoding="utf-8") as file:
                file.write(json.dumps(kwargs["standard_logging_object"], default=str) + "\n")

        def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            self._write(kwargs)

        def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            self._write(kwargs)

        async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            self._write(kwargs)

        async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            self._write(kwargs)

    litellm.callbacks = [Writer()]
    common: dict[str, Any] = {"model": f"openai/{MODEL}", "api_base": url, "api_key": "none", "max_retries": 0}
    asked = [[{"role": "user", "content": question}] for question in questions]

    async def calls() -> None:
        about = {"requester_metadata": {"route": "happy"}, "tags": ["a"]}
        await litellm.acompletion(messages=asked[0], temperature=0.5, user="user-7", metadata=about, **common)
        with streaming() as streamed:
            stream = await litellm.acompletion(messages=asked[1], stream=True, **{**common, "api_base": streamed})
            async for _ in stream:
                pass
        with suppress(litellm.exceptions.NotFoundError):
            await litellm.acompletion(messages=[{"role": "user", "content": "never recorded"}], **common)
        unpriced = {**common, "model": f"custom_openai/{MODEL}"}
        await litellm.acompletion(messages=asked[3], **unpriced)
        await asyncio.sleep(2)

    asyncio.run(calls())
    litellm.cache = Cache(type="local")
    for _ in range(2):
        litellm.completion(messages=asked[2], caching=True, **common)
        time.sleep(1)


@pytest.fixture(scope="module")
def logged(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The recorded answers to the questions asked, and the payloads as litellm wrote them."""
    rows = [row for row in rows_of(shared, "happy_numbers") if row["model"].endswith(MODEL)][:4]
    log = tmp_path_factory.mktemp("litellm") / "log.jsonl"
    with replayed(shared, "happy_numbers.parquet") as url:
        code = "import sys, json; from tests.integration.test_real_litellm import call_everything as call;"
        asked = json.dumps([row["query"] for row in rows])
        subprocess.run(
            [sys.executable, "-c", f"{code} call(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))",
             f"{url.rstrip('/')}", str(log), asked],
            check=True, env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}, timeout=120,
        )  # fmt: skip
    return rows, [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def mapped(payloads: list[dict[str, Any]]) -> Mapped:
    return mapped_records("litellm", *payloads)


def test_every_call_is_mapped_as_it_was_asked_and_answered(
    logged: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    rows, payloads = logged
    result = mapped(payloads)
    assert (len(result.interactions), len(result.other), len(result.refused)) == (6, 0, 0)
    calls = result.interactions.to_pylist()
    assert len({call["call_id"] for call in calls}) == 6
    by_question: dict[str, list[dict[str, Any]]] = {}
    for call in calls:
        by_question.setdefault(call["input_text"], []).append(call)
    for row in rows:
        for call in by_question[row["query"]]:
            assert call["output_text"] == ("an answer in parts" if row is rows[1] else row["answer"])
            assert call["status"] == "success"
            assert call["finish_reason"] == "stop"
            assert call["model_requested"].split("/")[-1] == call["model_served"].split("/")[-1] == MODEL
            assert call["latency_ms"] > 0
            counted = (None, None) if row is rows[1] else (31, 5)
            assert (
                call["input_tokens"],
                call["output_tokens"],
            ) == counted  # litellm writes 0 for a stream without usage
    (plain,), (streamed,), cached = (by_question[row["query"]] for row in rows[:3])
    assert (plain["user_key"], plain["route"], plain["provider"]) == (user_key("user-7"), "happy", "openai")
    assert "user-7" not in plain["params_json"]
    assert json.loads(plain["params_json"])["temperature"] == 0.5
    assert plain["cost_usd"] > 0
    assert plain["ttft_ms"] is None
    assert (streamed["cost_usd"], streamed["cost_source"]) == (None, "unknown")
    assert 50 < streamed["ttft_ms"] < streamed["latency_ms"] - 50
    assert sorted(call["cache_hit"] is True for call in cached) == [False, True]
    (failed,) = by_question["never recorded"]
    assert (failed["status"], failed["error_type"], failed["input_tokens"]) == ("error", "NotFoundError", None)
    assert failed["error_message"]
    (unpriced,) = by_question[rows[3]["query"]]
    assert (unpriced["cost_usd"], unpriced["cost_source"]) == (None, "unknown")


def test_the_payload_that_litellm_published_loses_no_field(shared: Path) -> None:
    path = shared / "data" / "traces" / "litellm" / "standard_logging_payload.json"
    (row,) = mapped([json.loads(path.read_text(encoding="utf-8"))]).interactions.to_pylist()
    found = {name: value for name, value in row.items() if value is not None and name != "key"}
    assert found.pop("started_at").isoformat() == "2025-01-24T09:20:46.847371+00:00"
    assert json.loads(found.pop("output_json"))["content"] == "hi"
    assert json.loads(found.pop("messages_json")) == [{"role": "user", "content": "Hello, world!"}]
    assert found == {
        "file": 0, "line": 1, "call_id": "chatcmpl-2299b6a2-82a3-465a-b47c-04e685a2227f", "provider": "openai",
        "model_requested": "gpt-4o", "model_served": "gpt-4o", "params_json": "{}", "input_text": "Hello, world!",
        "output_text": "hi", "finish_reason": "stop", "latency_ms": 4.583, "ttft_ms": 4.583, "input_tokens": 10,
        "output_tokens": 20, "cost_usd": 0.00022500000000000002, "cost_source": "logged", "status": "success",
        "is_shadow": False, "is_cut": False, "logged_as": "acompletion",
    }  # fmt: skip
