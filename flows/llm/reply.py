"""What a provider's reply says: its text, the tokens that it reports, and errors that came with status 200. Pure.

Numbers that a provider did not report are None. litellm puts 0 in their place, which no request really has.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.lake import count_of, storable
from flows.llm.finish_reasons import REPETITION, failure_told_by, is_cut

CONTENT_FILTER = "content_filter"
_FILTER_WORDS = (
    "content_filter",
    "content management policy",
    "responsibleaipolicyviolation",
    "content_policy_violation",
)
_BAD_GATEWAY = 502
_WORDS = ("message", "msg", "error_msg", "errmsg", "error_message", "status_msg", "detail")
_CODES = ("code", "error_code", "errcode", "status_code")
_LONGEST_NAME = 1000  # characters of an id or a name


class ReplyError(Exception):
    """An error that a provider reports in a reply with status 200. `status_code` is the provider's own code, or 502.

    `finish_reason` is the provider's, and `error_class` one of flows/llm/failures.py, where that reason is the error.
    """

    def __init__(
        self,
        message: str,
        status_code: int | str = _BAD_GATEWAY,
        *,
        finish_reason: str | None = None,
        error_class: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code, self.finish_reason, self.error_class = status_code, finish_reason, error_class


def choice_of(response: Any) -> Any:
    """The first choice of litellm's response. Raises ReplyError if there is none, or if it reports an error."""
    if not response.choices:
        raise ReplyError("the reply has no choices")
    choice = response.choices[0]
    extra = getattr(choice, "provider_specific_fields", None) or {}
    native = name_of(extra.get("native_finish_reason"))
    if told := error_told({"error": extra.get("error")}):
        raise ReplyError(told["message"], told["code"], finish_reason=native)
    refuse_failed(native)
    return choice


def refuse_failed(native_finish_reason: str | None) -> None:
    """Raise ReplyError for a finish reason that tells of the provider's failure: what has come is no answer."""
    found = failure_told_by(native_finish_reason)
    if found not in (None, REPETITION):
        raise ReplyError(f"finish_reason {native_finish_reason}", finish_reason=native_finish_reason, error_class=found)


def error_told(body: Any) -> dict[str, Any] | None:
    """`message` and `code` of the error that the body of a reply with status 200 reports; None if it reports none.

    Such a body has an `error`, or a message in place of `choices`. The code is the provider's number or word, or 502.
    """
    if not isinstance(body, Mapping):
        return None
    error = body.get("error")
    if isinstance(error, Mapping) and not (_first(error, _WORDS) or _first(error, _CODES)):
        error = None
    if not error:
        error = None if body.get("choices") else {**body, **_inner(body)}
        if error is None or _first(error, _WORDS) is None:
            return None
    details = error if isinstance(error, Mapping) else {"message": error}
    code = _first(details, _CODES)
    if code is None:
        code = _first(body, _CODES)
    message = _first(details, _WORDS) or json.dumps(details, default=str)
    return {
        "message": message if isinstance(message, str) else json.dumps(message, default=str),
        "code": code if isinstance(code, int | str) and not isinstance(code, bool) else _BAD_GATEWAY,
    }


def _inner(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object in which MiniMax's API tells its status."""
    inner = body.get("base_resp")
    return inner if isinstance(inner, Mapping) else {}


def _first(details: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((details[key] for key in keys if details.get(key) not in (None, "", 0)), None)


def http_status_of(error: BaseException) -> int | None:
    """The HTTP status of a failure, also where a provider tells it inside a reply, as a number or a text."""
    status = getattr(error, "status_code", None)
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status[:4])
    return status if isinstance(status, int) and 300 <= status < 600 else None


def error_type_of(error: BaseException) -> str:
    """The name of a failure: `content_filter` where a provider refuses a text by its policy, else the exception's."""
    name = type(error).__name__
    told = f"{error} {getattr(error, 'body', '')} {getattr(error, 'status_code', '')}".lower()
    is_refusal = http_status_of(error) in (400, 403, None) and any(word in told for word in _FILTER_WORDS)
    return CONTENT_FILTER if is_refusal or name == "ContentPolicyViolationError" else name


@dataclass(frozen=True)
class FinishReason:
    """Why an answer ended: in litellm's words, and in the provider's own."""

    common: str | None
    native: str | None


def finish_reason_of(choice: Any) -> FinishReason:
    """The finish reason. Where litellm has no word for the provider's own and says `stop`, that one is the common one
    too, or `length` if it means that.
    """
    extra = getattr(choice, "provider_specific_fields", None) or {}
    mapped = name_of(choice.finish_reason)
    native = name_of(extra.get("native_finish_reason")) or mapped
    return in_common_words(native, native if mapped == "stop" else mapped)


def in_common_words(native: str | None, mapped: str | None) -> FinishReason:
    """The finish reason `native` of a provider, for which another library has the word `mapped`."""
    return FinishReason("length" if is_cut(native) else mapped, native)


def own_failure(reason: FinishReason) -> str | None:
    """The class of a failure that the model itself caused and that a finish reason tells; None if there is none."""
    if reason.common == CONTENT_FILTER:
        return CONTENT_FILTER
    return REPETITION if failure_told_by(reason.native) == REPETITION else None


def name_of(value: Any) -> str | None:
    """An id or a name as a text that can be stored, cut where it is very long."""
    return None if value is None else storable(str(value), _LONGEST_NAME)


def cost_of(value: Any) -> float | None:
    """USD, finite and not negative; None for everything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < math.inf else None


def text_of(message: Mapping[str, Any]) -> str | None:
    """The text of an answer: its content, the text blocks of its content, or its refusal.

    None if the answer is only a tool call, which is no empty answer. An answer with nothing in it is "".
    """
    content = message.get("content")
    if isinstance(content, list):
        content = text_of_blocks(content)
    refusal = message.get("refusal") or (message.get("provider_specific_fields") or {}).get("refusal")
    text = content or refusal or ""
    has_calls = message.get("tool_calls") or message.get("function_call")
    return None if has_calls and not text else str(text)


def text_of_blocks(blocks: list[Any]) -> str:
    """The text of the text blocks of a message's content; thinking, images and other blocks are left out."""
    return "".join(
        block if isinstance(block, str) else str(block.get("text") or "")
        for block in blocks
        if isinstance(block, str) or (isinstance(block, Mapping) and block.get("type") in ("text", "output_text"))
    )


def tokens_of(usage: Any, message: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Input and output tokens as reported; None for each that is not.

    Zero input tokens is not a report, because each request has some; nor is zero output tokens of an answer that says
    something.
    """
    told = usage if isinstance(usage, Mapping) else getattr(usage, "__dict__", {})
    asked, answered = count_of(told.get("prompt_tokens")), count_of(told.get("completion_tokens"))
    says_something = text_of(message) != ""
    return asked or None, None if answered is None or (answered == 0 and (says_something or not asked)) else answered


def message_of(choice: Any) -> dict[str, Any]:
    """The message of a choice as a dict, without what it does not hold."""
    found: dict[str, Any] = json.loads(json.dumps(choice.message.model_dump(exclude_none=True), default=str))
    return found
