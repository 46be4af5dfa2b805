"""With the limits of a real night: a provider that never answers costs less than four minutes."""

import asyncio
import time

import pytest

from flows.config.load import Model
from flows.llm import LiteLLMClient, close_clients
from tests.hanging import silent_server

pytestmark = pytest.mark.long


def test_three_hundred_questions_to_a_silent_provider_take_less_than_four_minutes() -> None:
    async def go(url: str) -> tuple[set[str | None], float]:
        client = LiteLLMClient(Model(model="openai/silent", api_base=url, name="silent"))
        gate, begun = asyncio.Semaphore(32), time.monotonic()

        async def one() -> str | None:
            async with gate:
                return (await client.ask([{"role": "user", "content": "hi"}], {})).error_type

        try:
            return set(await asyncio.gather(*(one() for _ in range(300)))), time.monotonic() - begun
        finally:
            await close_clients()

    with silent_server() as silent:
        errors, seconds = asyncio.run(go(silent.url))
    assert errors == {"provider_down"}
    assert 120 < seconds < 240
