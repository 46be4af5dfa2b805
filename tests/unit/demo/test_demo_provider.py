"""The simulated models are reached through litellm, in process, and make the planted mistakes."""

import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from typing import Any

import pytest

from flows.demo import desk
from flows.demo.workspace import _holdout
from flows.llm.litellm_setup import load_litellm
from flows.llm.local_providers import register_local_providers


@pytest.fixture(autouse=True)
def fresh_models():
    register_local_providers(["simulated/support-desk-1"])


async def ask(model: str, text: str) -> Any:
    return await load_litellm().acompletion(model=f"simulated/{model}", messages=desk.messages(text), temperature=0)


def test_an_answer_has_usage_a_model_a_fingerprint_and_an_id_of_its_own():
    async def twice() -> list[Any]:
        return [await ask(desk.PINNED, "Where is my parcel now?") for _ in range(2)]

    first, second = asyncio.run(twice())
    assert json.loads(first.choices[0].message.content)["language"] == "en"
    assert first.model == desk.PINNED
    assert first.system_fingerprint == "fp_simulated"
    assert first.usage.prompt_tokens > 50
    assert first.usage.completion_tokens > 10
    assert first.choices[0].finish_reason == "stop"
    assert first.id != second.id


def test_it_answers_without_asyncio_too():
    response = load_litellm().completion(
        model="simulated/support-desk-2", messages=[{"role": "user", "content": [{"type": "text", "text": "Hallo"}]}]
    )
    assert response.model == desk.CANDIDATE


def test_a_model_that_does_not_exist_is_a_permanent_failure():
    with pytest.raises(load_litellm().NotFoundError, match="no simulated model"):
        asyncio.run(ask("support-desk-3", "Hello"))


def rates(model: str) -> dict[str, float]:
    """The share of right categories by language, over three repeats of the holdout, asked as the provider is."""
    right: dict[str, list[bool]] = defaultdict(list)
    for example in _holdout():
        for repeat in range(3):
            answer = desk.model_answer(model, example["messages"][-1]["content"], repeat)
            right[example["tags"]["language"]].append(f'"category": "{example["expected"]["category"]}"' in answer)
    return {language: sum(found) / len(found) for language, found in right.items()}


def test_the_candidate_is_worse_on_german_and_on_nothing_else():
    pinned, candidate = rates(desk.PINNED), rates(desk.CANDIDATE)
    assert pinned == pytest.approx({"en": 0.91, "de": 0.91}, abs=0.04)
    assert candidate == pytest.approx({"en": 0.96, "de": 0.60}, abs=0.04)


def test_three_texts_in_a_hundred_are_answered_differently_when_asked_again():
    texts = [example["messages"][-1]["content"] for example in _holdout()]
    varied = sum(len({desk.model_answer(desk.PINNED, text, times) for times in range(3)}) > 1 for text in texts)
    assert 0.01 <= varied / len(texts) <= 0.06


def test_the_answer_to_a_text_is_the_same_in_every_process():
    asked = "from flows.demo import desk; print(desk.model_answer(desk.PINNED, 'Where is my parcel now?', 0))"
    answers = [
        subprocess.run(
            [sys.executable, "-c", asked], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert answers[0] == answers[1] == desk.model_answer(desk.PINNED, "Where is my parcel now?", 0) + "\n"
