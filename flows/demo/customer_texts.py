"""Customers' messages: phrase banks filled at random, in the style of the web page or of the mobile app.

The phrases are data (`phrases/<language>.yaml`). This module does not depend on days, logs or models.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

LANGUAGES = ("en", "de")
# The categories that the desk knows, with how often customers ask for each.
CATEGORIES = {
    "refund": 0.15,
    "delivery": 0.21,
    "login": 0.12,
    "invoice": 0.12,
    "damaged_item": 0.12,
    "cancellation": 0.10,
    "address_change": 0.08,
    "praise": 0.06,
    "other": 0.04,
}
# A subject that customers begin to ask about late; the desk has no category for it and uses `other`.
NEW_TOPIC = "loyalty_points"

_SLOT = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Phrases:
    """The phrases of one language."""

    openings: tuple[str, ...]
    details: tuple[str, ...]
    closings: tuple[str, ...]
    greetings: tuple[str, ...]
    sign_offs: tuple[str, ...]
    slots: dict[str, list[str]]
    intents: dict[str, dict[str, list[str]]]


@lru_cache(maxsize=len(LANGUAGES))
def phrases(language: str) -> Phrases:
    """The phrase bank of a language, `en` or `de`."""
    path = Path(__file__).parent / "phrases" / f"{language}.yaml"
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    lists = ("openings", "details", "closings", "greetings", "sign_offs")
    return Phrases(**{name: tuple(raw[name]) for name in lists}, slots=raw["slots"], intents=raw["intents"])


def written(rng: Random, language: str, intent: str, casual: bool) -> str:
    """One customer's message. `casual` is the style of the mobile app: lower case, fragments, typos."""
    return _casual(rng, language, intent) if casual else _careful(rng, language, intent)


def reply(rng: Random, language: str, intent: str) -> str:
    """The desk's reply to a message with that intent."""
    bank = phrases(language)
    return rng.choice(bank.greetings) + rng.choice(bank.intents[intent]["replies"]) + rng.choice(bank.sign_offs)


def classify(text: str) -> tuple[str, str]:
    """The (language, intent) whose phrases share the most distinctive words with `text`.

    A word counts for its share among the phrases that contain it, so that a word of a single intent has the highest
    weight. A text without any known word is (`en`, `other`).
    """
    scores: dict[tuple[str, str], float] = {("en", "other"): 1e-9}
    weights = _word_weights()
    for word in _WORD.findall(text.lower()):
        for kind, weight in weights.get(word, {}).items():
            scores[kind] = scores.get(kind, 0.0) + weight
    return max(scores, key=lambda kind: scores[kind])


def with_typo(rng: Random, text: str) -> str:
    """`text` with one longer word mistyped: two letters swapped, one dropped or one doubled."""
    spans = [found.span() for found in re.finditer(r"[^\W\d_]{5,}", text)]
    if not spans:
        return text
    start, end = rng.choice(spans)
    at = rng.randrange(start + 1, end - 2)
    if "@" in text[max(0, start - 1) : end + 1]:
        return text
    kind = rng.random()
    if kind < 0.5:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind < 0.8 else text[:at] + text[at] + text[at:]


def _careful(rng: Random, language: str, intent: str) -> str:
    bank = phrases(language)
    wishes = bank.intents[intent]
    values: dict[str, str] = {}
    parts = [rng.choice(bank.openings)] if rng.random() < 0.6 else []
    parts.append(_filled(rng, rng.choice(wishes["problems"]), bank, values))
    parts += [_filled(rng, text, bank, values) for text in rng.sample(bank.details, rng.choice((0, 0, 1, 1, 1, 2)))]
    if rng.random() < 0.75:
        parts.append(_filled(rng, rng.choice(wishes["asks"]), bank, values))
    if rng.random() < 0.5:
        parts.append(rng.choice(bank.closings))
    text = " ".join(parts)
    return with_typo(rng, text) if rng.random() < 0.06 else text


def _casual(rng: Random, language: str, intent: str) -> str:
    bank = phrases(language)
    wishes = bank.intents[intent]
    values: dict[str, str] = {}
    short = rng.random() < 0.75
    text = _filled(rng, rng.choice(wishes["fragments" if short else "problems"]), bank, values).lower().rstrip(".!?")
    for _ in range(rng.choice((0, 1, 1, 2))):
        text = with_typo(rng, text)
    return text


def _filled(rng: Random, template: str, bank: Phrases, values: dict[str, str]) -> str:
    """`template` with its slots filled; a slot has the same value within one message."""

    def value(match: re.Match[str]) -> str:
        slot = match[1]
        if slot not in values:
            values[slot] = _invented(rng, slot) or rng.choice(bank.slots[slot])
        return values[slot]

    return _SLOT.sub(value, template)


def _invented(rng: Random, slot: str) -> str:
    if slot == "order":
        return f"{rng.choice('ABDK')}{rng.randrange(10_000, 99_999)}"
    if slot == "email":
        return f"customer{rng.randrange(1_000, 9_999)}@example.com"
    return str(rng.randrange(1, 180)) if slot == "number" else ""


@lru_cache(maxsize=1)
def _word_weights() -> dict[str, dict[tuple[str, str], float]]:
    """For each word of the phrases its share in every (language, intent); the shares of a word add up to 1."""
    counts: dict[str, dict[tuple[str, str], float]] = {}
    for language in LANGUAGES:
        for intent, wishes in phrases(language).intents.items():
            for text in (*wishes["problems"], *wishes["asks"], *wishes["fragments"]):
                for word in set(_WORD.findall(_SLOT.sub("", text).lower())):
                    kinds = counts.setdefault(word, {})
                    kinds[language, intent] = kinds.get((language, intent), 0.0) + 1
    return {
        word: {kind: count**2 / sum(kinds.values()) ** 2 for kind, count in kinds.items()}
        for word, kinds in counts.items()
    }
