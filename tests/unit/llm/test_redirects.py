"""A request to a model stays on its host: neither its key nor its texts follow a redirect to another one."""

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import openai
import pytest

from flows.config import Budget, Embedding, Model
from flows.errors import RunError
from flows.llm import LiteLLMClient, close_clients
from flows.llm.litellm_setup import load_litellm
from flows.semantics.remote_embedding import Remote
from tests.serving import Quiet, serving

KEY = "sk-test-0123456789abcdef"


class Server(ThreadingHTTPServer):
    """Sends every request on to `target`, or where there is none, remembers it."""

    def __init__(self, target: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.seen = target, list[tuple[str, str]]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(Quiet, BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        self.server.seen.append((str(self.headers), body))
        self.send_response(307 if self.server.target else 200)
        if self.server.target:
            self.send_header("location", self.server.target + self.path)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture
def thief() -> Iterator[Server]:
    with serving(Server()) as server:
        yield server


@pytest.fixture
def lure(thief: Server) -> Iterator[Server]:
    with serving(Server(thief.url)) as server:
        yield server


def test_a_client_that_follows_redirects_stays_on_its_host(lure: Server, thief: Server) -> None:
    load_litellm()
    with httpx.Client(follow_redirects=True) as client, pytest.raises(httpx.RequestError, match="another host"):
        client.post(f"{lure.url}/x", content="a private text")
    lure.target = ""
    with httpx.Client(follow_redirects=True) as client:
        assert client.post(f"{lure.url}/x").status_code == 200
    assert thief.seen == []


def test_a_client_that_follows_no_redirect_gets_it_as_its_answer(
    lure: Server, thief: Server, caplog: pytest.LogCaptureFixture
) -> None:
    load_litellm()
    with httpx.Client() as client:
        answer = client.post(f"{lure.url}/x")
        with pytest.raises(httpx.RequestError, match="another host"):
            client.post(f"{lure.url}/x", follow_redirects=True)
    assert answer.status_code == 307
    assert thief.seen == []
    assert caplog.text.count("which is not followed") == 1


@pytest.mark.parametrize("model", ["openai/m", "anthropic/claude-3-haiku-20240307", "hosted_vllm/m", "azure/m"])
def test_no_model_is_asked_at_another_host(lure: Server, thief: Server, model: str) -> None:
    async def ask() -> None:
        more = {"api_version": "2024-02-01"} if model.startswith("azure") else {}
        asked = Model(model=model, api_base=lure.url, api_key=KEY, params=more)
        client = LiteLLMClient(asked, first_pause_s=0.0)
        answer = await client.ask([{"role": "user", "content": "a private text"}], more)
        await close_clients()
        assert answer.status == "error"
        assert KEY not in str(answer)

    asyncio.run(ask())
    assert lure.seen
    assert KEY in str(lure.seen)
    assert thief.seen == []


def test_no_text_is_embedded_at_another_host(lure: Server, thief: Server) -> None:
    model = Embedding(model="openai/e", api_base=lure.url, api_key=KEY)
    with pytest.raises(RunError):
        Remote("openai/e", model, Budget(), first_pause_s=0.0).embed(["a private text"])
    assert lure.seen
    assert thief.seen == []


def test_no_batch_is_uploaded_to_another_host(lure: Server, thief: Server) -> None:
    litellm = load_litellm()
    with pytest.raises(openai.APIConnectionError, match="Connection error"):
        litellm.create_file(
            file=("x.jsonl", b"{}"), purpose="batch", custom_llm_provider="openai", api_base=lure.url, api_key=KEY,
            max_retries=0, timeout=5,
        )  # fmt: skip
    assert lure.seen
    assert thief.seen == []
