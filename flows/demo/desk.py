"""The answers of the simulated models, for the logs and for the models that are called in the night.

A message has a difficulty, which depends only on its text and is the same for every model, so that models share most
of their mistakes, as real ones do. A model is wrong if the difficulty is below its error rate.
"""

import hashlib
import json
from random import Random
from typing import Any

from flows.demo import customer_texts
from flows.demo.incidents import CANDIDATE_SLICE

PROVIDER = "simulated"
PINNED, CANDIDATE = "support-desk-1", "support-desk-2"
PROMPT_NAME, PROMPT_VERSION, BROKEN_VERSION = "triage", "v7", "v8"

SYSTEM_PROMPT = (
    "You are the support desk of a web shop. Read the customer's message and answer with one JSON object with the"
    " keys category, urgency, language and reply. category is one of "
    + ", ".join(customer_texts.CATEGORIES)
    + "; urgency is low, normal or high; language is that of the customer; reply is what the customer will read."
)

_ERROR_RATES = {PINNED: {"en": 0.08, "de": 0.08}, CANDIDATE: {"en": 0.03, "de": CANDIDATE_SLICE.share}}
# A seed with which the few German examples of the holdout show the rates above.
_DRAW = "difficulty 8"
_WOBBLING = 0.03
"""The share of messages on which a model does not answer the same each time, though the temperature is 0."""
_URGENT = {"login": 0.5, "cancellation": 0.45, "delivery": 0.3, "damaged_item": 0.3, "praise": 0.0, "other": 0.05}


_CLOSINGS = {
    "en": "We are sorry for the trouble this has caused you. Is there anything else that we can do for you today?",
    "de": "Die Umstände tun uns sehr leid. Können wir heute noch etwas anderes für Sie tun?",
}


def messages(text: str) -> list[dict[str, str]]:
    """The request of the application for a customer's message."""
    return [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": text}]


def category_of(intent: str) -> str:
    """The desk's category of an intent."""
    return intent if intent in customer_texts.CATEGORIES else "other"


def answer(rng: Random, language: str, intent: str, right: bool = True) -> dict[str, str]:
    """An answer's fields; with a wrong category and its reply if not `right`."""
    filed = category_of(intent)
    if not right:
        filed = rng.choice([other for other in customer_texts.CATEGORIES if other != filed])
    urgent = rng.random() < _URGENT.get(filed, 0.15)
    urgency = "high" if urgent else rng.choice(("low", "normal", "normal"))
    return {
        "category": filed,
        "urgency": urgency,
        "language": language,
        "reply": customer_texts.reply(rng, language, filed),
    }


def said_at_length(fields: dict[str, str]) -> dict[str, str]:
    """The same answer by a model that says more."""
    return fields | {"reply": f"{fields['reply']} {_CLOSINGS[fields['language']]}"}


def rendered(rng: Random, fields: dict[str, str], as_list: bool = False) -> str:
    """The text of an answer. `as_list` wraps it in a list; four in a thousand have another defect."""
    slip = rng.random()
    if slip < 0.0015:
        return "I'm sorry, but I can't help with that request."
    shape: Any = [fields] if as_list or slip > 0.999 else fields
    text = json.dumps(shape, ensure_ascii=False)
    return text[: len(text) * 2 // 3] if slip < 0.003 else text


def model_answer(model: str, text: str, times_asked: int) -> str:
    """The answer of `model` (without the provider's prefix) to a customer's text.

    The same for the same text, except for a few texts on which every second answer differs. Raises KeyError for a
    model that does not exist.
    """
    wobbles = _unit(model, "wobble", text) < _WOBBLING and times_asked % 2 == 1
    rng = Random(f"{model}/{wobbles}/{text}")  # noqa: S311 - a simulation, not used for secrets
    language, intent = customer_texts.classify(text)
    right = _unit(_DRAW, text) >= _ERROR_RATES[model][language]
    return rendered(rng, answer(rng, language, intent, right != wobbles))


def _unit(*parts: str) -> float:
    """A number from 0 to 1 that depends only on the parts."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
