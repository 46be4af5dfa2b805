"""Texts that were cut off before they were logged: by an attribute's length limit of an SDK, or by a logger.

Belongs here: how they are recognised, and how JSON without its end is read. A text that a model or a user ended with
dots is none: only JSON that ends within itself, and the words that known loggers write, tell.
"""

import json
import re
from typing import Any

# What stands where a value was: Langfuse's SDKs, and loggers that write it in brackets.
_PLACEHOLDER = re.compile(
    r"\s*(?:<truncated due to size exceeding limit>"
    r"|(?:\.{3}|…)?\s*[\[(<{]\s*(?:\.{3}|…)?\s*truncated\b[^\n\])>}]{0,120}[\])>}]\s*(?:\.{3}|…)?)\s*",
    re.IGNORECASE,
)
# What stands among messages for those that were left out; as a text of its own it may be a user's.
_LEFT_OUT = re.compile(r"\s*(?:\.{3,}|…|(?:\.{3}|…)?\s*\(?\+?\s*\d+ more\b[^\n]{0,80})\s*", re.IGNORECASE)
# litellm leaves the beginning and the end of a text, and this in the middle.
_WITHIN = re.compile(r"\(litellm_truncated skipped \d+ chars")
_AT_THE_END = re.compile(
    r"[\[(<{]\s*(?:\.{3}|…)?\s*(?:\w+ )?truncated\b[^\n\])>}]{0,120}[\])>}]\s*(?:\.{3}|…)?\s*$", re.IGNORECASE
)
_LONGEST_MARK = 200
# What a logger writes behind JSON that it cut.
_SUFFIX = re.compile(
    r"\s*(?:\.{3,}|…)?\s*(?:[\[(<]\s*(?:\.{3}|…)?\s*truncated\b[^\n\])>]{0,120}[\])>]?)?\s*(?:\.{3,}|…)?\s*$",
    re.IGNORECASE,
)
_STRUCTURE = re.compile(r'["\\{}\[\]]')
_MOST_LEVELS = 200


def is_placeholder(value: Any, *, is_item: bool = False) -> bool:
    """Whether a text only says that something was left out; `is_item`: it stands among messages, in place of one."""
    if not isinstance(value, str) or len(value) > _LONGEST_MARK:
        return False
    return bool(_PLACEHOLDER.fullmatch(value) or (is_item and _LEFT_OUT.fullmatch(value)))


def is_marked(text: str | None) -> bool:
    """Whether a logger says within the text, or at its end, that it is not whole."""
    if text is None or "runcated" not in text.casefold():
        return False
    return bool(_WITHIN.search(text) or _AT_THE_END.search(text[-_LONGEST_MARK:]) or is_placeholder(text))


def was_cut(given: str) -> bool:
    """Whether litellm says anywhere in the JSON of messages that it cut a text of them."""
    return "litellm_truncated" in given and bool(_WITHIN.search(given))


def closed(text: str) -> Any:
    """The object or list that a JSON text without its end began; None where it is no such text.

    Its last text may be a part only. A key without a value is left out.
    """
    text = text.lstrip()
    if text[:1] not in ("{", "["):
        return None
    whole = _SUFFIX.sub("", text[-_LONGEST_MARK:])
    for candidate in dict.fromkeys((text[:-_LONGEST_MARK] + whole, text)):
        levels, in_text = _open_levels(candidate)
        if levels is None or (not levels and not in_text) or len(levels) > _MOST_LEVELS:
            continue
        for ended in _endings(candidate, levels, in_text=in_text):
            try:
                value = json.loads(ended)
            except (ValueError, RecursionError):
                continue
            return value
    return None


def _open_levels(text: str) -> tuple[list[str] | None, bool]:
    """The brackets that stand open at the end, and whether a string does; None where brackets do not match."""
    levels: list[str] = []
    in_text, skip_to = False, -1
    for found in _STRUCTURE.finditer(text):
        sign, place = found[0], found.start()
        if place < skip_to:
            continue
        if in_text:
            if sign == "\\":
                skip_to = place + 2
            elif sign == '"':
                in_text = False
        elif sign == '"':
            in_text = True
        elif sign in "{[":
            levels.append("}" if sign == "{" else "]")
        elif sign == "\\" or not levels or levels.pop() != sign:
            return None, False
    return levels, in_text


def _endings(text: str, levels: list[str], *, in_text: bool) -> list[str]:
    """What the text may be with its end, the fullest first."""
    closing = "".join(reversed(levels))
    if in_text:
        bare = re.sub(r"\\(?:u[0-9a-fA-F]{0,3})?$", "", text)
        heads = [f'{text}"', f'{bare}"', f'{text[:-1]}"']
    else:
        heads = [text]
    last_key = re.compile(r'[,{]\s*"(?:[^"\\]|\\.)*"?\s*:?\s*[^,{}\[\]"]*$', re.DOTALL)
    tails = [last_key.sub(lambda found: found[0][0] if found[0][0] == "{" else "", head) for head in heads]
    tails.append(re.sub(r",\s*[^,{}\[\]\"]*$", "", heads[0]))
    return [f"{head}{closing}" for head in (*heads, *tails)]
