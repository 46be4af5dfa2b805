"""A provider that never answers costs a night less than four minutes: its two limits, and half a minute around them."""

import inspect

import pytest

from flows.config.load import Model
from flows.llm import LiteLLMClient
from flows.llm.rate_limits import HANG_PATIENCE_S, TIMEOUT_S
from tests.hanging import asked, silent_server

pytestmark = pytest.mark.long
AROUND_S = 240 - TIMEOUT_S - HANG_PATIENCE_S
PART = 10  # of the limits, which are not waited for in full


def test_three_hundred_questions_to_a_silent_provider_take_little_more_than_the_limits() -> None:
    limit_s, patience_s = TIMEOUT_S / PART, HANG_PATIENCE_S / PART
    with silent_server() as silent:
        model = Model(model="openai/silent", api_base=silent.url, name="silent")
        client = LiteLLMClient(model, timeout_s=limit_s, hang_patience_s=patience_s)
        answers, seconds = asked(client, 300, concurrency=32)
    assert {answer.error_type for answer in answers} == {"provider_down"}
    assert limit_s < seconds < limit_s + patience_s + AROUND_S


def test_a_night_has_these_limits() -> None:
    limits = inspect.signature(LiteLLMClient).parameters
    assert limits["timeout_s"].default == TIMEOUT_S == 120
    assert limits["hang_patience_s"].default == HANG_PATIENCE_S == 90
