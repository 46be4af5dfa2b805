"""Requests within a budget."""

import asyncio
from types import SimpleNamespace

from flows.evaluate.generate.request_runner import RunBudget, ask_all
from flows.llm.client import Answer, FakeClient


def test_answers_without_reported_tokens_take_their_estimate_from_the_budget(tmp_path):
    client = FakeClient([Answer("ok", text="hello")] * 4, cost_usd=0.25)
    budget = RunBudget(0.5)
    requests = [SimpleNamespace(messages=[], params={}) for _ in range(4)]
    sent = asyncio.run(
        ask_all(
            requests, lambda _: client, lambda _, answer: {"text": answer.text}, tmp_path / "j", budget, concurrency=1
        )
    )
    assert (sent, budget.spent, budget.is_exhausted) == (2, 0.5, True)
