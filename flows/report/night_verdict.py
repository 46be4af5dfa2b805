"""From facts to a word and a sentence. Pure.

The verdicts themselves are computed in SQL and by the expectations; here they are ordered and put into words.
`critical` needs action now, `warning` needs a look, `healthy` was compared and nothing was found, `unknown` was not
compared.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from flows.incidents import place_of, rest_waits
from flows.lake import UNWRAPPED
from flows.report.evaluation_rows import Comparison
from flows.report.incident_rows import SEVERITIES, Incident, in_order
from flows.report.rows import Expectation, Facts
from flows.report.wording import points
from flows.words import counted, joined

Status = Literal["critical", "warning", "healthy", "unknown"]

MIRROR = "verdicts"  # this suite repeats the incidents; to count both would count each incident twice


@dataclass(frozen=True)
class Verdict:
    """The night in one word and one or two sentences."""

    status: Status
    word: str
    sentence: str

    @property
    def headline(self) -> str:
        """Word and sentence in one line."""
        return f"{self.word}: {self.sentence}"


@dataclass(frozen=True)
class Answer:
    """Can this candidate replace the pinned model?"""

    candidate: str
    pinned: str
    status: Status
    word: str
    sentence: str


def night_verdict(facts: Facts) -> Verdict:
    """The verdict of a night: the worst finding decides, and among those the one of the first need.

    A need that is broken (critical) ends it: what belongs to later needs is only counted.
    """
    incidents = [incident for incident in in_order(facts.incidents) if incident.is_told]
    checks = guard_failures(facts)
    if not incidents and not _knows_anything(facts):
        return Verdict("unknown", "Cannot tell", _why_unknown(facts, sum(_is_critical(found) for found in checks)))
    if not incidents and not checks:
        return Verdict("healthy", "Still works", _what_held(facts))
    findings: list[Incident | Expectation] = [*incidents, *checks]
    first = min(findings, key=_rank)
    told = f"{first.title}." if isinstance(first, Incident) else _expectation(first)
    others = [found for found in findings if found is not first]
    if not _is_critical(first):
        word = counted(len(incidents), "incident") if incidents else counted(len(checks), "check")
        return Verdict("warning", f"Look at {word}", _join(told, _more(others)))
    later = [found for found in others if place_of(found.need) > place_of(first.need)]
    same = [found for found in others if found not in later]
    sentence = _join(_join(told, _more(same)), rest_waits(first.need, _counts(later)))
    return Verdict("critical", "Broken" if isinstance(first, Incident) else "Checks failed", sentence)


def _is_critical(found: Incident | Expectation) -> bool:
    return found.severity == "critical"


def _rank(found: Incident | Expectation) -> tuple[int, int]:
    """The worst first, then by need; incidents stay before checks, and both in their own order."""
    return SEVERITIES.index(found.severity), place_of(found.need)


def guard_failures(facts: Facts) -> list[Expectation]:
    """The failed expectations that do not repeat an incident, the worst first, then by need."""
    found = [row for row in facts.failed if row.suite != MIRROR and row.severity != "info"]
    return sorted(found, key=_rank)


def days_before(facts: Facts) -> int:
    """How many days of the window before the night have calls."""
    return len({row.day for row in facts.usage if row.day < facts.day and row.calls})


def compared_with(facts: Facts) -> str:
    """What the features of the night were compared with, in words; the days before count where they have calls."""
    n = days_before(facts)
    past = f"the {counted(n, 'day')} with calls before" if n > 1 else "the day with calls before"
    known = {"trailing": past, "dev": "the dev set", "holdout": "the holdout"}
    return joined(words for name, words in known.items() if name in facts.compared_with)


def answers(facts: Facts) -> tuple[Answer, ...]:
    """For each candidate, what its comparisons say together."""
    candidates = sorted({row.candidate for row in facts.comparisons})
    return tuple(
        _answer(
            [row for row in facts.comparisons if row.candidate == name],
            worse_slices(facts, name),
            silent_slices(facts, name),
        )
        for name in candidates
    )


def worse_slices(facts: Facts, candidate: str) -> list[Comparison]:
    """The slices on which a candidate was found worse."""
    return [row for row in _deciding(facts.slices) if row.candidate == candidate and row.verdict == "worse"]


def silent_slices(facts: Facts, candidate: str) -> list[str]:
    """The slices of which a candidate answered nothing, by route and name."""
    mine = (row for row in _deciding(facts.slices) if row.candidate == candidate and row.is_silent)
    return sorted({f"{row.route}/{row.slice}" for row in mine})


def _deciding(rows: Iterable[Comparison]) -> list[Comparison]:
    """The comparisons that decide: those of answers without their wrapping only inform."""
    return [row for row in rows if not row.criterion.endswith(UNWRAPPED)]


def _first_three(slices: list[str]) -> str:
    more = f" and {counted(len(slices) - 3, 'more slice')}" if len(slices) > 3 else ""
    return ", ".join(slices[:3]) + more


def _answer(rows: list[Comparison], slices: list[Comparison], silent: list[str]) -> Answer:
    worse = _names(_deciding(rows), "worse")
    unclear = _unclear(_deciding(rows))
    better = _names(rows, "better")
    status: Status
    if worse:
        status, word, sentence = "critical", "No", f"Worse on {worse}."
    elif slices:
        named = _first_three([f"{row.criterion} on slice {row.slice}" for row in slices])
        overall = f"{unclear}, and" if unclear else "Not worse overall, but"
        status, word, sentence = "warning", "Not for every slice", f"{overall} worse on {named}."
    elif unclear:
        status, word, sentence = "unknown", "Cannot tell", f"{unclear}."
    elif silent:
        status, word, sentence = "unknown", "Cannot tell for every slice", "Not worse overall."
    else:
        status, word, sentence = "healthy", "Yes", "Not worse than the pinned model on any criterion."
    if silent:
        sentence += f" Nothing is known of {_first_three(silent)}: no example of it was answered."
    if better:
        sentence += f" Better on {better}."
    return Answer(rows[0].candidate, rows[0].pinned, status, word, sentence)


def _unclear(rows: Iterable[Comparison]) -> str:
    """Why verdicts are insufficient, without a full stop; empty where none is."""
    found = [row for row in rows if row.verdict == "insufficient"]
    silent = [row for row in found if row.open_because == "no_evidence"]
    gaps = [row for row in found if row.open_because == "unanswered"]
    wide = [row for row in found if row not in silent and row not in gaps]
    parts = []
    if wide:
        parts.append(f"too little evidence on {_named(wide)}{_enough(wide)}")
    if silent:
        parts.append(f"nothing could be compared on {_named(silent)}")
    if gaps:
        least = min(gaps, key=lambda row: row.ci_low_worst or 0.0)
        parts.append(
            f"unanswered examples leave {_named(gaps)} open ({least.n_unanswered or 0:,} of"
            f" {least.n_examples + (least.n_unanswered or 0):,}; if all of these were wrong, the difference could be as"
            f" low as {points(least.ci_low_worst)} points)"
        )
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _enough(unclear: Sequence[Comparison]) -> str:
    """What would settle all that is unclear; empty where that is not known of each."""
    examples = [row.examples_enough for row in unclear if row.examples_enough]
    repeats = [row.repeats_enough for row in unclear if row.repeats_enough]
    if len(examples) < len(unclear):
        return ""
    instead = f", or {max(repeats):,} answers to each," if len(repeats) == len(unclear) else ""
    return f" (about {max(examples):,} examples{instead} would be enough)"


def _named(rows: Iterable[Comparison]) -> str:
    return ", ".join(f"{row.route}/{row.criterion}" for row in rows)


def _names(rows: Iterable[Comparison], verdict: str) -> str:
    return _named(row for row in rows if row.verdict == verdict)


def _knows_anything(facts: Facts) -> bool:
    """Whether anything was compared with a reference, or scored, and what was found is known."""
    if "fct_incidents" in facts.missing:
        return False
    return facts.compared > 0 or any(score.pass_rate is not None for score in facts.scores_of_the_night)


def _why_unknown(facts: Facts, guards: int) -> str:
    rest = f"{counted(guards, 'critical check')} failed" if guards else ""
    if "fct_incidents" in facts.missing and facts.compared:
        return _join("The incidents of the night were not built.", rest)
    if facts.calls:
        why = f"{counted(facts.calls, 'call')} logged, but there is no reference yet to compare them with"
    else:
        why = _no_calls(facts)
    nothing = "and no answer of a model was scored" if facts.scores_of_the_night else "and no model was evaluated"
    return _join(f"{why[0].upper()}{why[1:]}, {nothing}.", rest)


def _no_calls(facts: Facts) -> str:
    """That there are none; where records were quarantined instead, how many, and the first reason."""
    if not facts.quarantined:
        return "no calls were logged"
    n = sum(found.n for found in facts.quarantined)
    return f"no calls were logged: {counted(n, 'record')} could not be read ({facts.quarantined[0].reason})"


def _more(others: Sequence[Incident | Expectation]) -> str:
    return " and ".join(_counts(others, "more incident"))


def _counts(found: Sequence[Incident | Expectation], noun: str = "incident") -> list[str]:
    """How many incidents and how many checks there are, in words."""
    incidents = sum(isinstance(one, Incident) for one in found)
    counts = ((incidents, noun), (len(found) - incidents, "failed check"))
    return [counted(count, what) for count, what in counts if count]


def _expectation(found: Expectation) -> str:
    expected, observed = found.expected or "not stated", found.observed or "nothing"
    return f"{found.suite}, {found.expectation} ({found.subject}): expected {expected}, observed {observed}."


def _what_held(facts: Facts) -> str:
    parts = []
    if facts.compared:
        measured = f"{counted(facts.compared, 'feature')} of {counted(facts.calls, 'call')}"
        parts.append(f"no significant change in {measured} (their lengths, formats, languages, errors and so on)")
    elif facts.calls:
        parts.append(f"{counted(facts.calls, 'call')} logged, with no reference yet to compare them with")
    else:
        parts.append(_no_calls(facts))
    parts.append(_what_was_evaluated(facts))
    sentence = "; ".join(parts) + "."
    notes = sum(incident.is_going_on for incident in facts.incidents)  # none of them is more than information
    return _join(sentence[0].upper() + sentence[1:], f"{counted(notes, 'note')} below" if notes else "")


def _what_was_evaluated(facts: Facts) -> str:
    scored = [score for score in facts.scores_of_the_night if score.pass_rate is not None]
    if not scored:
        return "no model was evaluated" if not facts.scores_of_the_night else "no answer could be scored"
    unscored = sum(score.n_unscored for score in facts.scores_of_the_night)
    rest = f", {unscored:,} unscored" if unscored else ""
    return f"{counted(len({score.model for score in scored}), 'model')} evaluated, no criterion below its minimum{rest}"


def _join(first: str, rest: str) -> str:
    first = first if first.endswith((".", "!", "?")) else f"{first}."
    return f"{first} {rest[0].upper()}{rest[1:]}." if rest else first
