"""A provider that accepts requests and sends no byte costs a bounded time, however many questions there are."""

import asyncio
import time

import pytest

from flows.config.load import Budget, Embedding, Model
from flows.errors import RunError
from flows.llm.batch_api import Batches, Line
from flows.llm.client import LiteLLMClient
from flows.llm.rate_limits import HANG_PATIENCE_S, TIMEOUT_S, Breaker
from flows.semantics.remote_embedding import Remote
from tests.hanging import asked, silent_server

LIMIT_S, PATIENCE_S, SLACK_S = 2.0, 1.5, 20.0  # a busy machine may take seconds for the first request


def client_of(url, **more):
    return LiteLLMClient(
        Model(model="openai/m", api_base=url, name="m"), first_pause_s=0.01, timeout_s=LIMIT_S,
        hang_patience_s=PATIENCE_S, **more,
    )  # fmt: skip


def test_the_limits_of_a_night_are_under_four_minutes():
    assert TIMEOUT_S + HANG_PATIENCE_S < 235


@pytest.mark.parametrize("questions", [1, 100, 500])
def test_a_hanging_provider_costs_the_same_for_any_number_of_questions(questions):
    with silent_server() as silent:
        answers, seconds = asked(client_of(silent.url), questions)
        assert {(answer.status, answer.error_type) for answer in answers} == {("error", "provider_down")}
        assert seconds < LIMIT_S + PATIENCE_S + SLACK_S
        before = len(silent.connections)
        assert before <= 8 + 2  # those in flight, and the probes
        answers, seconds = asked(client_of(silent.url), questions)  # the next stage of the night
        assert {answer.error_type for answer in answers} == {"provider_down"}
        assert seconds < SLACK_S
        assert len(silent.connections) == before


def test_a_slow_answer_among_silent_ones_is_no_hang():
    async def go():
        breaker = Breaker(hang_patience_s=60)

        async def silent():
            async with breaker.attempt(0.3):
                await asyncio.sleep(0.3)
                raise TimeoutError

        waiting = asyncio.gather(silent(), silent(), return_exceptions=True)
        await asyncio.sleep(0.1)
        async with breaker.attempt(0.3):
            pass
        assert all(isinstance(error, TimeoutError) for error in await waiting)
        return await asyncio.wait_for(breaker.allows_attempt(), 0.05)

    assert asyncio.run(go())


def test_a_provider_that_answers_again_goes_on_and_one_that_hangs_twice_is_given_up():
    async def go():
        breaker = Breaker(hang_patience_s=30)

        async def silent():
            try:
                async with breaker.attempt(0.1):
                    await asyncio.sleep(0.1)
                    raise TimeoutError
            except TimeoutError:
                return

        await silent()
        assert await breaker.allows_attempt()  # after a second, as a probe
        async with breaker.attempt(0.1):
            pass
        breaker.record_success()
        assert await asyncio.wait_for(breaker.allows_attempt(), 0.05)
        await silent()
        return await asyncio.wait_for(breaker.allows_attempt(), 0.5)

    assert not asyncio.run(go())


def test_a_batch_and_the_requests_after_it_share_the_time():
    with silent_server() as silent:
        client = client_of(silent.url)

        async def submit():
            with pytest.raises(RunError):
                await Batches(client).submit([Line("1", [{"role": "user", "content": "hi"}], {})])

        begun = time.monotonic()
        asyncio.run(submit())
        answers, _ = asked(client, 20)
        assert {answer.status for answer in answers} == {"error"}
        assert len(silent.connections) <= 1 + 2  # the upload, and the probes
        assert time.monotonic() - begun < LIMIT_S + PATIENCE_S + SLACK_S


def test_a_hanging_embedding_model_is_an_error_in_the_same_time():
    with silent_server() as silent:
        model = Embedding(model="openai/e", api_base=silent.url)
        remote = Remote("e", model, Budget(), 0.01, timeout_s=LIMIT_S, hang_patience_s=PATIENCE_S)
        begun = time.monotonic()
        with pytest.raises(RunError, match="openai/e"):
            remote.embed(["text"] * 2000)
        assert len(silent.connections) <= 16 + 2
        assert time.monotonic() - begun < LIMIT_S + PATIENCE_S + SLACK_S
