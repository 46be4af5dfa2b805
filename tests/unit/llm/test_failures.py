"""Which failures a model causes itself, and what is kept of the provider's words."""

import json
import re
from pathlib import Path

import pytest

from flows.llm.failures import OWN, class_of, class_of_row, is_transient, words_of


class FailedError(Exception):
    def __init__(self, message, status_code=None):
        super().__init__(message)
        self.status_code = status_code


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (FailedError("Unsupported parameter: 'top_k'", 400), "refused_request"),
        (FailedError("messages.0: unprocessable", 422), "refused_request"),
        (FailedError("This model's maximum context length is 8192 tokens", 400), "context_length"),
        (FailedError("prompt is too long: 210000 tokens > 200000 maximum", 400), "context_length"),
        (FailedError("request too large", 413), "context_length"),
        (FailedError("code: content_filter", 400), "content_filter"),
        (FailedError("Your credit balance is too low to access the API", 400), "account"),
        (FailedError("API key not valid. Please pass a valid API key.", 400), "account"),
        (FailedError("LLM Provider NOT provided. You passed model=x", 400), "not_found"),
        (FailedError("The model `x` does not exist", 400), "not_found"),
        (FailedError("no such key", 401), "account"),
        (FailedError("pay first", 402), "account"),
        (FailedError("forbidden", 403), "account"),
        (FailedError("no such model", 404), "not_found"),
        (FailedError("slow", 408), "timeout"),
        (FailedError("slow gateway", 504), "timeout"),
        (FailedError("slow down", 429), "rate_limit"),
        (FailedError("insufficient_quota", 429), "account"),
        (FailedError("You exceeded your current quota, please check your plan and billing details.", 429), "account"),
        (FailedError("Your credit balance is too low", 429), "account"),
        (FailedError("insufficient balance", 429), "account"),
        (FailedError("You exceeded your current quota. Please retry in 34.1s.", 429), "rate_limit"),
        (FailedError("Add a payment method at example.com/account/billing to raise it", 429), "rate_limit"),
        (FailedError("Rate limit exceeded for this API key: 60 requests per minute", 429), "rate_limit"),
        (FailedError("the lock is taken", 409), "server_error"),
        (FailedError("unavailable for legal reasons", 451), "refused_request"),
        (FailedError("moved", 302), "not_found"),
        (FailedError("overloaded", 529), "server_error"),
        (FailedError("OpenAIException - Connection error.", 500), "network"),
        (FailedError("slow down", "429"), "rate_limit"),
        (FailedError("slow down", "Throttling.RateQuota"), "rate_limit"),
        (FailedError("busy", "1305"), "server_error"),
        (FailedError("no such field", "invalid_request"), "refused_request"),
        (FailedError("prompt is too long", "invalid_request"), "context_length"),
        (FailedError("bad key", "invalid_api_key"), "account"),
        (FailedError("no such model", "model_not_found"), "not_found"),
        (FailedError("late", "request_timed_out"), "timeout"),
        (FailedError("ContentPolicy", "content_policy_violation"), "content_filter"),
        (FailedError("Error in response object", 422), "server_error"),
        (TimeoutError("read"), "timeout"),
        (ConnectionResetError("reset"), "network"),
        (json.JSONDecodeError("cut", "", 0), "bad_reply"),
        (KeyError("choices"), "bad_reply"),
    ],
)
def test_each_failure_has_a_class(error, found):
    assert class_of(error) == found


@pytest.mark.parametrize(
    ("error", "may_pass"),
    [
        (FailedError("slow down", 429), True),
        (FailedError("You exceeded your current quota, please check your plan and billing details.", 429), False),
        (FailedError("Your credit balance is too low", 429), False),
        (FailedError("You exceeded your current quota. Please retry in 34.1s.", 429), True),
        *((FailedError("x", status), True) for status in (408, 409, 425, 499, 500, 502, 503, 504, 529)),
        *((FailedError("x", status), False) for status in (301, 400, 401, 402, 403, 404, 413, 418, 422, 451)),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (json.JSONDecodeError("cut", "", 0), True),
        (KeyError("a defect of this program"), False),
        (RuntimeError("a defect of this program"), False),
    ],
)
def test_what_is_tried_again_is_what_its_class_lets_pass(error, may_pass):
    assert is_transient(error) is may_pass


def test_only_what_the_model_causes_itself_is_its_own():
    assert set(OWN) == {"context_length", "content_filter", "refused_request", "repetition"}


def test_the_mart_of_failures_counts_the_same_classes_as_the_models_own():
    mart = Path(__file__).parents[3] / "dbt_project" / "models" / "marts" / "evaluation" / "fct_request_failures.sql"
    (listed,) = re.findall(r"error_class in \(([^)]*)\)", mart.read_text(encoding="utf-8"))
    assert tuple(re.findall(r"'(\w+)'", listed)) == OWN


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"status": "ok", "error_type": None, "error_class": None}, None),
        ({"status": "error", "error_type": "Timeout", "error_class": "timeout"}, "timeout"),
        ({"status": "error", "error_type": "ContextWindowExceededError"}, "context_length"),
        ({"status": "error", "error_type": "content_filter", "error_class": None}, "content_filter"),
        ({"status": "error", "error_type": "APIError", "error_class": None}, None),
    ],
)
def test_answers_that_were_stored_without_a_class_have_it_by_their_type(row, found):
    assert class_of_row(row) == found


def test_the_providers_words_are_kept_on_one_line_without_the_key_and_can_be_stored():
    told = 'litellm.BadRequestError: OpenAIException - {\n  "message": "bad \ud83d key sk-1"\n}' + "x" * 900
    words = words_of(FailedError(told), "sk-1")
    assert words.startswith('{ "message": "bad \ufffd key ***" }x')
    assert len(words) < 520
