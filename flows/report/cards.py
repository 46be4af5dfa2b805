"""The breaches of a night as cards: what belongs to one thing stands together, the worst first. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from flows.report import pictures
from flows.report.pictures import Point
from flows.report.rows import Breach, Facts, FeatureDay
from flows.report.verdict import things
from flows.report.wording import number, percent, points

KINDS = {
    "drift": "moved against the days before",
    "skew": "differs from what development tests on",
    "pass_rate": "pinned model passes too rarely",
    "worse": "candidate is worse",
    "slice_worse": "candidate is worse on a slice",
}


@dataclass(frozen=True)
class Card:
    """One thing that moved: its breaches, and a picture of the worst of them (which may be empty)."""

    anchor: str
    title: str
    severity: str
    breaches: tuple[Breach, ...]
    picture: Markup
    legend: str


def cards(facts: Facts) -> tuple[Card, ...]:
    """The things of the night, the worst first and production before candidates."""
    return tuple(_card(facts, found, f"moved-{n}") for n, found in enumerate(things(facts.breaches), 1))


def _card(facts: Facts, found: Sequence[Breach], anchor: str) -> Card:
    worst = found[0]
    if "feature" in worst.evidence:
        picture, legend = _feature_picture(facts, worst)
    elif worst.kind == "pass_rate":
        picture, legend = _pass_rate_picture(facts, worst)
    else:
        picture, legend = _delta_picture(worst)
    return Card(anchor, worst.subject, worst.severity, tuple(found), picture, legend)


def _feature_picture(facts: Facts, breach: Breach) -> tuple[Markup, str]:
    days = [row for row in facts.series if _is_about(row, breach)]
    drawn = [Point(row.day, row.value_current, row.value_reference, bool(row.is_breach), row.n_current) for row in days]
    write = percent if is_share(days) else number
    reference = str(breach.evidence.get("reference", "trailing"))
    legend = f"Dashed: reference ({_REFERENCES.get(reference, reference)}). Marked: days in breach."
    return pictures.series(drawn, facts.first_day, facts.day, f"{breach.subject} by day", write), legend


_REFERENCES = {"trailing": "the days before", "dev": "development set", "holdout": "holdout"}


def _is_about(row: FeatureDay, breach: Breach) -> bool:
    wanted = {"model_served": "*", "prompt_version": "*", "reference": "trailing", **breach.evidence}
    names = ("route", "side", "feature", "reference", "model_served", "prompt_version")
    return all(getattr(row, name) == wanted.get(name) for name in names)


def is_share(days: Sequence[FeatureDay]) -> bool:
    """Whether values are shares. The mart does not say, but no mean length stays within 0 and 1 for weeks."""
    known = [value for row in days for value in (row.value_current, row.value_reference) if value is not None]
    return bool(known) and all(0 <= value <= 1 for value in known)


def _pass_rate_picture(facts: Facts, breach: Breach) -> tuple[Markup, str]:
    scores = [
        row
        for row in facts.scores
        if row.arm == "pinned" and f"{breach.subject}/".startswith(f"{row.route}/{row.criterion}/")
    ]
    drawn = [
        Point(row.day, row.pass_rate, row.min_pass_rate, _is_below(row.pass_rate, row.min_pass_rate), row.n_examples)
        for row in sorted(scores, key=lambda row: row.day)
    ]
    picture = pictures.series(drawn, facts.first_day, facts.day, f"{breach.subject}, pass rate by night")
    return picture, "Dashed: the least that is asked for."


def _is_below(rate: float | None, least: float | None) -> bool:
    return rate is not None and least is not None and rate < least


def _delta_picture(breach: Breach) -> tuple[Markup, str]:
    low, middle, high, margin = (breach.evidence.get(name) for name in ("ci_low", "delta", "ci_high", "margin"))
    if low is None or middle is None or high is None:
        return Markup(""), ""
    scale, ticks = pictures.delta_scale([low, middle, high, margin])
    lines = [(0.0, "zero")] + ([(-float(margin), "margin")] if margin is not None else [])
    label = f"{points(middle)} points, 95% interval {points(low)} to {points(high)}"
    row = pictures.interval((low, middle, high), scale, "worse", label, lines)
    legend = "Candidate minus pinned, in points of pass rate, with its 95% interval."
    return row + pictures.axis(scale, ticks), legend
