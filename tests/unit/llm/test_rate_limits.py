"""The pace at which providers are asked."""

import asyncio
import time

from flows.llm.rate_limits import BREAKER_LIMIT, Breaker, Pacer


def starts(pacer, calls):
    """When each of `calls`, all made at once, was let through: seconds since the first."""

    async def go():
        begun = time.monotonic()

        async def one(provider, tokens):
            await pacer.wait(provider, tokens)
            return time.monotonic() - begun

        return await asyncio.gather(*(one(*call) for call in calls))

    return asyncio.run(go())


def not_before(found, due):
    """A busy machine may be late, but is never early."""
    return all(start >= moment - 0.005 for start, moment in zip(found, due, strict=True))


def test_requests_start_evenly_spaced():
    found = starts(Pacer(per_minute=1200), [("a", 0)] * 5)
    assert not_before(found, [0, 0.05, 0.1, 0.15, 0.2])
    assert found[-1] < 2


def test_a_request_waits_for_the_tokens_of_those_before_it():
    found = starts(Pacer(tokens_per_minute=60_000), [("a", 200), ("a", 100), ("a", 1)])
    assert not_before(found, [0, 0.2, 0.3])
    assert found[-1] < 2


def test_tokens_that_were_reserved_and_not_taken_come_back_to_those_who_wait():
    async def go():
        pacer = Pacer(tokens_per_minute=60_000)
        await pacer.wait(tokens=10_000)  # ten seconds of tokens
        begun = time.monotonic()
        asyncio.get_running_loop().call_later(0.05, pacer.record_usage, 10_000, 100)
        await pacer.wait(tokens=1)
        return time.monotonic() - begun

    assert 0.05 <= asyncio.run(go()) < 1


def test_a_provider_that_asks_for_a_pause_gets_it_from_all_and_others_go_on():
    async def go():
        pacer = Pacer()
        pacer.pause("a", 0.3)
        pacer.pause("a", 0.1)  # a shorter wish does not shorten it
        begun = time.monotonic()

        async def one(provider):
            await pacer.wait(provider)
            return time.monotonic() - begun

        return await asyncio.gather(one("a"), one("a"), one("b"))

    first, second, other = asyncio.run(go())
    assert min(first, second) >= 0.3
    assert other < min(first, second)


def opened(patience_s):
    breaker = Breaker(patience_s=patience_s)
    for _ in range(BREAKER_LIMIT):
        breaker.record_failed_request()
    return breaker


def test_while_a_provider_is_down_one_at_a_time_tries_and_an_answer_lets_all_through():
    async def go():
        breaker, tries = opened(patience_s=20), []

        async def one(n):
            while await breaker.allows_attempt():
                tries.append(n)
                if len(tries) == 2:
                    breaker.record_success()
                if len(tries) >= 2:
                    return True
                breaker.record_failed_attempt()
            return False

        begun = time.monotonic()
        return await asyncio.gather(*map(one, range(5))), len(tries), time.monotonic() - begun

    through, tries, seconds = asyncio.run(go())
    assert through == [True] * 5
    assert tries == 1 + 5  # one missed, one answered, and the four that had waited
    assert 2 <= seconds < 10


def test_a_provider_that_stays_down_is_given_up():
    async def go():
        breaker = opened(patience_s=0.3)
        return await asyncio.gather(*(breaker.allows_attempt() for _ in range(5))), await breaker.allows_attempt()

    begun = time.monotonic()
    assert asyncio.run(go()) == ([False] * 5, False)
    assert 0.3 <= time.monotonic() - begun < 5


def test_attempts_that_began_before_a_provider_went_down_do_not_let_a_second_one_try():
    async def go():
        breaker = opened(patience_s=20)
        at_once, most = 0, 0

        async def one():
            nonlocal at_once, most
            if not await breaker.allows_attempt():
                return
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(1.5)
            at_once -= 1
            breaker.record_failed_request()

        async def straggler():
            for _ in range(20):
                await asyncio.sleep(0.1)
                breaker.record_failed_attempt()
                breaker.record_failed_request()

        tasks = [asyncio.create_task(one()) for _ in range(2)] + [asyncio.create_task(straggler())]
        await asyncio.sleep(2.4)
        found = most
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return found

    assert asyncio.run(go()) == 1
