"""OpenAI's batch API, through litellm: a file of requests, answered within a day at half the price."""

import asyncio
import gc
import json
import logging
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.errors import RunError, in_one_line
from flows.llm import reply
from flows.llm.answer import Answer, answer_of
from flows.llm.client import LiteLLMClient, Message
from flows.llm.retries import provider_retries

log = logging.getLogger(__name__)

PRICE = 0.5  # of the price of a single request
_PROVIDER = "openai"
_ENDPOINT = "/v1/chat/completions"
_RUNNING = ("validating", "in_progress", "finalizing", "cancelling")
_FIRST_POLL_S, _LONGEST_POLL_S = 1.0, 60.0
_PATIENCE_S = 25 * 3600.0  # the provider promises a day


@dataclass(frozen=True)
class Line:
    """One request of a batch; its answer has the same `custom_id`."""

    custom_id: str
    messages: Sequence[Message]
    params: Mapping[str, Any]


class Batches:
    """The batches of one configured model. Methods that call the provider raise RunError if it refuses the call, or
    if every retry of a transient failure fails."""

    def __init__(self, client: LiteLLMClient, first_poll_s: float = _FIRST_POLL_S) -> None:
        self._client, self._litellm, self._first_poll_s = client, client.litellm, first_poll_s

    def estimate_usd(self, messages: Sequence[Message], params: Mapping[str, Any]) -> float | None:
        """The estimated cost of the request in a batch, in USD; None if the price is unknown."""
        estimate = self._client.estimate_usd(messages, params)
        return None if estimate is None else estimate * PRICE

    async def submit(self, lines: Iterable[Line]) -> str:
        """Upload the requests and start a batch; returns its id."""
        model = self._client.model.model.removeprefix(f"{_PROVIDER}/")
        content = "".join(
            json.dumps(
                {
                    "custom_id": line.custom_id,
                    "method": "POST",
                    "url": _ENDPOINT,
                    "body": {"model": model, "messages": [dict(message) for message in line.messages], **line.params},
                }
            )
            + "\n"
            for line in lines
        )
        file = await self._call(self._litellm.create_file, file=("requests.jsonl", content.encode()), purpose="batch")
        batch = await self._call(
            self._litellm.create_batch, completion_window="24h", endpoint=_ENDPOINT, input_file_id=file.id
        )
        return str(batch.id)

    async def answers(self, batch_id: str) -> dict[str, Answer]:
        """Wait until a batch has ended; returns its answers by custom_id, without those of requests that failed."""
        poll_s, waited_s = self._first_poll_s, 0.0
        while True:
            batch = await self._call(
                self._litellm.retrieve_batch,
                batch_id=batch_id,
                litellm_metadata={"batch_ignore_default_logging": True},  # else every poll downloads all answers
            )
            if batch.status not in _RUNNING or waited_s > _PATIENCE_S:
                break
            await asyncio.sleep(poll_s)
            waited_s, poll_s = waited_s + poll_s, min(_LONGEST_POLL_S, 2 * poll_s)
        log.info("batch %s: %s", batch_id, batch.status)
        if not batch.output_file_id:
            return {}
        content = await self._call(self._litellm.file_content, file_id=batch.output_file_id)
        return dict(self._read(content.content))

    def _read(self, content: bytes) -> Iterator[tuple[str, Answer]]:
        for line in content.splitlines():
            try:
                record = json.loads(line)
                if record["response"]["status_code"] == 200:
                    yield str(record["custom_id"]), self._to_answer(record["response"]["body"])
            except (ValueError, LookupError, TypeError, AttributeError, reply.ReplyError) as error:
                log.warning("%s: cannot read a line of the output file of a batch: %r", self._client.model.name, error)

    def _to_answer(self, body: Mapping[str, Any]) -> Answer:
        """The Answer of a chat completion in the output file. It has no latency, which a batch does not report."""
        choice = body["choices"][0]
        native = reply.name_of(choice.get("finish_reason"))
        reply.refuse_failed(native)
        tokens = reply.tokens_of(body.get("usage"), choice["message"])
        return answer_of(
            choice["message"],
            reply.in_common_words(native, native),
            named=body,
            tokens=tokens,
            cost_usd=self._cost_usd(*tokens),
        )

    def _cost_usd(self, input_tokens: int | None, output_tokens: int | None) -> float | None:
        prices = self._client.prices
        if prices is None or input_tokens is None or output_tokens is None:
            return None
        return PRICE * (input_tokens * prices[0] + output_tokens * prices[1])

    async def _call(self, method: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return await provider_retries()(self._call_once, method, **arguments)
        except Exception as error:
            raise RunError(in_one_line(error)) from None

    async def _call_once(self, method: Callable[..., Any], **arguments: Any) -> Any:
        breaker = self._client.breaker
        if not await breaker.allows_attempt():
            raise RunError("not sent: the provider is down")
        # In a thread: litellm creates a client for each of these calls, and only its synchronous client closes itself.
        try:
            async with breaker.attempt(self._client.timeout_s):
                found = await asyncio.to_thread(
                    method,
                    custom_llm_provider=_PROVIDER,
                    api_base=self._client.model.api_base,
                    api_key=self._client.api_key,
                    timeout=breaker.time_left(self._client.timeout_s),
                    max_retries=0,
                    **arguments,
                )
            breaker.record_success()
            return found
        except Exception as error:
            breaker.record_failed_attempt()
            _clear_frames(error)
            raise
        finally:
            with warnings.catch_warnings():
                # Such a client is in a reference cycle: it is closed when it is collected, at times after its socket.
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()


def _clear_frames(error: BaseException | None) -> None:
    """Drop the references in the frames of an exception, so that a client among them can be collected now."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
