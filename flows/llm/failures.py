"""Why a request has no answer: the classes of failure, and which of them a model causes itself. Pure.

| class | what happened | an answer then |
| --- | --- | --- |
| context_length | the request is too long for the model | fails |
| content_filter | the request or the answer is refused by a policy | fails |
| refused_request | a parameter or a message is refused (400, 422) | fails |
| repetition | the model repeats itself, and the provider stopped it | fails |
| timeout, rate_limit, server_error, network, bad_reply | the provider's fault, which may pass | is unscored |
| account, not_found | a refused key, no money left, an unknown model or address | is unscored |
| not_sent | the budget was used up, the provider was down, or a variable is not set | is unscored |

What a model causes itself would fail again, so it is an answer, and a wrong one.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from flows.lake import storable
from flows.llm.finish_reasons import REPETITION
from flows.llm.reply import CONTENT_FILTER, ReplyError, error_type_of, http_status_of

CONTEXT_LENGTH, REFUSED_REQUEST, NOT_SENT = "context_length", "refused_request", "not_sent"
OWN = (CONTEXT_LENGTH, CONTENT_FILTER, REFUSED_REQUEST, REPETITION)
"""The classes that a model causes itself."""

ACCOUNT, NOT_FOUND = "account", "not_found"

_LONGEST_MESSAGE = 500
_STATUS = {
    **{401: ACCOUNT, 402: ACCOUNT, 403: ACCOUNT, 404: NOT_FOUND},
    **{408: "timeout", 504: "timeout", 409: "server_error", 425: "server_error", 429: "rate_limit", 499: "network"},
}
_PASSING = ("timeout", "rate_limit", "server_error", "network", "bad_reply")
_TOO_LONG = re.compile(
    r"context.?(length|window)|maximum context|prompt is too long|too many (input )?tokens|input is too long"
    r"|exceeds? the (maximum|model'?s) (number of|maximum|context)",
    re.IGNORECASE,
)
_NO_MONEY = (
    r"insufficient[_ ](?:quota|funds|balance|credits?)|credit balance|payment required|quota exceeded for .*account"
    r"|exceeded your current quota|billing (?:hard )?limit|out of credits"
)
_OF_ACCOUNT = re.compile(rf"{_NO_MONEY}|api.?key|billing", re.IGNORECASE)
# A 429 is for want of money if it says so and names no time: a limit per minute may speak of plans and billing too.
_QUOTA = re.compile(_NO_MONEY, re.IGNORECASE)
_FOR_NOW = re.compile(r"(?:retry|try again) (?:in|after)|\bper[ -_]?(?:min|sec|hour|day)", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"LLM Provider NOT provided|model.{0,200}(does not exist|not found|is not available)|(unknown|invalid) model",
    re.IGNORECASE | re.DOTALL,
)
_NO_CONNECTION = re.compile(r"connection (error|refused|reset|aborted)|cannot connect|name resolution", re.IGNORECASE)
# Codes that are words, in replies with status 200. What none of them fits is the provider's fault, and may pass.
_CLASS_OF_CODE = (
    (re.compile(r"context.?(length|window)|too.?long|above.?max.?length|max.?tokens", re.IGNORECASE), CONTEXT_LENGTH),
    (
        re.compile(r"content.?(filter|policy)|inspection|sensitive|moderation|safety|flagged", re.IGNORECASE),
        CONTENT_FILTER,
    ),
    (re.compile(r"rate.?limit|throttl|too.?many.?requests|qps", re.IGNORECASE), "rate_limit"),
    (
        re.compile(
            r"quota|balance|credit|billing|arrear|payment|api.?key|unauthori[sz]ed|authentication|permission|denied",
            re.IGNORECASE,
        ),
        ACCOUNT,
    ),
    (re.compile(r"time.?d?.?out", re.IGNORECASE), "timeout"),
    (re.compile(r"not.?found|not.?exist", re.IGNORECASE), NOT_FOUND),
    (re.compile(r"invalid|bad.?request|unsupported|not.?supported|missing", re.IGNORECASE), REFUSED_REQUEST),
)
_LOST_WORDS = "Error in response object"  # litellm's, for an error that is no object
_TRACEBACK = "Traceback (most recent call last)"  # litellm's own, in its message for a reply that it cannot read
_WRAPPING = re.compile(r"\A(litellm\.\w+: |\w+Exception - |\w+Error: )+")


def class_of(error: BaseException) -> str:  # noqa: PLR0911 - one return a class
    """The class of a failed request; the module's docstring has them."""
    status, told = http_status_of(error), str(error)
    if isinstance(error, ReplyError) and error.error_class is not None:
        return error.error_class
    if error_type_of(error) == CONTENT_FILTER:
        return CONTENT_FILTER
    if status is None and getattr(error, "status_code", None) is not None:
        return _class_of_code(str(error.status_code), told)  # type: ignore[attr-defined]  # as the line above knows
    if _LOST_WORDS in told:
        return "server_error"
    if type(error).__name__ == "ContextWindowExceededError" or status == 413:
        return CONTEXT_LENGTH
    if status == 429 and _QUOTA.search(told) and ("insufficient_quota" in told or not _FOR_NOW.search(told)):
        return ACCOUNT
    if status in _STATUS:
        return _STATUS[status]
    if status is not None and status < 500:
        return _class_of_refusal(told) if status >= 400 else NOT_FOUND
    if _NO_CONNECTION.search(told) or (isinstance(error, OSError) and not isinstance(error, TimeoutError)):
        return "network"
    if status is not None:
        return "server_error"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "bad_reply" if isinstance(error, json.JSONDecodeError | TypeError | ValueError | LookupError) else "network"


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed later: its class may pass. An error of this program does not."""
    is_known = getattr(error, "status_code", None) is not None
    is_known = is_known or isinstance(error, TimeoutError | OSError | json.JSONDecodeError)
    return is_known and class_of(error) in _PASSING


def _class_of_refusal(told: str) -> str:
    """Providers use 400 for much: too long a request, an account without money, an unknown model."""
    if _TOO_LONG.search(told):
        return CONTEXT_LENGTH
    if _OF_ACCOUNT.search(told):
        return ACCOUNT
    return NOT_FOUND if _NO_MODEL.search(told) else REFUSED_REQUEST


def _class_of_code(code: str, told: str) -> str:
    """The class of an error whose code is no HTTP status."""
    if _TOO_LONG.search(told):
        return CONTEXT_LENGTH
    return next((found for words, found in _CLASS_OF_CODE if words.search(code)), "server_error")


def class_of_row(row: Mapping[str, Any]) -> str | None:
    """The class of a stored answer; None for an answer, and for a failure of unknown cause.

    Answers that were stored without a class have it by their `error_type`.
    """
    if row["status"] == "ok":
        return None
    of_type = {CONTENT_FILTER: CONTENT_FILTER, "ContextWindowExceededError": CONTEXT_LENGTH}
    return row.get("error_class") or of_type.get(row["error_type"])


def words_of(error: BaseException, secret: str | None = None) -> str:
    """The provider's own words, on one line and cut where they are long; `secret` is left out."""
    told = _WRAPPING.sub("", " ".join(str(error).partition(_TRACEBACK)[0].split()))
    if secret:
        told = told.replace(secret, "***")
    return storable(told, _LONGEST_MESSAGE)
