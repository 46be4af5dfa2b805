"""A provider's batch API (OpenAI's, through litellm): questions in a file, answered within a day at half the price."""

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
from flows.llm.client import TIMEOUT_S, Answer, LiteLLMClient, Message, storable
from flows.llm.retries import provider_retries

log = logging.getLogger(__name__)

PRICE = 0.5  # of that of a question by itself
_PROVIDER = "openai"
_ENDPOINT = "/v1/chat/completions"
_UNDER_WAY = ("validating", "in_progress", "finalizing", "cancelling")
_FIRST_LOOK_S, _LONGEST_LOOK_S = 1.0, 60.0
_PATIENCE_S = 25 * 3600.0  # the provider promises a day


@dataclass(frozen=True)
class Line:
    """One question of a batch; `custom_id` finds its answer again."""

    custom_id: str
    messages: Sequence[Message]
    params: Mapping[str, Any]


class Batches:
    """The batches of one configured model. Raises RunError for what the provider refuses, after retries of
    what may pass."""

    def __init__(self, client: LiteLLMClient, first_look_s: float = _FIRST_LOOK_S) -> None:
        self._client, self._litellm, self._first_look_s = client, client.litellm, first_look_s

    def estimate_usd(self, messages: Sequence[Message], params: Mapping[str, Any]) -> float | None:
        """As for a question by itself, at the price of a batch."""
        estimate = self._client.estimate_usd(messages, params)
        return None if estimate is None else estimate * PRICE

    async def submit(self, lines: Iterable[Line]) -> str:
        """Upload the questions, begin a batch of them, and give its id."""
        model = self._client.model.model.removeprefix(f"{_PROVIDER}/")
        written = "".join(
            json.dumps(
                {
                    "custom_id": line.custom_id,
                    "method": "POST",
                    "url": _ENDPOINT,
                    "body": {"model": model, "messages": [dict(one) for one in line.messages], **line.params},
                }
            )
            + "\n"
            for line in lines
        )
        uploaded = await self._call(
            self._litellm.create_file, file=("questions.jsonl", written.encode()), purpose="batch"
        )
        begun = await self._call(
            self._litellm.create_batch, completion_window="24h", endpoint=_ENDPOINT, input_file_id=uploaded.id
        )
        return str(begun.id)

    async def answers(self, batch_id: str) -> dict[str, Answer]:
        """Wait until a batch has ended, and give its answers by custom_id; lines that failed are not among them."""
        look_s, waited_s = self._first_look_s, 0.0
        while True:
            batch = await self._call(
                self._litellm.retrieve_batch,
                batch_id=batch_id,
                litellm_metadata={"batch_ignore_default_logging": True},  # else each look downloads all answers
            )
            if batch.status not in _UNDER_WAY or waited_s > _PATIENCE_S:
                break
            await asyncio.sleep(look_s)
            waited_s, look_s = waited_s + look_s, min(_LONGEST_LOOK_S, 2 * look_s)
        log.info("batch %s: %s", batch_id, batch.status)
        if not batch.output_file_id:
            return {}
        content = await self._call(self._litellm.file_content, file_id=batch.output_file_id)
        return dict(self._read(content.content))

    def _read(self, content: bytes) -> Iterator[tuple[str, Answer]]:
        for line in content.splitlines():
            try:
                told = json.loads(line)
                if told["response"]["status_code"] == 200:
                    yield str(told["custom_id"]), self._to_answer(told["response"]["body"])
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                log.warning("%s: a line of a batch cannot be read: %r", self._client.model.name, error)

    def _to_answer(self, body: Mapping[str, Any]) -> Answer:
        """A chat completion as it stands in the file. There is no latency: nobody waited for this answer alone."""
        choice, usage = body["choices"][0], body.get("usage") or {}
        asked, answered = usage.get("prompt_tokens"), usage.get("completion_tokens")
        return Answer(
            "ok",
            text=storable(choice["message"].get("content") or ""),
            output_json=storable(json.dumps(choice["message"], ensure_ascii=False)),
            response_id=body.get("id"),
            model_served=body.get("model"),
            system_fingerprint=body.get("system_fingerprint"),
            finish_reason=choice.get("finish_reason"),
            input_tokens=asked,
            output_tokens=answered,
            cost_usd=self._cost_usd(asked, answered),
        )

    def _cost_usd(self, asked: int | None, answered: int | None) -> float | None:
        prices = self._client.prices
        return (
            None
            if prices is None or asked is None or answered is None
            else (PRICE * (asked * prices[0] + answered * prices[1]))
        )

    async def _call(self, method: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return await provider_retries()(self._call_once, method, **arguments)
        except Exception as error:
            raise RunError(in_one_line(error)) from None

    async def _call_once(self, method: Callable[..., Any], **arguments: Any) -> Any:
        # In a thread: litellm makes a client for each of these calls, and only the synchronous one closes itself.
        try:
            return await asyncio.to_thread(
                method,
                custom_llm_provider=_PROVIDER,
                api_base=self._client.model.api_base,
                api_key=self._client.api_key,
                timeout=TIMEOUT_S,
                max_retries=0,
                **arguments,
            )
        except Exception as error:
            _let_go(error)
            raise
        finally:
            with warnings.catch_warnings():
                # Such a client is a reference cycle: only the collector closes it, its socket at times before itself.
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()


def _let_go(error: BaseException | None) -> None:
    """Drop what the frames of an exception hold: a client among it closes itself then, and not in some later sweep."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
