"""With the limits of a real night: a provider that never answers costs less than four minutes."""

import pytest

from flows.config.load import Model
from flows.llm import LiteLLMClient
from tests.hanging import asked, silent_server

pytestmark = pytest.mark.long


def test_three_hundred_questions_to_a_silent_provider_take_less_than_four_minutes() -> None:
    with silent_server() as silent:
        client = LiteLLMClient(Model(model="openai/silent", api_base=silent.url, name="silent"))
        answers, seconds = asked(client, 300, concurrency=32)
    assert {answer.error_type for answer in answers} == {"provider_down"}
    assert 120 < seconds < 240
