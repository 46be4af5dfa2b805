"""Embedding models over litellm, against a real HTTP server on loopback."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.config.load import Budget, Config, Embedding
from flows.errors import RunError
from flows.lake.lake import from_rows
from flows.semantics import embedding, run
from flows.semantics.remote_embedding import BATCH, Remote
from tests.unit.semantics.test_semantics import FIRST, call


class Endpoint:
    """Embeds a text as its length, `value` and the count of `a`; first the statuses of `script`, one a request."""

    def __init__(self) -> None:
        endpoint = self
        self.script: list[int] = []
        self.value: float | None = 1.0
        self.requests: list[tuple[dict[str, Any], str | None]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append((body, self.headers.get("Authorization")))
                status = endpoint.script.pop(0) if endpoint.script else 200
                rows = [
                    {
                        "object": "embedding",
                        "index": place,
                        "embedding": [float(len(text)), endpoint.value, text.count("a")],
                    }
                    for place, text in enumerate(body["input"])
                ]
                usage = {"prompt_tokens": 1, "total_tokens": 1}
                answer: dict[str, Any] = {"object": "list", "model": "m", "data": rows[::-1], "usage": usage}
                if status != 200:
                    answer = {"error": {"message": "injected\nmore", "type": "injected"}}
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()
    yield found
    found.close()


def remote(endpoint: Endpoint, **keys: Any) -> Remote:
    return Remote("m", Embedding(model="openai/m", api_base=endpoint.url, **keys), Budget(), first_pause_s=0.01)


def test_every_text_gets_its_own_vector_in_batches(endpoint: Endpoint) -> None:
    texts = [f"{'a' * (number % 7)} text {number}" for number in range(BATCH * 2 + 5)]
    found = remote(endpoint, api_key="k", params={"user": "genchi"}).embed(texts)
    expected = np.array([[len(text), 1, text.count("a")] for text in texts], float)
    assert np.allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert sorted(len(body["input"]) for body, _ in endpoint.requests) == [5, BATCH, BATCH]
    assert {(body["model"], body["user"], key) for body, key in endpoint.requests} == {("m", "genchi", "Bearer k")}


def test_what_may_pass_is_asked_again_and_what_will_not_is_not(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a key for somebody else")
    endpoint.script = [503, 429]
    assert remote(endpoint).embed(["text"]).shape == (1, 3)
    assert [key for _, key in endpoint.requests] == ["Bearer none"] * 3
    endpoint.script = [400]
    with pytest.raises(RunError, match=r"^openai/m: BadRequestError") as caught:
        remote(endpoint).embed(["text"])
    assert len(endpoint.requests) == 4
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_vector_with_a_value_that_is_no_number_is_one_line(endpoint: Endpoint, value: float | None) -> None:
    endpoint.value = value
    with pytest.raises(RunError, match=r"^openai/m: 2 of 2 vectors have values that are no finite number; check"):
        remote(endpoint).embed(["one", "two"])


def test_a_day_is_embedded_by_the_configured_model(endpoint: Endpoint, tmp_path: Path) -> None:
    settings = Embedding(model="openai/m", api_base=endpoint.url)
    config = Config(path=tmp_path / "genchi.yaml", app="desk", lake=tmp_path / "lake", embedding=settings)
    lake = config.open_lake()
    lake.write("interactions", FIRST, from_rows([call(FIRST, n, f"text {n % 3}") for n in range(9)], "interactions"))
    assert run.embed_days(config, FIRST, FIRST).new == 6
    assert run.embed_days(config, FIRST, FIRST).new == 0
    assert set(lake.read("embeddings", FIRST)["model"].to_pylist()) == {embedding.name_of(config)}
    assert sum(len(body["input"]) for body, _ in endpoint.requests) == 6
