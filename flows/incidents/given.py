"""All that the rules read: breaches, the values of their series by night, the nights themselves, and their calls."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from statistics import fmean
from typing import Any, TypeVar

from flows.incidents.breach_rows import SEVERITIES, Breach, Row, Series

K = TypeVar("K")
L = TypeVar("L")
V = TypeVar("V")

_NO_MODEL = "unknown"  # as in int_calls


@dataclass(frozen=True)
class Night:
    """The calls of a route on a day: how many, and the model that answered most of them with its share."""

    calls: int
    model: str | None
    model_share: float


@dataclass(frozen=True)
class Canned:
    """The output that was repeated most often on a day, and how often."""

    text: str
    n: int
    n_calls: int


@dataclass(frozen=True)
class Failing:
    """The failed calls of a route on a day: the commonest class and message, and when nine tenths of them failed."""

    n: int
    n_calls: int
    error_type: str
    message: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Given:
    """All that the rules read. Built by `read`; the mappings' keys are (route, day) and series.

    `users` are the calls of the users with the most calls.
    `may_quote` says whether titles and summaries may have the words of answers and of errors.
    """

    breaches: Mapping[date, tuple[Breach, ...]]
    nights: Mapping[tuple[str, date], Night]
    values: Mapping[Series, Mapping[date, float]]
    evaluated: frozenset[date] = frozenset()
    canned: Mapping[tuple[str, date], Canned] = field(default_factory=dict)
    failing: Mapping[tuple[str, date], Failing] = field(default_factory=dict)
    features: Mapping[str, Row] = field(default_factory=dict)
    users: Mapping[tuple[str, date], Mapping[str, int]] = field(default_factory=dict)
    window_days: int = 28
    may_quote: bool = True

    @classmethod
    def read(
        cls,
        *,
        breaches: Iterable[Row],
        usage: Iterable[Row],
        values: Iterable[Row],
        evaluated: Iterable[Row],
        canned: Iterable[Row],
        failing: Iterable[Row],
        features: Iterable[Row],
        users: Iterable[Row] = (),
        window_days: int,
        may_quote: bool = True,
    ) -> "Given":
        """From the rows of the dbt models that `int_incidents` reads; they may come in any order."""
        by_day: dict[date, list[Breach]] = {}
        for row in breaches:
            by_day.setdefault(row["day"], []).append(Breach.from_row(row))
        return cls(
            breaches={day: tuple(sorted(found, key=_order)) for day, found in by_day.items()},
            nights=_nights(usage),
            values=_nested(((row["route"], row["side"], row["feature"]), row["day"], row["value"]) for row in values),
            evaluated=frozenset(row["day"] for row in evaluated),
            canned={_place(row): Canned(row["text_value"], row["n"], row["n_calls"]) for row in canned},
            failing={_place(row): Failing(**_without_place(row)) for row in failing},
            features={row["feature"]: row for row in features},
            users=_nested((_place(row), row["user_name"], row["n"]) for row in users),
            window_days=window_days,
            may_quote=may_quote,
        )

    @cached_property
    def without_texts(self) -> "Given":
        """The same, for titles and summaries that quote nobody."""
        return replace(self, may_quote=False)

    @cached_property
    def nights_of(self) -> Mapping[str, list[date]]:
        """The nights with calls of each route, in order."""
        found: dict[str, list[date]] = {}
        for route, day in sorted(self.nights):
            if self.nights[route, day].calls:
                found.setdefault(route, []).append(day)
        return found

    def nights_between(self, routes: Iterable[str], after: date, until: date) -> int:
        """How many nights with calls of any of the routes lie after one day, and not after another."""
        days = {
            day
            for route in routes
            for day in self.nights_of.get(route, [])[
                bisect_right(self.nights_of.get(route, []), after) : bisect_right(self.nights_of.get(route, []), until)
            ]
        }
        return len(days)

    def mean(self, series: Series, first: date, before: date) -> float | None:
        """The mean of a series over the nights from `first` on and before another day; None where it has no value."""
        values = self.values.get(series, {})
        days = self.days_of(series)
        found = [values[day] for day in days[bisect_left(days, first) : bisect_left(days, before)]]
        return fmean(found) if found else None

    def days_of(self, series: Series) -> list[date]:
        """The days on which a series has a value, in order."""
        if series not in self._days:
            self._days[series] = sorted(self.values.get(series, {}))
        return self._days[series]

    @cached_property
    def _days(self) -> dict[Series, list[date]]:
        return {}


def _order(breach: Breach) -> tuple[int, int, str, str]:
    return SEVERITIES.index(breach.severity), breach.rank, breach.kind, breach.subject


def _nights(usage: Iterable[Row]) -> dict[tuple[str, date], Night]:
    """From the calls of each model; a model that the log does not name is none."""
    nights = {}
    for place, of_models in _nested((_place(row), row["model_served"], row["calls"]) for row in usage).items():
        n = sum(of_models.values())
        model, most = max(of_models.items(), key=lambda item: (item[1], item[0]))
        nights[place] = Night(n, None if model == _NO_MODEL else model, most / n)
    return nights


def _nested(entries: Iterable[tuple[K, L, V]]) -> dict[K, dict[L, V]]:
    found: dict[K, dict[L, V]] = {}
    for outer, inner, value in entries:
        found.setdefault(outer, {})[inner] = value
    return found


def _place(row: Row) -> tuple[str, date]:
    return row["route"], row["day"]


def _without_place(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("route", "day")}
