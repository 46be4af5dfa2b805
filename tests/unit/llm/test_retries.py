"""How long a provider is left alone."""

import pytest

from flows.llm.failures import is_transient
from flows.llm.retries import pause_s, retry_after_s


class TooManyError(Exception):
    status_code = 429

    def __init__(self, message="", **headers):
        super().__init__(message)
        self.litellm_response_headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"Retry_After": "0.5"}, 0.5),
        ({"retry_after": "86400"}, 60),
        ({"retry_after": "-3"}, 0),
        ({"retry_after": "nan"}, 0),
        ({"retry_after": "soon"}, 0),
        ({"retry_after": "2", "retry_after_ms": "1500"}, 1.5),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry_after": "Wed, 21 Oct 2099 07:28:00 GMT"}, 60),
        ({}, 0),
    ],
)
def test_what_a_provider_asks_for_is_understood_and_kept_within_reason(headers, seconds):
    assert retry_after_s(TooManyError(**headers)) == seconds


def test_a_pause_grows_and_is_no_shorter_than_what_the_provider_asks():
    assert 7 <= pause_s(TooManyError(retry_after="7"), 0) < 8
    assert max(pause_s(ValueError(), 9) for _ in range(50)) <= 20


def test_want_of_money_does_not_pass_and_too_many_requests_do():
    assert is_transient(TooManyError("slow down"))
    assert not is_transient(TooManyError("insufficient_quota: you exceeded your current quota"))
