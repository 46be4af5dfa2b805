"""The client of models against a real HTTP server on loopback, and in process."""

import asyncio
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flows.config.load import Model, Price, load_config
from flows.llm.client import LiteLLMClient, close_clients
from flows.llm.local_providers import register_provider
from flows.llm.rate_limits import BREAKER_LIMIT, Pacer
from flows.retry_policy import ATTEMPTS

OK = {
    "id": "r1",
    "object": "chat.completion",
    "created": 1,
    "model": "served",
    "system_fingerprint": "fp",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010},
}


class Endpoint:
    """Answers each request with the next of `script`: a status, or raw bytes; then with OK."""

    def __init__(self):
        endpoint = self
        self.script, self.requests, self.headers, self.stream = [], [], {}, []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def stream(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                for part in endpoint.stream:
                    self.wfile.write(b"data: " + json.dumps(part).encode() + b"\n\n")
                self.wfile.write(b"data: [DONE]\n\n")
                self.close_connection = True

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append((body, self.headers.get("Authorization")))
                if body.get("stream"):
                    self.stream()
                    return
                step = endpoint.script.pop(0) if endpoint.script else 200
                status = step if isinstance(step, int) else 200
                data = step if isinstance(step, bytes) else json.dumps(OK if status == 200 else endpoint.error).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Content-Type", "application/json")
                for name, value in endpoint.headers.items() if status == 429 else ():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

        self.error = {"error": {"message": "injected", "type": "injected"}}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint():
    one = Endpoint()
    yield one
    one.close()


def ask(model, times=1, pacer=None, concurrency=16, **params):
    async def go():
        client = LiteLLMClient(model, pacer, first_pause_s=0.001, patience_s=0.2)
        slots = asyncio.Semaphore(concurrency)

        async def one(n):
            async with slots:
                return await client.ask([{"role": "user", "content": f"q{n}"}], params)

        try:
            return await asyncio.gather(*map(one, range(times)))
        finally:
            await close_clients()

    return asyncio.run(go())


def model(endpoint, **more):
    return Model(model="openai/gpt-4-0314", api_base=endpoint.url, **more)


def test_an_answer_carries_what_the_provider_said(endpoint):
    (answer,) = ask(model(endpoint), temperature=0, seed=7)
    assert (answer.status, answer.text, answer.model_served, answer.system_fingerprint) == (
        "ok",
        "hello",
        "served",
        "fp",
    )
    assert (answer.finish_reason, answer.input_tokens, answer.output_tokens) == ("stop", 1000, 10)
    assert json.loads(answer.output_json)["content"] == "hello"
    assert answer.latency_ms > 0
    assert answer.cost_usd is None
    body, key = endpoint.requests[0]
    assert (body["model"], body["temperature"], body["seed"], key) == ("gpt-4-0314", 0, 7, "Bearer none")


def test_half_a_surrogate_pair_in_an_answer_can_be_stored(endpoint):
    endpoint.script = [json.dumps(OK).replace("hello", "a\\ud83d").encode()]
    (answer,) = ask(model(endpoint))
    assert answer.text == "a\ufffd"
    assert json.loads(answer.output_json)["content"] == "a\ufffd"


def test_a_configured_price_gives_a_cost_and_an_estimate(endpoint):
    priced = model(endpoint, price=Price(input=1, output=2), api_key="k")
    (answer,) = ask(priced)
    assert answer.cost_usd == pytest.approx(1000e-6 + 20e-6)
    assert endpoint.requests[0][1] == "Bearer k"
    assert LiteLLMClient(priced).estimate_usd([], {"max_tokens": 1000}) == pytest.approx(2000e-6, rel=0.01)
    assert LiteLLMClient(model(endpoint)).estimate_usd([], {}) is None


@pytest.mark.parametrize("fault", [429, 500, 503, 408, b'{"id": "cut short'])
def test_a_transient_failure_is_asked_again(endpoint, fault):
    endpoint.script = [fault, fault]
    (answer,) = ask(model(endpoint))
    assert (answer.status, len(endpoint.requests)) == ("ok", 3)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "BadRequestError"), (401, "AuthenticationError"), (402, "APIError"), (404, "NotFoundError")],
)
def test_a_permanent_failure_is_not_asked_again(endpoint, status, kind):
    endpoint.script = [status]
    (answer,) = ask(model(endpoint))
    assert (answer.status, answer.error_type, len(endpoint.requests)) == ("error", kind, 1)
    assert answer.error_class == {400: "refused_request", 404: "not_found"}.get(status, "account")
    assert "injected" in answer.error_message


def test_the_stand_in_for_a_key_is_not_taken_for_a_secret_in_an_error(endpoint):
    endpoint.script, endpoint.error = [400], {"error": {"message": "none of the models is available"}}
    (answer,) = ask(model(endpoint))
    assert "none of the models is available" in answer.error_message
    endpoint.script, endpoint.error = [400], {"error": {"message": "bad key sk-1"}}
    (answer,) = ask(model(endpoint, api_key="sk-1"))
    assert "bad key ***" in answer.error_message


@pytest.mark.parametrize("address", ["http://bob:hunt%40er22@127.0.0.1:9/v1", "http://127.0.0.1:9/v1?key=hunt%40er22"])
def test_credentials_in_an_address_are_not_echoed_by_a_failure(tmp_path, address):
    path = tmp_path / "genchi.yaml"
    path.write_text(f"app: a\nlake: lake\nmodels: {{pinned: {{model: openai/x, api_base: '{address}'}}}}\n")
    (answer,) = ask(load_config(path).models.pinned)
    assert answer.status == "error"
    assert not any(word in answer.error_message for word in ("hunt%40er22", "hunt@er22"))


def test_a_context_overflow_is_not_asked_again(endpoint):
    endpoint.script = [400]
    endpoint.error = {
        "error": {"message": "This model's maximum context length is 10 tokens.", "code": "context_length_exceeded"}
    }
    (answer,) = ask(model(endpoint))
    assert (answer.error_type, len(endpoint.requests)) == ("ContextWindowExceededError", 1)


def test_what_fails_each_time_ends_as_an_error(endpoint):
    endpoint.script = [500] * ATTEMPTS
    (answer,) = ask(model(endpoint))
    assert (answer.status, answer.text, len(endpoint.requests)) == ("error", None, ATTEMPTS)


@pytest.fixture
def simulated():
    from litellm.llms.custom_llm import CustomLLM, CustomLLMError

    class Handler(CustomLLM):
        calls = 0

        async def acompletion(self, model, messages, model_response, **_):
            self.calls += 1
            if model == "down":
                raise CustomLLMError(503, "down")
            model_response.choices[0].message.content = f"I am simulated: {messages[-1]['content']}"
            model_response.model = model
            return model_response

    handler = Handler()
    register_provider("simulated", handler)
    return handler


def test_a_provider_that_is_down_is_soon_not_asked_any_more(simulated):
    answers = ask(Model(model="simulated/down"), times=200, concurrency=4)
    kinds = Counter(answer.error_type for answer in answers)
    assert sum(kinds.values()) == 200
    assert BREAKER_LIMIT <= kinds["ServiceUnavailableError"] < BREAKER_LIMIT + 4
    assert set(kinds) == {"ServiceUnavailableError", "provider_down"}
    assert simulated.calls <= (BREAKER_LIMIT + 4) * ATTEMPTS


def test_an_endpoint_that_refuses_connections_is_an_error_and_no_crash():
    (answer,) = ask(Model(model="openai/x", api_base="http://127.0.0.1:9/v1"))
    assert (answer.status, answer.error_type) == ("error", "InternalServerError")


def test_a_custom_provider_answers_in_process(simulated):
    (answer,) = ask(Model(model="simulated/small"), temperature=0)
    assert (answer.text, answer.model_served, answer.cost_usd) == ("I am simulated: q0", "small", None)


@pytest.mark.parametrize("headers", [{"Retry-After": "0.4"}, {"retry-after-ms": "400"}])
def test_one_refusal_with_retry_after_holds_all_questions_back(endpoint, headers):
    import time

    endpoint.script, endpoint.headers = [429], headers
    start = time.monotonic()
    answers = ask(model(endpoint), times=6, concurrency=1)
    assert {answer.status for answer in answers} == {"ok"}
    assert len(endpoint.requests) == 7
    assert time.monotonic() - start >= 0.4


def test_tokens_per_minute_are_kept_to_by_what_answers_really_took(endpoint):
    import time

    start = time.monotonic()
    ask(model(endpoint), times=4, pacer=Pacer(tokens_per_minute=600_000), concurrency=1, max_tokens=100_000)
    assert 0.3 <= time.monotonic() - start < 9  # 1,010 tokens an answer, not the 100,000 that were reserved


def test_requests_per_minute_are_kept_to(endpoint):
    import time

    start = time.monotonic()
    ask(model(endpoint), times=4, pacer=Pacer(per_minute=600))
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("usage", ["absent", None, {}, {"prompt_tokens": 10}, {"total_tokens": 15}])
@pytest.mark.parametrize("name", ["openai/own", "openai/gpt-4o"])
def test_an_answer_without_reported_tokens_has_no_cost(endpoint, usage, name):
    body = {**OK, "usage": usage}
    if usage == "absent":
        del body["usage"]
    endpoint.script = [json.dumps(body).encode()]
    price = Price(input=50, output=100) if name == "openai/own" else None
    (answer,) = ask(Model(model=name, api_base=endpoint.url, price=price))
    assert (answer.status, answer.output_tokens, answer.cost_usd) == ("ok", None, None)
    assert answer.input_tokens == (10 if usage == {"prompt_tokens": 10} else None)


def test_every_string_of_a_reply_can_be_stored(endpoint):
    odd = {**OK, "id": "r\ud83d", "model": "m\ud83d", "system_fingerprint": "f\ud83d"}
    endpoint.script = [json.dumps(odd).encode()]
    (answer,) = ask(model(endpoint))
    assert (answer.response_id, answer.model_served, answer.system_fingerprint) == ("r\ufffd", "m\ufffd", "f\ufffd")
    endpoint.script, endpoint.error = [400], {"error": {"message": "bad \ud83d"}}
    (answer,) = ask(model(endpoint))
    assert answer.error_message.encode()


def replied(**choice):
    return json.dumps({**OK, "choices": [{**OK["choices"][0], **choice}]}).encode()


def said(**message):
    return replied(message={"role": "assistant", "content": None, **message})


@pytest.mark.parametrize(
    "fault",
    [
        replied(error={"code": 502, "message": "upstream lost"}),
        replied(finish_reason="error"),
        replied(finish_reason="network_error"),
        replied(finish_reason="abort"),
        replied(finish_reason="INSUFFICIENT_SYSTEM_RESOURCE"),
        replied(finish_reason="time_limit"),
        replied(error={"code": "server_overloaded", "message": "upstream lost"}),
        json.dumps({**OK, "choices": []}).encode(),
        b'{"code": 429, "msg": "rate limited", "success": false}',
        b'{"error": {"message": "Provider returned error", "code": 502}}',
        b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}',
        b'{"error": {"message": "slow down", "code": "429"}}',
        b'{"error": "the model is overloaded"}',
        b'{"error_code": 18, "error_msg": "too many requests"}',
        b'{"choices": null, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}}',
    ],
)
def test_an_error_in_a_reply_with_status_200_is_asked_again(endpoint, fault):
    endpoint.script = [fault]
    (answer,) = ask(model(endpoint))
    assert (answer.status, answer.text, len(endpoint.requests)) == ("ok", "hello", 2)
    endpoint.script = [fault] * ATTEMPTS
    (answer,) = ask(model(endpoint))
    assert (answer.status, answer.text) == ("error", None)


def test_an_error_in_a_reply_that_will_not_pass_is_not_asked_again(endpoint):
    endpoint.script = [replied(error={"code": 400, "message": "bad tool"})]
    (answer,) = ask(model(endpoint))
    assert (answer.error_type, answer.error_message, len(endpoint.requests)) == ("ReplyError", "bad tool", 1)


def test_a_content_filter_is_the_same_error_in_a_reply_and_as_a_failure(endpoint):
    endpoint.script = [replied(finish_reason="content_filter", message={"role": "assistant", "content": "hal"}), 400]
    endpoint.error = {"error": {"message": "triggering content management policy", "code": "content_filter"}}
    (told,) = ask(model(endpoint))
    (failed,) = ask(model(endpoint))
    assert (told.status, told.error_type, told.text) == (failed.status, failed.error_type, failed.text)
    assert (failed.status, failed.error_type, len(endpoint.requests)) == ("error", "content_filter", 2)


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (said(content=[{"type": "thinking", "thinking": []}, {"type": "text", "text": "ok"}]), "ok"),
        (said(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), "ab"),
        (said(refusal="I cannot help."), "I cannot help."),
        (said(tool_calls=[{"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}]), None),
        (said(), ""),
    ],
)
def test_blocks_refusals_tool_calls_and_nothing_are_told_apart_and_asked_once(endpoint, reply, text):
    endpoint.script = [reply]
    (answer,) = ask(model(endpoint))
    assert (answer.status, answer.text, len(endpoint.requests)) == ("ok", text, 1)


def test_a_providers_own_finish_reason_is_kept_where_there_is_no_common_one(endpoint):
    endpoint.script = [replied(finish_reason=one) for one in ("recursion_limit", "max_tokens", "stop")]
    answers = [ask(model(endpoint))[0] for _ in range(3)]
    assert [answer.finish_reason for answer in answers] == ["recursion_limit", "length", "stop"]
    assert [answer.native_finish_reason for answer in answers] == ["recursion_limit", "max_tokens", "stop"]


@pytest.mark.parametrize(
    ("fault", "error_class", "words"),
    [
        (b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}', "rate_limit", "slow down"),
        (b'{"error": "the model is overloaded"}', "server_error", "the model is overloaded"),
        (b'{"code": 1002, "msg": "busy", "success": false}', "server_error", "busy"),
        (
            b'{"error": {"message": "at most 10 tokens", "code": "context_length_exceeded"}}',
            "context_length",
            "at most",
        ),
        (b'{"code": "InvalidParameter", "message": "no such parameter: top_k"}', "refused_request", "top_k"),
        (b'{"error": {"message": "not for me", "code": "data_inspection_failed"}}', "content_filter", "not for me"),
        (b'{"error": {"message": "top up", "code": "insufficient_balance"}}', "account", "top up"),
    ],
)
def test_an_error_in_a_reply_with_status_200_has_its_class_and_the_providers_words(endpoint, fault, error_class, words):
    endpoint.script = [fault] * ATTEMPTS
    (answer,) = ask(model(endpoint))
    assert (answer.status, answer.error_class) == ("error", error_class)
    assert words in answer.error_message


def test_a_reply_that_cannot_be_read_tells_no_path_of_this_machine(endpoint):
    endpoint.script = [json.dumps({**OK, "choices": [None]}).encode()] * ATTEMPTS
    (answer,) = ask(model(endpoint))
    assert answer.error_class == "server_error"
    assert "site-packages" not in answer.error_message


@pytest.mark.parametrize(
    ("reason", "error_class", "common"),
    [
        ("abort", "server_error", None),
        ("insufficient_system_resource", "server_error", None),
        ("network_error", "network", None),
        ("sensitive", "content_filter", "content_filter"),
        ("repetition_truncation", "repetition", "repetition_truncation"),
        ("model_context_window_exceeded", None, "length"),
        ("recursion_limit", None, "recursion_limit"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_finish_reason_tells_who_ended_the_answer_and_is_kept(endpoint, reason, error_class, common, stream):
    endpoint.script = [replied(finish_reason=reason)] * ATTEMPTS
    endpoint.stream = [part(role="assistant", content="hello"), part(finish_reason=reason)]
    (answer,) = ask(model(endpoint), **({"stream": True} if stream else {}))
    assert (answer.status, answer.error_class) == ("error" if error_class else "ok", error_class)
    assert (answer.finish_reason, answer.native_finish_reason) == (common, reason)
    assert len(endpoint.requests) == (ATTEMPTS if error_class in ("server_error", "network") else 1)


def test_a_stream_without_a_part_is_no_empty_answer(endpoint):
    (answer,) = ask(model(endpoint), stream=True)
    assert (answer.status, answer.error_class) == ("error", "server_error")


def part(usage=None, finish_reason=None, **delta):
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    more = {"usage": usage} if usage else {}
    return {"id": "s", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}


@pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning")  # litellm's reading of usage parts
@pytest.mark.parametrize(
    ("usage", "tokens"), [(None, (None, None)), ({"prompt_tokens": 7, "completion_tokens": 2}, (7, 2))]
)
def test_a_stream_is_collected_and_its_tokens_are_those_reported(endpoint, usage, tokens):
    endpoint.stream = [part(role="assistant", content="he"), part(content="llo"), part(finish_reason="stop")]
    endpoint.stream += [part(usage={**usage, "total_tokens": 9})] if usage else []
    priced = model(endpoint, price=Price(input=1, output=1))
    (answer,) = ask(priced, stream=True, stream_options={"include_usage": True})
    assert (answer.status, answer.text, answer.finish_reason) == ("ok", "hello", "stop"), answer.error_message
    assert (answer.input_tokens, answer.output_tokens, answer.cost_usd is None) == (*tokens, usage is None)
    (plain,) = ask(priced, stream=True)
    assert (plain.status, plain.text) == ("ok", "hello")


@pytest.mark.parametrize("status", [401, 402])
def test_a_refused_key_and_an_empty_account_open_the_breaker(endpoint, status):
    endpoint.script = [status] * 200
    answers = ask(model(endpoint), times=100, concurrency=1)
    assert Counter(answer.error_type == "provider_down" for answer in answers)[True] > 70
    assert len(endpoint.requests) <= BREAKER_LIMIT + 2
