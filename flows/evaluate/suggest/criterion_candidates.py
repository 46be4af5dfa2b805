"""Candidates for criteria: a definition as the criteria file has it, where it comes from, and what it would mean.

A family has variants of one idea, of which the labels choose one. What people and models wrote only ever becomes data
in a definition: patterns are escaped, questions are quoted and cut.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from flows.evaluate.suggest.labelled_answers import LabelledAnswer

WORDS = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
# The phrases of dbt's feature `refusal` (dbt_project/macros/patterns.sql).
_REFUSALS = "|".join((
    r"\bI(['\u2019]m| am) (sorry|afraid),? but (I|as an)\b",
    r"\bI (can['\u2019]?t|cannot|can not|won['\u2019]?t|will not) (help|assist|comply|answer|provide|fulfil|do that)",
    r"\bI(['\u2019]m| am) (unable|not able|not allowed) to\b",
    r"\bas an AI( language)? model\b",
    r"\bI must (decline|refuse)\b",
))  # fmt: skip
_NEVER = r"(?is)\A(?!.*"
_MOST_WORDS, _LONGEST_READ, _LONGEST_NAME = 200, 4_000, 48
_LONGEST_QUESTION = 160
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»\n]{3,60})[\"”“»]|`([^`\n]{3,60})`")
_SHARES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)


@dataclass(frozen=True)
class Candidate:
    """One criterion that might be. `definition` has its keys without `name`, `title` a name in words."""

    definition: dict[str, Any]
    title: str
    origin: str
    explanation: str
    failure_mode: str | None = None


@dataclass(frozen=True)
class CandidateFamily:
    """Variants of one idea, the simplest first. It is meant for the answers with `mode`; None is all bad ones."""

    variants: tuple[Candidate, ...]
    mode: str | None = None
    call_ids: frozenset[str] = field(default=frozenset())


def never(text: str) -> str:
    """The pattern of answers without a text: whole words, in any case, any space between them."""
    return rf"{_NEVER}{_whole(text)})"


def forbidden(definition: Mapping[str, Any]) -> str | None:
    """The pattern of which a candidate fails the answers that have it, as `never` does; None of other candidates.

    To search for it costs a fiftieth of what the candidate's own pattern costs, which looks ahead from each place.
    """
    pattern = str(definition.get("pattern", ""))
    return f"(?is){pattern.removeprefix(_NEVER)[:-1]}" if pattern.startswith(_NEVER) else None


def always(text: str) -> str:
    """The pattern of answers with a text."""
    return rf"(?i){_whole(text)}"


def _whole(text: str) -> str:
    words = r"\s+".join(re.escape(word) for word in text.split())
    return rf"(?<!\w){words}(?!\w)"


def text_families(answers: Sequence[LabelledAnswer], modes: dict[str, frozenset[str]]) -> Iterator[CandidateFamily]:
    """Words that bad answers have or lack, lengths, and refusals; of each mode and of all bad answers.

    `modes` are the ids of the answers with each failure mode. Which variants there are does not depend on verdicts.
    """
    common = _common_words(answers)
    for mode, call_ids in [*modes.items(), (None, frozenset())]:
        origin = "notes" if mode is None else "failure_mode"
        if common:
            without = (_without(word, origin, mode) for word in common)
            yield CandidateFamily(tuple(without), mode, call_ids)
            with_ = (
                Candidate(
                    {"kind": "regex", "pattern": always(word)},
                    f"says {word}",
                    origin,
                    f"answers without “{word}” fail",
                    mode,
                )
                for word in common
            )
            yield CandidateFamily(tuple(with_), mode, call_ids)
        if quoted := _quoted_in_notes(answers, call_ids if mode else None):
            yield CandidateFamily(tuple(_without(text, "notes", mode) for text in quoted), mode, call_ids)
    yield from _length_families(answers)
    refusal = {"kind": "regex", "pattern": f"{_NEVER}({_REFUSALS}))"}
    yield CandidateFamily((Candidate(refusal, "no refusal", "notes", "answers that refuse fail"),))


def _without(text: str, origin: str, mode: str | None) -> Candidate:
    told = f"answers with “{text}” fail"
    return Candidate({"kind": "regex", "pattern": never(text)}, f"no {text}", origin, told, mode)


def _common_words(answers: Sequence[LabelledAnswer]) -> list[str]:
    """Words and pairs of words in 3 answers at least and in 60 % at most, those in most answers first."""
    count: Counter[str] = Counter()
    for answer in answers:
        words = [word.lower() for word in WORDS.findall(answer.text[:_LONGEST_READ]) if len(word) <= 40]
        pairs = (f"{one} {two}" for one, two in pairwise(words))
        count.update({*words, *pairs})
    kept = [(n, word) for word, n in count.items() if 3 <= n <= 0.6 * len(answers) and len(word) >= 3]
    return [word for _, word in sorted(kept, key=lambda one: (-one[0], one[1]))[:_MOST_WORDS]]


def _quoted_in_notes(answers: Sequence[LabelledAnswer], call_ids: frozenset[str] | None) -> list[str]:
    """What people quoted in notes from the answers that they were about."""
    found: Counter[str] = Counter()
    for answer in answers:
        if call_ids is None or answer.call_id in call_ids:
            quotes = {" ".join((m[1] or m[2]).split()) for note in answer.notes for m in _QUOTED.finditer(note)}
            found.update(one for one in quotes if one and one.casefold() in answer.text.casefold())
    return [text for text, _ in sorted(found.items(), key=lambda one: (-one[1], one[0]))[:20]]


def _length_families(answers: Sequence[LabelledAnswer]) -> Iterator[CandidateFamily]:
    lengths = sorted(len(answer.text.split()) for answer in answers)
    if not lengths:
        return
    places = [lengths[min(len(lengths) - 1, int(share * len(lengths)))] for share in _SHARES]
    most = dict.fromkeys(_rounded(one) for one in reversed(places))
    least = dict.fromkeys(lengths[int((1 - share) * len(lengths))] for share in reversed(_SHARES))
    yield CandidateFamily(tuple(at_most_words(n, "notes") for n in most if n > 0))
    if smallest := tuple(
        Candidate({"kind": "length", "min_words": n}, f"at least {n} words", "notes", f"answers below {n} words fail")
        for n in least
        if n > 1
    ):
        yield CandidateFamily(smallest)


def at_most_words(n: int, origin: str) -> Candidate:
    """At most so many words."""
    return Candidate({"kind": "length", "max_words": n}, f"at most {n} words", origin, f"answers above {n} words fail")


def _rounded(n: int) -> int:
    """The next number with two digits that count."""
    step: int = 10 ** max(0, len(str(n)) - 2)
    return -(-n // step) * step


def judge_family(mode: str, call_ids: frozenset[str], origin: str = "failure_mode") -> CandidateFamily:
    """A question to a judge about one failure mode, which is quoted as data."""
    named = quoted(mode)
    definition = {
        "kind": "judge",
        "question": f"Does the answer have the fault that people named {named}?",
        "pass_if": "no",
    }
    told = f"answers that a judge finds to have the fault {named} fail"
    return CandidateFamily((Candidate(definition, f"not {mode}", origin, told, mode),), mode, call_ids)


def quoted(text: str) -> str:
    """A text on one line, without quotation marks and control characters, cut and quoted."""
    clean = "".join(one if one.isprintable() and one not in '"“”„«»`' else " " for one in text)
    return f"“{' '.join(clean.split())[:_LONGEST_QUESTION]}”"


def name_of(title: str, taken: set[str]) -> str:
    """A name from a title: lower-case letters, digits and underscores, not among those that are taken."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    base = "_".join(words)[:_LONGEST_NAME].strip("_") or "suggested"
    name, number = base, 2
    while name in taken or name == "output_schema":
        name, number = f"{base}_{number}", number + 1
    return name
