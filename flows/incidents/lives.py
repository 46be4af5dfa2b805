"""The life of an incident: which later breaches belong to it, and whether its old or its new level stays.

A series whose value has stayed since an incident began has not changed again: its breach, whenever it is found,
belongs to that incident. A series that is back where it was before the incident ends it.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Literal

from flows.incidents.breach_rows import JUDGE_CHANGED, PROFILE, Breach, Series
from flows.incidents.causes import Found
from flows.incidents.given import Given
from flows.incidents.idea import Cause

State = Literal["open", "ongoing", "settled", "recovered"]

REST = 3
"""After so many nights with calls on which none of its breaches goes on, an incident has settled."""
_HALF = 0.5
_FURTHER = 2.0  # times a shift
_BACK = 1 / 3  # of a shift: below it the old level is back


@dataclass
class Incident:
    """One incident, and what became of it until the last day that was read.

    `levels` has, for each of its series, the mean of the nights before it began and the value with which the series
    came to it; `nights_seen` over how many nights it came, where that is more than one, so that one night does not
    decide whether it is back; `days` the days on which each of its breaches was found. `found` is what it began with,
    or what named its cause a few nights later.
    """

    incident_id: str
    found: Found
    first_seen: date
    routes: list[str] = field(default_factory=list)
    members: dict[tuple[str, str], Breach] = field(default_factory=dict)
    levels: dict[Series, tuple[float, float]] = field(default_factory=dict)
    nights_seen: dict[Series, int] = field(default_factory=dict)
    days: dict[tuple[str, str], list[date]] = field(default_factory=dict)
    last_breach: date | None = None
    ended: date | None = None
    state: State = "open"

    @property
    def cause(self) -> Cause:
        """Its cause; `unknown` until one is found."""
        return self.found.cause

    @property
    def about(self) -> str:
        """traffic, pinned or candidate."""
        return next(iter(self.members.values())).about

    @property
    def is_over(self) -> bool:
        """Whether it has been told that it ended."""
        return self.ended is not None

    def add(self, breach: Breach, given: Given) -> None:
        """Take a breach in: as a new member, or as one that goes on. One that comes back soon opens it again."""
        if self.state == "recovered":
            self.ended, self.state = None, "ongoing"
        if breach.key not in self.members:
            self.members[breach.key] = breach
            old = self._level_before(breach, given)
            new = _level_at(breach.series, breach.day, breach.nights_seen, given)
            if old is not None and new is not None and old != new:
                self.levels.setdefault(breach.series, (old, new))
                self.nights_seen.setdefault(breach.series, breach.nights_seen)
            if breach.route and breach.route not in self.routes:
                self.routes.append(breach.route)
        self.days.setdefault(breach.key, []).append(breach.day)
        self.last_breach = breach.day

    def _level_before(self, breach: Breach, given: Given) -> float | None:
        """The mean of a breach's series over the window before it began, or before the nights in which it was seen."""
        begun = min(self.first_seen, _first_night(breach.series, breach.day, breach.nights_seen, given))
        return given.mean(breach.series, begun - timedelta(days=given.window_days), begun)

    def began_on(self, route: str) -> date:
        """The day on which it met a route. What it is called does not change with what is found later."""
        return min(member.day for member in self.members.values() if member.route == route)

    def nights(self, key: tuple[str, str] | None, day: date, given: Given) -> int:
        """The nights up to a day: with calls of its routes, or of an evaluation those on which it was found.

        Of one of its breaches they count from the day on which that became a member; `key` None means the incident.
        """
        if self.about != "traffic":
            found = self.days[key] if key else {found for of_breach in self.days.values() for found in of_breach}
            return max(1, sum(known <= day for known in found))
        first = self.members[key].day if key else self.first_seen
        return 1 + given.nights_between(self.routes or given.nights_of, first, day)

    def claims(self, breach: Breach, given: Given) -> bool:
        """Whether a breach of a later day belongs to this incident."""
        by_rule = self._claims_of_judge if self.cause.kind == "judge" else self._claims
        return by_rule(breach, given)

    def _claims(self, breach: Breach, given: Given) -> bool:
        day = breach.day
        if breach.key in self.members and not self.is_over:
            return not self._moved_elsewhere(breach, given)
        if breach.about != self.about or (breach.about == "traffic" and breach.route not in self.routes):
            return False
        if self.state == "recovered":
            return self._came_back(breach, given)
        if day > self.first_seen + timedelta(days=given.window_days):
            return False
        if not given.values.get(breach.series):
            return self._claims_without_values(breach)
        return breach.side_group in self._groups() and self._has_stayed(breach, given)

    def _came_back(self, breach: Breach, given: Given) -> bool:
        """Whether most of it came back within a few nights: that is no other incident."""
        nights = given.nights_between(self.routes, self.ended or breach.day, breach.day)
        return breach.key in self.members and nights <= REST and not self._is_back(breach.day, [breach], given)

    def _moved_elsewhere(self, breach: Breach, given: Given) -> bool:
        """Whether a member's series changed again: to the other side of its old level, or later much further."""
        old, new = self.levels.get(breach.series, (0.0, 0.0))
        now = _level_at(breach.series, breach.day, breach.nights_seen, given)
        if old == new or now is None or not breach.is_start:
            return False
        way = (now - old) / (new - old)
        return way < -_HALF or (way > _FURTHER and not self._is_young(breach.day, given))

    def _is_young(self, day: date, given: Given) -> bool:
        return given.nights_between(self.routes, self.first_seen, day) <= REST

    def grows_by(self, found: Found, day: date, given: Given) -> bool:
        """Whether what begins now is more of it: it is young, explains it all, and nothing explains it better.

        A change that comes little by little reaches other series on other nights.
        """
        is_same = found.cause == self.cause or found.cause.kind == self.cause.kind == "topic"
        is_of_known = found.cause.kind == "unknown" and self.cause.kind != "unknown"
        if self.is_over or not (is_same or is_of_known):
            return False
        return self._is_young(day, given) and all(
            breach.route in self.routes and self.found.explains(breach) for breach in found.breaches
        )

    def is_explained_by(self, found: Found, day: date, given: Given) -> bool:
        """Whether what begins now names the cause of it, of which nothing was known until now."""
        if self.is_over or self.cause.kind != "unknown" or found.cause.kind == "unknown" or self.about != "traffic":
            return False
        routes = {breach.route for breach in found.breaches}
        return (
            routes == set(self.routes)
            and self._is_young(day, given)
            and all(found.explains(member) for member in self.members.values())
        )

    def _claims_of_judge(self, breach: Breach, given: Given) -> bool:
        """What its judge decides moves with it, whenever that is found. A judge that changes again is another one."""
        if breach.kind == JUDGE_CHANGED:
            return breach.key in self.members and not (self.is_over and breach.is_start)
        is_decided = any(breach.judged in member.criteria for member in self.members.values())
        if not is_decided or breach.day > self.first_seen + timedelta(days=given.window_days):
            return False
        return not given.values.get(breach.series) or self._has_stayed(breach, given)

    def _claims_without_values(self, breach: Breach) -> bool:
        """Texts as a whole belong to what moved them; topics to an incident of topics."""
        if breach.kind in ("two_sample", PROFILE):
            return breach.side_group in self._groups()
        if breach.kind == "new_topic":
            return self.cause.kind == "topic" and not self.is_over
        return breach.key in self.members

    def _groups(self) -> set[str]:
        return {member.side_group for member in self.members.values()}

    def _has_stayed(self, breach: Breach, given: Given) -> bool:
        """Whether the series has been at the level of `breach` since this incident began, or is back at the old one."""
        series, day = breach.series, breach.day
        old = self._level_before(breach, given)
        since = given.mean(series, self.first_seen, day)
        now = _level_at(series, day, breach.nights_seen, given)
        if old is None or since is None or now is None:
            return breach.key in self.members
        if abs(now - old) <= _HALF * abs(since - old):
            return True  # on its way back
        return (since - old) / (now - old) >= _HALF

    def tell(self, day: date, today: list[Breach], given: Given) -> State | None:
        """The state to tell of on a later day than the first; None where there is nothing to tell."""
        if self.is_over:
            return self.state if today else None
        if self.about != "traffic":
            return self._tell_evaluation(day, today, given)
        has_calls = given.nights_between(self.routes, day - timedelta(days=1), day) > 0
        if has_calls and self._is_back(day, today, given):
            return self._end(day, "recovered")
        return self._tell_level(day, today, given)

    def _tell_level(self, day: date, today: list[Breach], given: Given) -> State | None:
        """For as long as the past has nights from before, a breach goes on; then the new level is the usual one."""
        if any(breach.kind == "below_minimum" for breach in today):
            return "ongoing"  # a requirement does not get used to
        if today and day <= self.first_seen + timedelta(days=given.window_days):
            return "ongoing"
        if today or given.nights_between(self.routes, self.last_breach or day, day) >= REST:
            return self._end(day, "settled")
        return None

    def _tell_evaluation(self, day: date, today: list[Breach], given: Given) -> State | None:
        if today:
            return "ongoing"
        if self.cause.kind == "judge":
            return self._end(day, "settled") if (day - (self.last_breach or day)).days >= REST else None
        return self._end(day, "recovered") if day in given.evaluated else None

    def _end(self, day: date, state: State) -> State:
        self.ended, self.state = day, state
        return state

    def _is_back(self, day: date, today: list[Breach], given: Given) -> bool:
        """Whether most of its series are where they were before it began; without series, whether it is gone."""
        found = (
            (_level_at(series, day, self.nights_seen[series], given), *known) for series, known in self.levels.items()
        )
        ways = [(now - old) / (new - old) for now, old, new in found if now is not None]
        if not ways:
            return not today and not self.levels
        return median(ways) < _BACK


def _level_at(series: Series, day: date, nights: int, given: Given) -> float | None:
    """The mean of a series over the last nights up to a day; None if it has no value on the day."""
    if day not in given.values.get(series, {}):
        return None
    return given.mean(series, _first_night(series, day, nights, given), day + timedelta(days=1))


def _first_night(series: Series, day: date, nights: int, given: Given) -> date:
    """The first of the last nights up to a day on which a series has a value; the day itself without one."""
    days = given.days_of(series)
    last = bisect_right(days, day)
    return days[max(0, last - nights)] if last else day
