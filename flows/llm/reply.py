"""What a provider's reply says: its text, the tokens that it reports, and errors that came with status 200. Pure.

Numbers that a provider did not report are None. litellm puts 0 in their place, which no request really has.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.lake import count_of, storable

CONTENT_FILTER = "content_filter"
_FILTER_WORDS = (
    "content_filter",
    "content management policy",
    "responsibleaipolicyviolation",
    "content_policy_violation",
)
_ERRORS = ("error", "network_error", "ERROR")
_BAD_GATEWAY = 502
_LONGEST_NAME = 1000  # characters of an id or a name


class ReplyError(Exception):
    """An error that a provider reports in a reply with status 200. `status_code` is the error's own, or 502."""

    def __init__(self, message: str, status_code: int = _BAD_GATEWAY) -> None:
        super().__init__(message)
        self.status_code = status_code


def choice_of(response: Any) -> Any:
    """The first choice of litellm's response. Raises ReplyError if there is none, or if it reports an error."""
    if not response.choices:
        raise ReplyError("the reply has no choices")
    choice = response.choices[0]
    extra = getattr(choice, "provider_specific_fields", None) or {}
    if error := extra.get("error"):
        details = error if isinstance(error, Mapping) else {"message": error}
        code = details.get("code")
        raise ReplyError(
            str(details.get("message") or details), code if isinstance(code, int) and code >= 400 else _BAD_GATEWAY
        )
    if (reason := extra.get("native_finish_reason")) in _ERRORS:
        raise ReplyError(f"finish_reason {reason}")
    return choice


def error_type_of(error: BaseException) -> str:
    """The name of a failure: `content_filter` where a provider refuses a text by its policy, else the exception's."""
    name = type(error).__name__
    told = f"{error} {getattr(error, 'body', '')}".lower()
    is_refusal = getattr(error, "status_code", None) in (400, 403) and any(word in told for word in _FILTER_WORDS)
    return CONTENT_FILTER if is_refusal or name == "ContentPolicyViolationError" else name


@dataclass(frozen=True)
class FinishReason:
    """Why an answer ended: in litellm's words, and in the provider's own."""

    common: str | None
    native: str | None


def finish_reason_of(choice: Any) -> FinishReason:
    """The finish reason. The provider's own word is also the common one where litellm has none and says `stop`."""
    extra = getattr(choice, "provider_specific_fields", None) or {}
    mapped = name_of(choice.finish_reason)
    native = name_of(extra.get("native_finish_reason")) or mapped
    return FinishReason(native if mapped == "stop" else mapped, native)


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
