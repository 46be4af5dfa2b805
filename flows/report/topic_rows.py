"""What people ask about: the topics of the day and what the holdout tests of them, route by route. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from flows.lake import each_day
from flows.report import charts
from flows.report.rows import Facts, Freshness, TopicDay
from flows.words import counted

SHOWN = 12  # topics a route; the others are folded
STABLE = "stable"


@dataclass(frozen=True)
class Topic:
    """One topic of the day, with the line of its share over the window."""

    row: TopicDay
    label: str
    is_stable: bool
    picture: Markup


@dataclass(frozen=True)
class RouteTopics:
    """The topics of one route, those that moved first; `freshness` where a holdout can be compared with them."""

    route: str
    shown: tuple[Topic, ...]
    folded: tuple[Topic, ...]
    freshness: Freshness | None


def topics(facts: Facts) -> tuple[RouteTopics, ...]:
    """Every route with topics or a holdout, the busiest first."""
    histories: dict[tuple[str, str], dict[date, TopicDay]] = {}
    for row in facts.topics:
        histories.setdefault((row.route, row.topic_id), {})[row.day] = row
    freshness = {row.route: row for row in facts.freshness if row.uncovered_share is not None}
    days = list(each_day(facts.first_day, facts.day))
    found: dict[str, list[Topic]] = {route: [] for route in freshness}
    for (route, _), history in histories.items():
        if facts.day in history:
            found.setdefault(route, []).append(_topic(history, days))
    calls = {route: sum(row.calls for row in facts.usage if row.route == route) for route in found}
    return tuple(
        _route(route, found[route], freshness.get(route))
        for route in sorted(found, key=lambda name: (-calls[name], name))
    )


def _route(route: str, found: Sequence[Topic], freshness: Freshness | None) -> RouteTopics:
    ordered = sorted(found, key=lambda topic: (topic.is_stable, -topic.row.share_current, topic.label))
    return RouteTopics(route, tuple(ordered[:SHOWN]), tuple(ordered[SHOWN:]), freshness)


def _topic(history: Mapping[date, TopicDay], days: Sequence[date]) -> Topic:
    today = history[days[-1]]
    label = today.label or today.topic_id
    shares = [history[day].share_current if day in history else None for day in days]
    picture = charts.sparkline(shares, f"{label}, {counted(len(days), 'day')}", 0.0)
    return Topic(today, label, today.status == STABLE, picture)
