"""The one client of LLMs, over litellm: limits, retries, costs.

Transient failures (see `retries`) are retried with back-off, permanent ones are not. A request that fails for good
gets an Answer with the status `error`: such an answer is unscored, and never counted as wrong.
"""

import asyncio
import json
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from flows.config import Budget, Embedding, Model
from flows.llm import reply
from flows.llm.answer import Answer, answer_of
from flows.llm.failures import NOT_SENT, class_of, words_of
from flows.llm.litellm_setup import internal_call_flag, load_litellm
from flows.llm.openai_client import close_plain_content_clients, plain_content_client
from flows.llm.rate_limits import HANG_PATIENCE_S, PATIENCE_S, TIMEOUT_S, Breaker, Pacer, breaker_name
from flows.llm.retries import FIRST_PAUSE_S, is_provider_failure, provider_retries, retry_after_s
from flows.outgoing import masked

log = logging.getLogger(__name__)

_ASSUMED_OUTPUT_TOKENS = 500
_CHARACTERS_PER_TOKEN = 4

Message = Mapping[str, Any]


class ModelClient(Protocol):
    """Anything that answers requests. Failures of the provider are returned as an Answer, not raised."""

    async def ask(self, messages: Sequence[Message], params: Mapping[str, Any]) -> Answer:
        """Send one request, with retries, and return its answer."""
        ...

    def estimate_usd(self, messages: Sequence[Message], params: Mapping[str, Any]) -> float | None:
        """The estimated cost of the request, in USD; None if the price is unknown."""
        ...


class FakeClient:
    """A model for tests: returns the queued answers in order, and records the requests in `asked`."""

    def __init__(self, answers: Iterable[Answer | str] = (), cost_usd: float | None = None) -> None:
        self.queue = deque(answers)
        self.asked: list[tuple[Sequence[Message], Mapping[str, Any]]] = []
        self.cost_usd = cost_usd

    async def ask(self, messages: Sequence[Message], params: Mapping[str, Any]) -> Answer:
        """The next answer of the queue; a string is the text of one. Raises IndexError if the queue is empty."""
        self.asked.append((messages, params))
        await asyncio.sleep(0)
        answer = self.queue.popleft()
        return Answer("ok", text=answer, cost_usd=self.cost_usd) if isinstance(answer, str) else answer

    def estimate_usd(self, messages: Sequence[Message], params: Mapping[str, Any]) -> float | None:
        """The `cost_usd` of the constructor."""
        return self.cost_usd


ClientFactory = Callable[[Model], ModelClient]


class LiteLLMClient:
    """A client of one configured model. The pacer is shared by all models of a run; the breaker is the model's own."""

    def __init__(
        self,
        model: Model,
        pacer: Pacer | None = None,
        *,
        first_pause_s: float = FIRST_PAUSE_S,
        patience_s: float = PATIENCE_S,
        timeout_s: float = TIMEOUT_S,
        hang_patience_s: float = HANG_PATIENCE_S,
    ) -> None:
        self.model = model
        self._provider = model.api_base or model.model.split("/")[0]
        self._pacer = pacer or Pacer()
        self.breaker = Breaker(patience_s=patience_s, hang_patience_s=hang_patience_s, name=breaker_name(model))
        self._first_pause_s, self.timeout_s = first_pause_s, timeout_s
        self.litellm = load_litellm()
        self.prices = self._look_up_prices()
        self._is_internal_call = internal_call_flag()
        self._client: Any = None

    async def ask(self, messages: Sequence[Message], params: Mapping[str, Any]) -> Answer:
        """Send a request and return its answer; transient failures are retried, `retry_policy.ATTEMPTS` in total."""
        tokens = sum(self._estimate_tokens(messages, params))
        retries = provider_retries(self._first_pause_s, self._before_retry)
        try:
            answer: Answer = await retries(self._attempt, messages, params, tokens)
        except Exception as error:
            return self._failed(error)
        return answer

    async def _attempt(self, messages: Sequence[Message], params: Mapping[str, Any], tokens: float) -> Answer:
        """Send the request once, when the breaker and the pacer allow it."""
        if not await self.breaker.allows_attempt():
            return Answer(
                "error",
                error_type="provider_down",
                error_message="not sent: the provider is down",
                error_class=NOT_SENT,
            )
        await self._pacer.wait(self._provider, tokens)
        async with self.breaker.attempt(timeout_s := float(params.get("timeout") or self.timeout_s)):
            answer = await self._send(messages, {**params, "timeout": self.breaker.time_left(timeout_s)})
        self.breaker.record_success()
        if answer.input_tokens is not None and answer.output_tokens is not None:
            self._pacer.record_usage(tokens, answer.input_tokens + answer.output_tokens)
        return answer

    def _before_retry(self, error: BaseException) -> None:
        """Record a failed attempt that will be retried, and pause the provider for as long as it requests."""
        self.breaker.record_failed_attempt()
        self._pacer.pause(self._provider, retry_after_s(error))

    def estimate_usd(self, messages: Sequence[Message], params: Mapping[str, Any]) -> float | None:
        """USD for the tokens of the request and of the longest answer that `params` allow; None without a price."""
        if self.prices is None:
            return None
        input_tokens, output_tokens = self._estimate_tokens(messages, params)
        return input_tokens * self.prices[0] + output_tokens * self.prices[1]

    @staticmethod
    def _estimate_tokens(messages: Sequence[Message], params: Mapping[str, Any]) -> tuple[float, float]:
        """Input and output tokens: four characters per token, and 500 output tokens if `params` set no limit."""
        limit = params.get("max_completion_tokens") or params.get("max_tokens") or _ASSUMED_OUTPUT_TOKENS
        return len(json.dumps(list(messages))) / _CHARACTERS_PER_TOKEN, float(limit)

    async def _send(self, messages: Sequence[Message], params: Mapping[str, Any]) -> Answer:
        options = dict(params)
        if self.model.api_base and self.model.model.startswith("openai/"):
            self._client = self._client or plain_content_client(self.model.api_base, self.api_key)
            options["client"] = self._client
        self._is_internal_call.set(True)
        start = time.perf_counter()
        response = await self.litellm.acompletion(
            model=self.model.model,
            messages=[dict(message) for message in messages],
            api_base=self.model.api_base,
            api_key=self.api_key,
            num_retries=0,
            max_retries=0,
            caching=False,
            **options,
        )
        if options.get("stream"):
            response = await self._whole(response)
        return self._to_answer(response, (time.perf_counter() - start) * 1000)

    async def _whole(self, stream: Any) -> Any:
        """The response that a stream's parts make, without litellm's guess of the tokens where none are reported."""
        parts = []
        async for part in stream:
            self.breaker.record_byte()
            parts.append(part)
        whole = self.litellm.stream_chunk_builder(parts)
        native = getattr(stream, "received_finish_reason", None)
        if whole is None or (native is None and not reply.message_of(whole.choices[0]).get("content")):
            raise reply.ReplyError("the reply has no choices")
        whole.choices[0].provider_specific_fields = {"native_finish_reason": native or whole.choices[0].finish_reason}
        if not any(getattr(part, "usage", None) for part in getattr(stream, "chunks", ())):
            whole.usage = None
        return whole

    @property
    def api_key(self) -> str | None:
        """The key to send with requests; see `api_key_of`."""
        return api_key_of(self.model)

    def _to_answer(self, response: Any, latency_ms: float) -> Answer:
        choice = reply.choice_of(response)
        message = reply.message_of(choice)
        tokens = reply.tokens_of(getattr(response, "usage", None), message)
        return answer_of(
            message,
            reply.finish_reason_of(choice),
            named=vars(response),
            tokens=tokens,
            cost_usd=self._cost_usd(response, *tokens),
            latency_ms=latency_ms,
        )

    def _cost_usd(self, response: Any, asked: int | None, answered: int | None) -> float | None:
        """In USD; None if the provider did not report both numbers of tokens, because nothing else tells the cost."""
        if asked is None or answered is None:
            return None
        if self.model.price:
            price = self.model.price
            return float(asked * price.input + answered * price.output) / 1e6
        known = (getattr(response, "_hidden_params", None) or {}).get("response_cost")  # litellm's completion_cost
        return reply.cost_of(known)

    def _look_up_prices(self) -> tuple[float, float] | None:
        """USD per input token and per output token; None if neither the configuration nor litellm has the price."""
        if self.model.price:
            return self.model.price.input / 1e6, self.model.price.output / 1e6
        try:
            info = self.litellm.get_model_info(self.model.model)
        except Exception as error:
            log.debug("%s has no known price: %s", self.model.name, error)
            return None
        return float(info["input_cost_per_token"] or 0), float(info["output_cost_per_token"] or 0)

    def _failed(self, error: Exception) -> Answer:
        self.breaker.record_failed_attempt()
        if is_provider_failure(error):
            self.breaker.record_failed_request()
        return Answer(
            "error",
            error_type=reply.error_type_of(error),
            error_class=class_of(error),
            error_message=masked(words_of(error, self.model.api_key)),
            native_finish_reason=getattr(error, "finish_reason", None),
        )


def paced_clients(budget: Budget) -> ClientFactory:
    """Makes the clients of a run, which share its rate limits."""
    pacer = Pacer(budget.requests_per_minute, budget.tokens_per_minute)
    return lambda model: LiteLLMClient(model, pacer)


def api_key_of(model: Model | Embedding) -> str | None:
    """The API key for requests to a model; None lets litellm take the provider's own from the environment."""
    # The OpenAI SDK refuses to start without a key, which local endpoints do not need. A key from the environment
    # must not be sent to another address than the provider's.
    if model.api_key is None and model.api_base and model.model.startswith("openai/"):
        return "none"
    return model.api_key or None


async def close_clients() -> None:
    """Close litellm's connections, which belong to the running event loop. Call it before the loop ends."""
    litellm = sys.modules.get("litellm")
    if litellm is None:
        return
    await close_plain_content_clients()
    await litellm.close_litellm_async_clients()
    litellm.in_memory_llm_clients_cache.flush_cache()  # so that the next loop does not get a closed client
