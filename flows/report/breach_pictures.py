"""The picture of a breach, and of any series that moved. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

from markupsafe import Markup

from flows.report import charts
from flows.report.breach_kinds import is_share, kind_of
from flows.report.charts import Point
from flows.report.incident_rows import Change, Incident
from flows.report.rows import Breach, Facts, FeatureDay
from flows.report.wording import number, percent, points

Picture = tuple[Markup, str]
NOTHING: Picture = (Markup(""), "")

_CRITERION = "criterion:"
_SEAM = " Dotted: the criterion changed."
_REFERENCES = {"trailing": "the previous days", "dev": "dev set", "holdout": "holdout"}


def picture_of(facts: Facts, breach: Breach) -> Picture:
    """What is drawn of a breach, and its legend; both may be empty."""
    return PICTURES[kind_of(breach.kind).picture](facts, breach)


def picture_of_change(facts: Facts, incident: Incident, change: Change) -> Picture:
    """The days of a series that moved with an incident, and the legend; both may be empty."""
    about = {"route": change.route, "side": change.side, "feature": change.feature}
    subject = f"{change.route}/{change.side}/{change.feature}"
    breach = Breach("drift", subject, incident.severity, "", about, incident.first_seen, incident.nights)
    if change.feature == "calls":
        return _volume_picture(facts, breach)
    if change.feature.startswith("topic:"):
        return _topic_picture(facts, breach)
    return _feature_picture(facts, breach)


def _volume_picture(facts: Facts, breach: Breach) -> Picture:
    calls = Counter[date]()
    for row in facts.usage:
        if row.route == breach.evidence.get("route"):
            calls[row.day] += row.calls
    if breach.evidence.get("n_current") == 0:
        calls[facts.day] = 0  # the mart has no row of a day without calls
    drawn = [Point(day, n, None, breach.first_seen <= day <= facts.day) for day, n in sorted(calls.items())]
    legend = f"Calls per day of route {breach.evidence.get('route')}. Marked: days of this incident."
    return _history(facts, drawn, f"{breach.subject}, calls by day", number), legend


def _topic_picture(facts: Facts, breach: Breach) -> Picture:
    about = (breach.evidence.get("route"), _number_of(str(breach.evidence.get("feature"))))
    drawn = [
        Point(row.day, row.share_current, row.share_reference, breach.first_seen <= row.day)
        for row in facts.topics
        if (row.route, _number_of(row.topic_id)) == about
    ]
    legend = "The topic's share of the inputs by day. Dashed: the previous days. Marked: days of this incident."
    return _history(facts, drawn, f"{breach.subject}, share by day", percent), legend


def _number_of(topic: str) -> str:
    """The number of a topic, which lasts from version to version: a feature has the version in front of it."""
    return topic.rpartition("-")[2]


def _history(facts: Facts, drawn: Sequence[Point], label: str, write: Callable[[float | None], str]) -> Markup:
    """The days of a series; nothing for fewer than two days."""
    return charts.series(drawn, facts.first_day, facts.day, label, write) if len(drawn) > 1 else Markup("")


def _feature_picture(facts: Facts, breach: Breach) -> Picture:
    days = [row for row in facts.series if _is_about(row, breach)]
    drawn = [Point(row.day, row.value_current, row.value_reference, bool(row.is_breach), row.n_current) for row in days]
    write = percent if is_share(str(breach.evidence.get("feature")), facts.own_shares) else number
    reference = str(breach.evidence.get("reference", "trailing"))
    legend = (
        f"{breach.subject}. Dashed: reference ({_REFERENCES.get(reference, reference)}). Marked: days with a breach."
    )
    seams = _seams(facts, str(breach.evidence.get("route")), str(breach.evidence.get("feature")))
    legend += _SEAM if seams else ""
    return charts.series(drawn, facts.first_day, facts.day, f"{breach.subject} by day", write, seams=seams), legend


def _seams(facts: Facts, route: str, feature: str) -> dict[date, str]:
    """The days on which the criterion of a series changed; none of other features."""
    return {
        seam.day: f"criterion version {seam.criterion_version}"
        for seam in facts.seams
        if (seam.route, f"{_CRITERION}{seam.criterion}") == (route, feature)
    }


def _is_about(row: FeatureDay, breach: Breach) -> bool:
    wanted = {"model_served": "*", "prompt_version": "*", "reference": "trailing", **breach.evidence}
    names = ("route", "side", "feature", "reference", "model_served", "prompt_version")
    return all(getattr(row, name) == wanted.get(name) for name in names)


def _pass_rate_picture(facts: Facts, breach: Breach) -> Picture:
    scores = [
        row
        for row in facts.scores
        if row.arm == "pinned" and f"{breach.subject}/".startswith(f"{row.route}/{row.criterion}/")
    ]
    drawn = [
        Point(row.day, row.pass_rate, row.min_pass_rate, _is_below(row.pass_rate, row.min_pass_rate), row.n_examples)
        for row in sorted(scores, key=lambda row: row.day)
    ]
    seams = _seams(facts, scores[0].route, f"{_CRITERION}{scores[0].criterion}") if scores else {}
    picture = charts.series(drawn, facts.first_day, facts.day, f"{breach.subject}, pass rate by night", seams=seams)
    return picture, f"Pass rate of {breach.subject}. Dashed: the required minimum.{_SEAM if seams else ''}"


def _is_below(rate: float | None, least: float | None) -> bool:
    return rate is not None and least is not None and rate < least


def _delta_picture(_: Facts, breach: Breach) -> Picture:
    low, middle, high, margin = (breach.evidence.get(name) for name in ("ci_low", "delta", "ci_high", "margin"))
    if low is None or middle is None or high is None:
        return NOTHING
    scale, ticks = charts.delta_scale([low, middle, high, margin])
    lines = [(0.0, "zero")] + ([(-float(margin), "margin")] if margin is not None else [])
    label = f"{points(middle)} percentage points, 95% interval {points(low)} to {points(high)}"
    row = charts.interval((low, middle, high), scale, "worse", label, lines)
    legend = "Candidate minus pinned, in percentage points of pass rate, with its 95% interval."
    return row + charts.axis(scale, ticks), legend


PICTURES: dict[str, Callable[[Facts, Breach], Picture]] = {
    "calls": _volume_picture,
    "topic": _topic_picture,
    "feature": _feature_picture,
    "pass_rate": _pass_rate_picture,
    "difference": _delta_picture,
    "none": lambda _facts, _breach: NOTHING,
}
"""What is drawn of a breach and its legend, by the column `picture` of the seed breach_kinds."""
