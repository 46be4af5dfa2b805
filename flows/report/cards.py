"""The findings of a night as cards: the breaches of one finding together, the worst first. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from flows.report import charts
from flows.report.charts import Point
from flows.report.evidence import EXAMPLES
from flows.report.finding_kinds import is_share, kind_of
from flows.report.night_verdict import findings
from flows.report.rows import Breach, CallText, Facts, FeatureDay
from flows.report.wording import number, percent, points


@dataclass(frozen=True)
class Card:
    """One finding: its breaches, example calls, and a picture of the worst breach (which may be empty).

    `examples` are the texts of the first calls and `typical` those of a call from before, if known; `calls` are the
    ids of the calls without texts.
    """

    anchor: str
    title: str
    severity: str
    breaches: tuple[Breach, ...]
    calls: tuple[str, ...]
    picture: Markup
    legend: str
    examples: tuple[CallText, ...] = ()
    typical: CallText | None = None


def cards(facts: Facts) -> tuple[Card, ...]:
    """The findings of the night, the worst first and production before candidates."""
    return tuple(_card(facts, found, f"finding-{n}") for n, found in enumerate(findings(facts.breaches), 1))


def _card(facts: Facts, found: Sequence[Breach], anchor: str) -> Card:
    worst = found[0]
    picture, legend = PICTURES[kind_of(worst.kind).picture](facts, worst)
    calls = tuple(dict.fromkeys(call for breach in found for call in breach.calls))
    examples = tuple(facts.texts[call] for call in calls[:EXAMPLES] if call in facts.texts)
    typical = next((facts.typical[breach.name] for breach in found if breach.name in facts.typical), None)
    named = tuple(call for call in calls if call not in {example.call_id for example in examples})
    return Card(anchor, worst.subject, worst.severity, tuple(found), named, picture, legend, examples, typical)


def _volume_picture(facts: Facts, breach: Breach) -> tuple[Markup, str]:
    calls = Counter[date]()
    for row in facts.usage:
        if row.route == breach.evidence.get("route"):
            calls[row.day] += row.calls
    if breach.evidence.get("n_current") == 0:
        calls[facts.day] = 0  # the mart has no row of a day without calls
    drawn = [Point(day, n, None, breach.first_seen <= day <= facts.day) for day, n in sorted(calls.items())]
    legend = "Calls per day. Marked: days with this finding."
    return _history(facts, drawn, f"{breach.subject}, calls by day", number), legend


def _topic_picture(facts: Facts, breach: Breach) -> tuple[Markup, str]:
    about = (breach.evidence.get("route"), breach.evidence.get("feature"))
    drawn = [
        Point(row.day, row.share_current, row.share_reference, breach.first_seen <= row.day)
        for row in facts.topics
        if (row.route, f"topic:{row.topic_id}") == about
    ]
    legend = "Share of the inputs by day. Dashed: the previous days. Marked: days with this finding."
    return _history(facts, drawn, f"{breach.subject}, share by day", percent), legend


def _history(facts: Facts, drawn: Sequence[Point], label: str, write: Callable[[float | None], str]) -> Markup:
    """The days of a series; nothing for fewer than two days."""
    return charts.series(drawn, facts.first_day, facts.day, label, write) if len(drawn) > 1 else Markup("")


def _feature_picture(facts: Facts, breach: Breach) -> tuple[Markup, str]:
    days = [row for row in facts.series if _is_about(row, breach)]
    drawn = [Point(row.day, row.value_current, row.value_reference, bool(row.is_breach), row.n_current) for row in days]
    write = percent if is_share(str(breach.evidence.get("feature"))) else number
    reference = str(breach.evidence.get("reference", "trailing"))
    legend = f"Dashed: reference ({_REFERENCES.get(reference, reference)}). Marked: days with this finding."
    return charts.series(drawn, facts.first_day, facts.day, f"{breach.subject} by day", write), legend


_REFERENCES = {"trailing": "the previous days", "dev": "dev set", "holdout": "holdout"}


def _is_about(row: FeatureDay, breach: Breach) -> bool:
    wanted = {"model_served": "*", "prompt_version": "*", "reference": "trailing", **breach.evidence}
    names = ("route", "side", "feature", "reference", "model_served", "prompt_version")
    return all(getattr(row, name) == wanted.get(name) for name in names)


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
    picture = charts.series(drawn, facts.first_day, facts.day, f"{breach.subject}, pass rate by night")
    return picture, "Dashed: the required minimum."


def _is_below(rate: float | None, least: float | None) -> bool:
    return rate is not None and least is not None and rate < least


def _delta_picture(_: Facts, breach: Breach) -> tuple[Markup, str]:
    low, middle, high, margin = (breach.evidence.get(name) for name in ("ci_low", "delta", "ci_high", "margin"))
    if low is None or middle is None or high is None:
        return Markup(""), ""
    scale, ticks = charts.delta_scale([low, middle, high, margin])
    lines = [(0.0, "zero")] + ([(-float(margin), "margin")] if margin is not None else [])
    label = f"{points(middle)} percentage points, 95% interval {points(low)} to {points(high)}"
    row = charts.interval((low, middle, high), scale, "worse", label, lines)
    legend = "Candidate minus pinned, in percentage points of pass rate, with its 95% interval."
    return row + charts.axis(scale, ticks), legend


PICTURES: dict[str, Callable[[Facts, Breach], tuple[Markup, str]]] = {
    "calls": _volume_picture,
    "topic": _topic_picture,
    "feature": _feature_picture,
    "pass_rate": _pass_rate_picture,
    "difference": _delta_picture,
    "none": lambda _facts, _breach: (Markup(""), ""),
}
"""What is drawn of a breach and its legend, by the column `picture` of the seed breach_kinds."""
