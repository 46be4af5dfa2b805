"""What a provider's reply says, and what it does not."""

import pytest

from flows.llm import reply

SAYS = {"content": "hello"}


@pytest.mark.parametrize(
    ("usage", "message", "tokens"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5}, SAYS, (10, 5)),
        (None, SAYS, (None, None)),
        ({}, SAYS, (None, None)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, SAYS, (None, None)),
        ({"prompt_tokens": None, "completion_tokens": None}, SAYS, (None, None)),
        ({"prompt_tokens": 10, "completion_tokens": 0}, SAYS, (10, None)),
        ({"prompt_tokens": 10}, SAYS, (10, None)),
        ({"prompt_tokens": 0, "completion_tokens": 5}, SAYS, (None, 5)),
        ({"prompt_tokens": 10, "completion_tokens": 0}, {"content": ""}, (10, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 0}, {"content": None, "tool_calls": [{"id": "t"}]}, (10, None)),
    ],
)
def test_tokens_that_are_not_reported_are_none_and_never_zero(usage, message, tokens):
    assert reply.tokens_of(usage, message) == tokens


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "hello"}, "hello"),
        ({"content": None}, ""),
        ({}, ""),
        ({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, "b"]}, "ab"),
        ({"content": [{"type": "image_url", "image_url": {"url": "x"}}]}, ""),
        ({"content": None, "refusal": "I cannot."}, "I cannot."),
        ({"content": None, "provider_specific_fields": {"refusal": "I cannot."}}, "I cannot."),
        ({"content": None, "tool_calls": [{"id": "t"}]}, None),
        ({"content": "", "function_call": {"name": "f"}}, None),
        ({"content": "I look it up.", "tool_calls": [{"id": "t"}]}, "I look it up."),
    ],
)
def test_the_text_of_an_answer_is_what_it_says_and_a_tool_call_alone_has_none(message, text):
    assert reply.text_of(message) == text


class PolicyError(Exception):
    def __init__(self, message, status_code):
        super().__init__(message)
        self.status_code = status_code


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PolicyError("filtered due to the prompt triggering content management policy", 400), "content_filter"),
        (PolicyError("code: content_filter", 400), "content_filter"),
        (PolicyError("content_filter is not a valid parameter of the server", 500), "PolicyError"),
        (PolicyError("no such parameter", 400), "PolicyError"),
    ],
)
def test_a_refusal_by_policy_has_one_name(error, kind):
    assert reply.error_type_of(error) == kind
