"""From facts to a word and a sentence. Pure but for the seed of kinds.

The verdicts themselves are computed in SQL and by the expectations; here they are ordered and put into words.
`critical` needs action now, `warning` needs a look, `healthy` was compared and nothing was found, `unknown` was not
compared. A finding is one feature or one subject with all its breaches.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from flows.lake import UNWRAPPED
from flows.report.evaluation_rows import Comparison
from flows.report.finding_kinds import kind_of
from flows.report.rows import Breach, Expectation, Facts
from flows.report.wording import points
from flows.words import counted

Status = Literal["critical", "warning", "healthy", "unknown"]

SEVERITIES = ("critical", "warning", "info")
MIRROR = "verdicts"  # this suite repeats the breaches; to count both would count each finding twice


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


@dataclass(frozen=True)
class Shared:
    """What several findings coincide with, in a sentence, and whether the worst of all is among them."""

    sentence: str = ""
    is_of_worst: bool = False


def night_verdict(facts: Facts) -> Verdict:
    """The verdict of a night; the worst finding decides."""
    groups = findings(facts.breaches)
    found = [group[0] for group in groups]
    critical = [breach for breach in found if breach.severity == "critical"]
    warnings = [breach.summary for breach in found if breach.severity == "warning"]
    guards = [_expectation(row) for row in guard_failures(facts) if row.severity == "critical"]
    warnings += [_expectation(row) for row in guard_failures(facts) if row.severity == "warning"]
    rest = _more(len(critical) + len(guards) - 1, len(warnings))
    shared = one_cause(groups)
    if critical:
        return Verdict("critical", "Broken", _and(_join(critical[0].summary, rest), shared.sentence))
    if not _knows_anything(facts):
        return Verdict("unknown", "Cannot tell", _why_unknown(facts, len(guards)))
    if guards:
        return Verdict("critical", "Checks failed", _and(_join(guards[0], rest), shared.sentence))
    if warnings:
        first = "" if shared.is_of_worst else _join(warnings[0], "")
        return Verdict("warning", f"Look at {counted(len(warnings), 'finding')}", _and(first, shared.sentence))
    return Verdict("healthy", "Still works", _what_held(facts))


def findings(breaches: Iterable[Breach]) -> tuple[tuple[Breach, ...], ...]:
    """Breaches in groups: those of one feature (with any reference) or of one subject are one finding.

    The worst finding comes first, production before candidates, and the worst breach first within its finding.
    """
    groups: dict[tuple[str, ...], list[Breach]] = {}
    for breach in sorted(breaches, key=_rank):
        groups.setdefault(_about(breach), []).append(breach)
    return tuple(map(tuple, groups.values()))


def _rank(breach: Breach) -> tuple[int, int, int, str]:
    return SEVERITIES.index(breach.severity), kind_of(breach.kind).rank, breach.nights, breach.subject


def _about(breach: Breach) -> tuple[str, ...]:
    found = breach.evidence
    if "feature" not in found:
        return breach.kind, breach.subject
    names = ("route", "side", "feature", "model_served", "prompt_version")
    return tuple(str(found.get(name, "*")) for name in names)


def one_cause(groups: Sequence[Sequence[Breach]]) -> Shared:
    """The cause that most of a route's findings have in common; nothing where no two have one."""
    causes = [
        _cause(group) for group in groups if kind_of(group[0].kind).about == "traffic" and group[0].severity != "info"
    ]
    found = Counter((route, cause) for route, cause in causes if cause)
    if not found or max(found.values()) < 2:
        return Shared()
    (route, cause), n = min(found.items(), key=lambda item: (-item[1], item[0]))
    total = sum(of_route == route for of_route, _ in causes)
    some = "all" if n == total else str(n)
    sentence = f"{counted(total, 'finding')} in the traffic of route {route}; {some} of them coincide with {cause}."
    return Shared(sentence, _cause(groups[0]) == (route, cause))


def _cause(group: Sequence[Breach]) -> tuple[str, str]:
    """The route of a finding, and what it coincides with; empty where that is not known."""
    named = (breach.evidence.get("cause") for breach in group)
    return str(group[0].evidence.get("route", "")), str(next(filter(None, named), ""))


def guard_failures(facts: Facts) -> list[Expectation]:
    """The failed expectations that do not repeat a breach, the worst first."""
    found = [row for row in facts.failed if row.suite != MIRROR and row.severity != "info"]
    return sorted(found, key=lambda row: SEVERITIES.index(row.severity))


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
    """Whether anything was compared with a reference, or scored."""
    return facts.compared > 0 or any(score.pass_rate is not None for score in facts.scores_of_the_night)


def _why_unknown(facts: Facts, guards: int) -> str:
    if facts.calls:
        why = f"{counted(facts.calls, 'call')} logged, but there is no reference yet to compare them with"
    else:
        why = _no_calls(facts)
    rest = f"{counted(guards, 'critical check')} failed" if guards else ""
    nothing = "and nothing was scored in an evaluation" if facts.scores_of_the_night else "and nothing was evaluated"
    return _join(f"{why[0].upper()}{why[1:]}, {nothing}.", rest)


def _no_calls(facts: Facts) -> str:
    """That there are none; where records were quarantined instead, how many, and the first reason."""
    if not facts.quarantined:
        return "no calls were logged"
    n = sum(number for _, number in facts.quarantined)
    return f"no calls were logged: {counted(n, 'record')} could not be read ({facts.quarantined[0][0]})"


def _more(critical: int, warnings: int) -> str:
    parts = [f"{critical} more critical"] if critical > 0 else []
    parts += [counted(warnings, "warning")] if warnings else []
    return " and ".join(parts)


def _expectation(found: Expectation) -> str:
    expected, observed = found.expected or "not stated", found.observed or "nothing"
    return f"{found.suite}, {found.expectation} ({found.subject}): expected {expected}, observed {observed}."


def _what_held(facts: Facts) -> str:
    parts = []
    if facts.compared:
        parts.append(f"{counted(facts.compared, 'feature')} over {counted(facts.calls, 'call')}: no significant change")
    elif facts.calls:
        parts.append(f"{counted(facts.calls, 'call')} logged, with no reference yet to compare them with")
    else:
        parts.append(_no_calls(facts))
    parts.append(_what_was_evaluated(facts))
    sentence = "; ".join(parts) + "."
    notes = sum(breach.severity == "info" for breach in facts.breaches)
    return _join(sentence[0].upper() + sentence[1:], f"{counted(notes, 'note')} below" if notes else "")


def _what_was_evaluated(facts: Facts) -> str:
    scored = [score for score in facts.scores_of_the_night if score.pass_rate is not None]
    if not scored:
        return "nothing was evaluated" if not facts.scores_of_the_night else "no answer could be scored"
    unscored = sum(score.n_unscored for score in facts.scores_of_the_night)
    rest = f", {unscored:,} unscored" if unscored else ""
    return f"{counted(len({score.model for score in scored}), 'model')} evaluated, no criterion below its minimum{rest}"


def _join(first: str, rest: str) -> str:
    first = first if first.endswith((".", "!", "?")) else f"{first}."
    return f"{first} {rest[0].upper()}{rest[1:]}." if rest else first


def _and(first: str, second: str) -> str:
    """Two sentences, either of which may be missing."""
    return " ".join(filter(None, (first, second)))
