"""Questions put in batches, against a batch endpoint on loopback."""

import json
import re
import threading
from collections import Counter
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flows.config import load as configuration
from flows.errors import ConfigError
from flows.lake.lake import Lake, from_rows
from flows.llm.client import FakeClient, LiteLLMClient
from tests.evaluating import KilledError, generate_night

DAY, RUN = date(2026, 5, 4), "nightly-2026-05-04"


def completion(body, serial):
    return {
        "id": f"chat-{serial}",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "system_fingerprint": "fp",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": f"re: {body['messages'][-1]['content']}"},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }


class Provider:
    """Files, batches and chat completions. `spoil` may drop or change the lines of a finished batch."""

    def __init__(self):
        self.files, self.batches, self.seen, self.looks = {}, {}, Counter(), 1
        self.spoil, self.refuse = lambda line, n: line, None
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, told, status=200):
                data = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                provider.seen[f"POST {self.path}"] += 1
                if self.path == "/v1/files":
                    self.reply(provider.upload(body))
                elif self.path == "/v1/batches" and provider.refuse:
                    self.reply({"error": {"message": "no batches for you", "type": "refused"}}, provider.refuse)
                elif self.path == "/v1/batches":
                    self.reply(provider.begin(json.loads(body)))
                else:
                    self.reply(completion(json.loads(body), f"direct-{provider.seen.total()}"))

            def do_GET(self):
                provider.seen[f"GET {re.sub('[0-9]+', 'N', self.path)}"] += 1
                name = self.path.split("/")[3]
                self.reply(provider.files[name] if self.path.endswith("/content") else provider.look(name))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def upload(self, body):
        name = f"file-{len(self.files)}"
        self.files[name] = b"\n".join(line for line in body.splitlines() if line.startswith(b'{"custom_id"'))
        return {
            "id": name,
            "object": "file",
            "bytes": 1,
            "created_at": 1,
            "filename": "q.jsonl",
            "purpose": "batch",
            "status": "processed",
        }

    def begin(self, wanted):
        name = f"batch-{len(self.batches)}"
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": wanted["endpoint"],
            "input_file_id": wanted["input_file_id"],
            "completion_window": "24h",
            "status": "in_progress",
            "created_at": 1,
        }
        return self.batches[name]

    def look(self, name):
        batch = self.batches[name]
        self.looks -= 1
        if self.looks < 0 and batch["status"] == "in_progress":
            lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
            answered = [
                {
                    "id": f"line-{n}",
                    "custom_id": line["custom_id"],
                    "response": {
                        "status_code": 200,
                        "request_id": "r",
                        "body": completion(line["body"], f"{name}-{n}"),
                    },
                    "error": None,
                }
                for n, line in enumerate(lines)
            ]
            spoilt = [kept for n, line in enumerate(answered) if (kept := self.spoil(line, n)) is not None]
            output = f"file-{len(self.files)}"
            self.files[output] = "\n".join(
                line if isinstance(line, str) else json.dumps(line) for line in reversed(spoilt)
            ).encode()
            batch |= {"status": "completed", "output_file_id": output}
        return batch


@pytest.fixture
def provider():
    one = Provider()
    yield one
    one.server.shutdown()
    one.server.server_close()
    one.thread.join()


@pytest.fixture
def workspace(tmp_path, provider):
    (tmp_path / "h.jsonl").write_text("{}")
    (tmp_path / "c.yaml").write_text("- {name: short, kind: length, max_chars: 900}")
    return configure(tmp_path, provider)


def configure(folder, provider, more="", params="params: {}"):
    price = f"price: {{input: 1, output: 10}}, {params}"
    (folder / "genchi.yaml").write_text(
        f"app: a\nlake: lake\nroutes:\n  r: {{holdout: h.jsonl, criteria: c.yaml, repeats: 2}}\n{more}"
        f"models:\n  pinned: {{model: openai/old, api_base: '{provider.url}', {price}, batch: true}}\n"
        f"  candidates: [{{model: openai/new, api_base: '{provider.url}', {price}}}]\n  canary: {{prompts: 0}}\n"
    )
    config = configuration.load_config(folder / "genchi.yaml")
    rows = [
        {
            "set": "holdout",
            "route": "r",
            "example_id": f"{n}",
            "version": "v",
            "messages_json": json.dumps([{"role": "user", "content": f"q{n}"}]),
        }
        for n in range(10)
    ]
    Lake(config.lake).write("examples", DAY, from_rows(rows, "examples"))
    return config


def landed(config, model):
    rows = Lake(config.lake).read("completions", DAY, RUN).to_pylist()
    return [row for row in rows if row["model"] == model]


def test_a_batch_asks_every_repeat_by_itself_at_half_the_price(workspace, provider):
    asked = generate_night(workspace, DAY, RUN)
    assert asked.asked == 40
    assert provider.seen["POST /v1/batches"] == 1
    assert provider.seen["POST /v1/chat/completions"] == 20
    batched, direct = landed(workspace, "openai/old"), landed(workspace, "openai/new")
    assert [row["cost_usd"] for row in batched] == pytest.approx([100e-6] * 20)
    assert [row["cost_usd"] for row in direct] == pytest.approx([200e-6] * 20)
    assert asked.spent_usd == pytest.approx(60 * 100e-6)
    assert {(row["output_text"], row["example_id"]) for row in batched} == {(f"re: q{n}", f"{n}") for n in range(10)}
    assert len({row["response_id"] for row in batched}) == 20
    assert {row["latency_ms"] for row in batched} == {None}
    assert generate_night(workspace, DAY, RUN).asked == 0
    assert provider.seen["POST /v1/batches"] == 1


def test_lines_that_a_batch_does_not_answer_are_asked_one_by_one(workspace, provider):
    def spoil(line, n):
        if n == 0:
            return None
        if n == 1:
            return "{garbled"
        if n == 2:
            return {**line, "response": {"status_code": 500, "body": {"error": {"message": "no"}}}}
        if n == 3:
            return {**line, "response": {"status_code": 200, "body": {}}}
        if n == 4:
            line["response"]["body"]["choices"][0]["finish_reason"] = "abort"
        return line

    provider.spoil = spoil
    generate_night(workspace, DAY, RUN)
    assert provider.seen["POST /v1/chat/completions"] == 20 + 5
    assert Counter(row["status"] for row in landed(workspace, "openai/old")) == {"ok": 20}


def test_a_batch_that_was_begun_by_a_killed_run_is_not_begun_again(workspace, provider):
    class Dies(FakeClient):
        async def ask(self, messages, params):
            raise KilledError

    def clients(model):
        return LiteLLMClient(model) if model.name == "openai/old" else Dies()

    with pytest.raises(BaseException):  # noqa: B017, PT011 - a kill is no Exception, and may come in a group
        generate_night(workspace, DAY, RUN, clients)
    assert provider.seen["POST /v1/batches"] == 1
    assert generate_night(workspace, DAY, RUN).asked == 40
    assert provider.seen["POST /v1/batches"] == 1
    assert {row["status"] for row in landed(workspace, "openai/old")} == {"ok"}


def test_where_batches_are_refused_questions_are_asked_one_by_one(workspace, provider):
    provider.refuse = 403
    generate_night(workspace, DAY, RUN)
    assert provider.seen["POST /v1/chat/completions"] == 40


def test_the_estimate_and_the_budget_know_what_a_batch_costs(tmp_path, workspace, provider, caplog):
    # An answer may take 500 tokens: half a cent by itself and a quarter in a batch; 20 of each are 0.15 USD.
    # So 0.02 covers two of each and a batch's third; what is answered costs so much less that all can be asked.
    config = configure(tmp_path, provider, "budget: {usd: 0.02}\n")
    asked = generate_night(config, DAY, RUN)
    assert "40 requests to send, estimated cost 0.15 USD" in caplog.text
    assert len(provider.files["file-0"].splitlines()) == 3
    assert (asked.asked, asked.budget_ran_out) == (40, False)
    assert asked.spent_usd == pytest.approx(3 * 100e-6 + 37 * 200e-6)


def test_where_the_budget_ends_batches_leave_whole_pairs(tmp_path, workspace, provider):
    # Here answers cost what they are estimated at: 100 and 200 millionths, so that this is the money of five pairs.
    config = configure(tmp_path, provider, "budget: {usd: 0.00152}\n", "params: {max_tokens: 20}")
    asked = generate_night(config, DAY, RUN)
    answered = {
        model: {row["example_id"] for row in landed(config, model) if row["status"] == "ok"}
        for model in ("openai/old", "openai/new")
    }
    assert answered["openai/old"] == answered["openai/new"]
    assert (asked.asked, len(answered["openai/old"]), asked.budget_ran_out) == (10, 5, True)


@pytest.mark.long
def test_a_batch_that_was_collected_before_a_kill_is_not_paid_for_again(workspace, provider):
    class Dies(LiteLLMClient):
        async def ask(self, messages, params):
            raise KilledError

    def clients(model):
        return Dies(model) if model.name == "openai/old" else LiteLLMClient(model)

    provider.spoil = lambda line, n: line if n else None
    with pytest.raises(BaseException):  # noqa: B017, PT011 - a kill is no Exception, and may come in a group
        generate_night(workspace, DAY, RUN, clients)
    asked = generate_night(workspace, DAY, RUN)
    assert (asked.asked, asked.reused) == (1, 39)
    assert asked.spent_usd == pytest.approx(200e-6)


def test_a_batch_needs_a_provider_that_has_them(tmp_path, workspace):
    path = tmp_path / "genchi.yaml"
    path.write_text(path.read_text().replace("openai/old", "anthropic/old"))
    with pytest.raises(ConfigError, match=r"models.pinned.*`batch` takes models called openai/"):
        configuration.load_config(path)
