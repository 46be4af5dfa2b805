"""Embedding models over litellm: batches at the configured rate, with retries of temporary errors."""

import asyncio
from collections.abc import Sequence

import numpy as np

from flows.config import Budget, Embedding
from flows.errors import RunError
from flows.llm import (
    FIRST_PAUSE_S,
    HANG_PATIENCE_S,
    TIMEOUT_S,
    Breaker,
    Pacer,
    api_key_of,
    breaker_name,
    close_clients,
    load_litellm,
    provider_retries,
)
from flows.stats.neighbours import unit

BATCH = 64
_MESSAGE_CHARACTERS = 200


class Remote:
    """A model by its litellm name. Texts are sent from this machine to the provider, or to `api_base`."""

    def __init__(
        self,
        name: str,
        model: Embedding,
        budget: Budget,
        first_pause_s: float = FIRST_PAUSE_S,
        *,
        timeout_s: float = TIMEOUT_S,
        hang_patience_s: float = HANG_PATIENCE_S,
    ) -> None:
        self.name, self._model, self._budget, self._first_pause_s = name, model, budget, first_pause_s
        self._timeout_s, self._hang_patience_s = timeout_s, hang_patience_s

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors (n, d), of length 1. Raises RunError if a batch fails permanently or has odd values."""
        found = asyncio.run(self._all([list(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]))
        widths = {len(vector) for vector in found}
        if len(found) != len(texts) or len(widths) > 1:
            raise RunError(
                f"{self._model.model}: expected {len(texts)} vectors of one length, got {len(found)} of lengths"
                f" {sorted(widths)}; check `embedding.model` and `embedding.api_base`"
            )
        vectors = np.asarray(found, np.float32).reshape(len(texts), -1)
        odd = int((~np.isfinite(vectors)).any(1).sum())
        if odd:
            raise RunError(
                f"{self._model.model}: {odd} of {len(texts)} vectors have values that are no finite number; check"
                " `embedding.model` and what answers at `embedding.api_base`"
            )
        return unit(vectors)

    async def _all(self, batches: list[list[str]]) -> list[list[float]]:
        pacer = Pacer(self._budget.requests_per_minute)
        breaker = Breaker(hang_patience_s=self._hang_patience_s, name=breaker_name(self._model))
        gate = asyncio.Semaphore(self._budget.concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._with_retries(batch, pacer, breaker, gate)) for batch in batches]
        except* RunError as failed:
            raise failed.exceptions[0] from None
        finally:
            await close_clients()
        return [vector for task in tasks for vector in task.result()]

    async def _with_retries(
        self, batch: list[str], pacer: Pacer, breaker: Breaker, gate: asyncio.Semaphore
    ) -> list[list[float]]:
        retries = provider_retries(self._first_pause_s, lambda _: breaker.record_failed_attempt())
        async with gate:
            try:
                found: list[list[float]] = await retries(self._once, batch, pacer, breaker)
            except RunError:
                raise
            except Exception as error:
                raise RunError(f"{self._model.model}: {_error_text(error)}") from None
            return found

    async def _once(self, batch: list[str], pacer: Pacer, breaker: Breaker) -> list[list[float]]:
        litellm, model = load_litellm(), self._model
        if not await breaker.allows_attempt():
            raise RunError(f"{model.model}: sends no reply; check `embedding.api_base` and the network")
        await pacer.wait()
        async with breaker.attempt(self._timeout_s, is_whole=True):  # litellm tries again by itself
            response = await litellm.aembedding(
                model=model.model,
                input=batch,
                api_base=model.api_base,
                api_key=api_key_of(model),
                timeout=breaker.time_left(self._timeout_s),
                num_retries=0,
                max_retries=0,
                caching=False,
                **{"encoding_format": "float", **model.params},
            )
        breaker.record_success()
        rows = sorted(response.data, key=lambda row: row["index"])
        return [row["embedding"] for row in rows]


def _error_text(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0][:_MESSAGE_CHARACTERS] if str(error) else ''}"
