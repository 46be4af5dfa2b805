"""What kinds of inputs there are: the traits by which production and the holdout are compared.

A trait is a kind and a value, such as turns and "4 or more". All are counted in what was asked; none knows how a model
answered.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Traits = Mapping[str, str]

_LENGTHS = ((50, "up to 50"), (200, "51 to 200"), (1000, "201 to 1,000"), (5000, "1,001 to 5,000"))
_LONGER = "more than 5,000"
_TURNS = ((1, "1"), (3, "2 or 3"))
_MORE_TURNS = "4 or more"
_FEWEST_CALLS = 5
_SHORTFALL = (
    4  # a trait is lacking where the holdout has less than a quarter of the examples that production's share is
)
_TYPOS = 0.1  # share of the checked words that are in no dictionary
_FEWEST_WORDS = 4

REASONS = {"topic": "topic", "language": "language", "typos": "typos"}  # of kinds; all others are structure


@dataclass(frozen=True)
class Gap:
    """A trait that the holdout has too few examples of."""

    kind: str
    value: str
    n_calls: int
    of_calls: int
    n_examples: int
    of_examples: int

    @property
    def reason(self) -> str:
        """The column of that name in `holdout_proposals`."""
        return REASONS.get(self.kind, "structure")

    @property
    def explanation(self) -> str:
        """A sentence for people."""
        share = 100 * self.n_calls / self.of_calls
        return (
            f"{self.kind} {self.value}: {share:.1f} % of production's calls ({self.n_calls:,} of {self.of_calls:,}),"
            f" {self.n_examples:,} of {self.of_examples:,} examples of the holdout"
        )


def asked_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """All that the user says, joined; of a conversation without a user, its last message."""
    texts = [_text(one) for one in messages if one.get("role") == "user"]
    return "\n".join(texts) if texts else _text(messages[-1]) if messages else ""


def structure_of(messages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The traits of an input's form."""
    text, turns = asked_text(messages), sum(one.get("role") == "user" for one in messages)
    return {
        "turns of the user": next((name for most, name in _TURNS if turns <= most), _MORE_TURNS),
        "characters": next((name for most, name in _LENGTHS if len(text) <= most), _LONGER),
        "tools used before": _yes(any(one.get("tool_calls") or one.get("role") == "tool" for one in messages)),
        "JSON input": _yes(_is_json(text)),
        "lines": "several" if "\n" in text.strip() else "one",
        "files or images": _yes(any(_has_files(one) for one in messages)),
    }


def typos_of(words_checked: int, words_known: int) -> str:
    """Whether an English text has typos."""
    unknown = words_checked - words_known
    return _yes(words_checked >= _FEWEST_WORDS and unknown >= _TYPOS * words_checked and unknown > 0)


def lacking(calls: Sequence[Traits], examples: Sequence[Traits]) -> list[Gap]:
    """The traits that the holdout lacks, those with the largest share of production first.

    Calls and examples without a kind (such as a language that is not known) do not count for it. Where no example has
    the kind at all, nothing is known of the holdout, and nothing is lacking.
    """
    found = []
    for kind in sorted({kind for one in calls for kind in one}):
        asked, there = (Counter(one[kind] for one in rows if kind in one) for rows in (calls, examples))
        of_calls, of_examples = asked.total(), there.total()
        for value, n in asked.items():
            enough = n / of_calls * of_examples
            if of_examples and n >= _FEWEST_CALLS and there[value] < max(1.0, enough / _SHORTFALL):
                found.append(Gap(kind, value, n, of_calls, there[value], of_examples))
    return sorted(found, key=lambda gap: (-gap.n_calls / gap.of_calls, gap.kind, gap.value))


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _has_files(message: Mapping[str, Any]) -> bool:
    parts = message.get("content")
    return isinstance(parts, list) and any(
        isinstance(part, dict) and part.get("type") not in ("text", "input_text") for part in parts
    )


def _is_json(text: str) -> bool:
    if not text.strip().startswith(("{", "[")):
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
