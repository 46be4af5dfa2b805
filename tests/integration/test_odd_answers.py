"""Whatever a provider sends, an evaluation ends, every answer is stored, and so is every failure."""

import json
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.config import Config, Model, load
from flows.lake.lake import Lake, from_rows
from flows.llm import LiteLLMClient
from tests.evaluating import evaluate_night
from tests.serving import Quiet, serving

pytestmark = pytest.mark.long

DAY, RUN = date(2026, 5, 4), "nightly-2026-05-04"
EXAMPLES = 2

odd_texts = st.one_of(
    st.text(st.characters(exclude_categories=())),  # with half characters
    st.sampled_from(["\ud83d", "\udc00a", "\x00", "a\x00b", "\u202e", "\x1b[2J", "x" * 200_000, "{", "null", ""]),
)
odd_values = st.one_of(
    odd_texts,
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1.5, 2**63, 10**40, 1e308, [], {}, ["\ud83d"], {"\ud83d": "\x00"}]),
)
tool_calls = st.lists(
    st.fixed_dictionaries(
        {"id": odd_texts, "type": st.just("function")},
        optional={"function": st.fixed_dictionaries({"name": odd_texts, "arguments": odd_texts})},
    ),
    max_size=2,
)
messages = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": odd_values},
    optional={"refusal": odd_values, "tool_calls": tool_calls, "reasoning_content": odd_values},
)
usages = st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens"]), odd_values)
replies = st.fixed_dictionaries(
    {
        "choices": st.one_of(
            st.just([]),
            odd_values,
            st.lists(
                st.fixed_dictionaries(
                    {"index": st.just(0), "message": messages}, optional={"finish_reason": odd_values}
                ),
                min_size=1,
                max_size=1,
            ),
        )
    },
    optional={"id": odd_values, "model": odd_values, "system_fingerprint": odd_values, "usage": usages | odd_values},
)
errors = st.fixed_dictionaries({"error": st.fixed_dictionaries({"message": odd_texts}, optional={"code": odd_values})})
headers = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="0123456789"), max_size=40)
answers = st.tuples(st.sampled_from([200, 200, 200, 400, 422, 429, 500]), replies | errors | odd_values, headers)


class Endpoint(ThreadingHTTPServer):
    """Gives the same answer to every request: its status, its body and an odd Retry-After."""

    answer: tuple[int, Any, str] = (200, {}, "")


class Handler(Quiet, BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body, header = self.server.answer
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name in ("Retry-After", "x-request-id", "openai-model"):
            self.send_header(name, header)
        self.end_headers()
        self.wfile.write(data)


def workspace(folder: Path, port: int) -> Config:
    (folder / "h.jsonl").write_text("{}")
    (folder / "c.yaml").write_text(
        "- {name: ok, kind: regex, pattern: '^'}\n- {name: json, kind: json_valid}\n"
        "- {name: cheap, kind: cost, max_usd: 1}"
    )
    base = f'api_base: "http://127.0.0.1:{port}/v1", price: {{input: 1, output: 1}}'
    (folder / "genchi.yaml").write_text(
        "app: a\nlake: lake\nroutes:\n  r: {holdout: h.jsonl, criteria: c.yaml}\nmodels:\n"
        f"  pinned: {{model: openai/old, {base}}}\n  candidates:\n    - {{model: openai/new, {base}}}\n"
        "  canary: {prompts: 0}\n"
    )
    config = load.load_config(folder / "genchi.yaml")
    example = {"set": "holdout", "route": "r", "version": "v", "messages_json": '[{"role": "user", "content": "q"}]'}
    rows = [{**example, "example_id": str(n), "input_text": "q"} for n in range(EXAMPLES)]
    Lake(config.lake).write("examples", DAY, from_rows(rows, "examples"))
    return config


def impatient(model: Model) -> LiteLLMClient:
    return LiteLLMClient(model, first_pause_s=0.001, patience_s=0.05)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydantic's, about litellm's types that hold what they should not
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(answers)
def test_no_answer_ends_an_evaluation_and_every_one_is_stored(answer: tuple[int, Any, str]) -> None:
    with TemporaryDirectory() as name, serving(Endpoint(("127.0.0.1", 0), Handler)) as server:
        server.answer = answer
        config = workspace(Path(name), server.server_port)
        result = evaluate_night(config, DAY, RUN, impatient)
        lake = Lake(config.lake)
        stored = lake.read("completions", DAY, RUN).to_pylist()
        assert len(stored) == result.answers == 2 * EXAMPLES
        assert all((row["status"] == "ok") == (row["error_class"] is None) for row in stored)
        assert all(row["cost_usd"] is None or row["cost_usd"] >= 0 for row in stored)
        assert len(lake.read("scores", DAY, RUN)) >= 6 * EXAMPLES
        assert not lake.journal(RUN).exists()
