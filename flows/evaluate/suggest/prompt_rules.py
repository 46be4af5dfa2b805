"""Criteria that a route's prompt and its JSON schema ask for in so many words, found by patterns and never obeyed."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from flows.evaluate.suggest.criterion_candidates import Candidate, CandidateFamily, always, at_most_words, never
from flows.evaluate.suggest.labelled_answers import LabelledAnswer

_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "twenty": 20, "fifty": 50, "hundred": 100}
_AMOUNT = rf"(\d{{1,5}}|{'|'.join(_NUMBERS)})"
_LIMIT = re.compile(
    r"\b(?:at most|no more than|not more than|max(?:imum)?(?: of)?|up to|under|within|fewer than|less than)"
    rf"\s+{_AMOUNT}\s+(words?|characters?)\b",
    re.IGNORECASE,
)
_LEAST = re.compile(
    rf"\b(?:at least|no fewer than|minimum(?: of)?)\s+{_AMOUNT}\s+(words?|characters?)\b", re.IGNORECASE
)
_TERM = r"[\"\u201c'\u2018`]([^\"\u201d'\u2019`\n]{2,60})[\"\u201d'\u2019`]"
_WORD = r"([A-Za-z][\w-]{1,30}(?: (?-i:[A-Z])[\w-]{1,30}){0,2})"
_VERBS = r"(?:mention|say|use|write|include|reveal|name)"
_NEVER = re.compile(
    rf"\b(?:never|do not|don't|must not|avoid)\s+(?:ever\s+)?(?:{_VERBS}|saying|using|mentioning)\s+"
    rf"(?:the\s+)?(?:words?\s+|phrases?\s+|names?\s+)?(?:{_TERM}|{_WORD})",
    re.IGNORECASE,
)
_ALWAYS = re.compile(
    rf"\b(?:always|must)\s+(?:{_VERBS}|end with|start with|begin with)\s+(?:the\s+)?(?:words?\s+|phrases?\s+)?{_TERM}",
    re.IGNORECASE,
)
_JSON = re.compile(
    r"\b(?:reply|respond|answer|return|output)\b[^.\n]{0,40}\b(?:in|as|with|only|valid)\b[^.\n]{0,20}\bjson\b",
    re.IGNORECASE,
)
_VAGUE = {
    "any",
    "a",
    "an",
    "the",
    "that",
    "this",
    "it",
    "them",
    "your",
    "their",
    "more",
    "other",
    "to",
    "words",
    "names",
}
_LONGEST_PROMPT = 20_000


def prompt_of(answers: Sequence[LabelledAnswer]) -> str:
    """The system prompt that most of the answers had; empty where none had one."""
    found: Counter[str] = Counter()
    for answer in answers:
        parts = [one.get("content") for one in answer.messages if one.get("role") in ("system", "developer")]
        found.update({"\n".join(part for part in parts if isinstance(part, str))[:_LONGEST_PROMPT]})
    found.pop("", None)
    return min(found, key=lambda text: (-found[text], text)) if found else ""


def prompt_families(prompt: str, *, has_schema: bool) -> Iterator[CandidateFamily]:
    """A family for each rule in the prompt, and one for the route's JSON schema."""
    seen = set[str]()
    for candidate in _candidates(prompt, has_schema):
        if (key := str(candidate.definition)) not in seen:
            seen.add(key)
            yield CandidateFamily((candidate,))


def _candidates(prompt: str, has_schema: bool) -> Iterator[Candidate]:
    for pattern, limit in ((_LIMIT, "max"), (_LEAST, "min")):
        for found in pattern.finditer(prompt):
            n, unit = _number(found[1]), found[2].lower().rstrip("s")
            if n and limit == "max" and unit == "word":
                yield at_most_words(n, "prompt")
            elif n:
                key = f"{limit}_{'words' if unit == 'word' else 'chars'}"
                words = f"{'at most' if limit == 'max' else 'at least'} {n} {unit}s"
                yield Candidate({"kind": "length", key: n}, words, "prompt", f"the prompt asks for {words}")
    for found in _NEVER.finditer(prompt):
        term = " ".join((found[1] or found[2]).split())
        if term.casefold() not in _VAGUE:
            told = f"the prompt forbids “{term}”"
            yield Candidate({"kind": "regex", "pattern": never(term)}, f"no {term}", "prompt", told)
    for found in _ALWAYS.finditer(prompt):
        term = " ".join(found[1].split())
        told = f"the prompt asks for “{term}”"
        yield Candidate({"kind": "regex", "pattern": always(term)}, f"says {term}", "prompt", told)
    if has_schema:
        told = "answers that are not valid under the route's schema fail"
        yield Candidate({"kind": "json_schema"}, "valid by the schema", "schema", told)
    elif _JSON.search(prompt):
        yield Candidate({"kind": "json_valid"}, "valid json", "prompt", "the prompt asks for JSON")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _NUMBERS.get(text.lower(), 0)
