"""Test every series of a day against its past, from the daily sums that dbt computes.

The dbt model `int_series_tests` calls it. The methods are in `flows.stats.noise` and `flows.stats.windows`; here their
inputs are built and their results named. A number is tested by its mean and by the shares of its values in the lowest
and the highest tenth of the past, so that a change of shape is found too. Most of the alpha is spent on the mean.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from flows.stats.members import chosen_members
from flows.stats.noise import Daily
from flows.stats.profile import profiles
from flows.stats.seams import since_last_change, version_numbers
from flows.stats.volume import DAYS_BEFORE, volumes
from flows.stats.windows import LONGEST, Windows, combined, window_tests

Array = np.ndarray[Any, np.dtype[Any]]
Row = Mapping[str, Any]
Key = tuple[str, str, str]

# The share of a number's alpha that is spent on the mean; each of its two tails gets half of the rest.
_OF_MEAN = 0.8
_TAIL = 0.1
_LEAST_TAIL, _LARGEST_TAIL = 0.02, 0.3
# With fewer past days the noise comes mostly from resampled callers and assumed day-to-day variance.
_HISTORY_DAYS = 7
_PROFILE = "output_profile"  # all features of a route's outputs together
_CALLS = "calls"  # the number of calls is a series too, under this name
_SUMS = {field.name: field.name for field in fields(Daily)} | {"squares": "total_squares"}


@dataclass(frozen=True)
class _Series:
    """All series over a range of days: `daily` (S, days), and of each number its histogram (bins, days)."""

    keys: list[Key]
    is_share: Array
    daily: Daily
    bins: dict[int, Array]
    versions: Array

    def over(self, first: int, last: int) -> "_Series":
        """The days `first` to `last` (included), with the series that have values on them."""
        cut = Daily(**{name: getattr(self.daily, name)[:, first : last + 1] for name in _SUMS})
        versions = self.versions[:, first : last + 1]
        cut = since_last_change(cut, versions)
        bins = {place: counts[:, first : last + 1] for place, counts in self.bins.items()}
        there = [int(place) for place in np.flatnonzero(cut.n.sum(1) > 0)]
        return _Series(self.keys, self.is_share, cut, bins, versions).only(there)

    def only(self, places: Sequence[int]) -> "_Series":
        """The series at these places, in this order."""
        there = np.array(places, int)
        return _Series(
            [self.keys[place] for place in places],
            self.is_share[there],
            Daily(**{name: getattr(self.daily, name)[there] for name in _SUMS}),
            {n: self.bins[place] for n, place in enumerate(places) if place in self.bins},
            self.versions[there],
        )


def series_tests(
    sums: Iterable[Row],
    bins: Iterable[Row],
    calls: Iterable[Row],
    *,
    kinds: Mapping[str, str],
    days: tuple[date, date],
    window_days: int,
    most_members: Mapping[str, int] | None = None,
    versions: Iterable[Row] = (),
) -> list[Row]:
    """Test every series on each of `days` (first, last); a day without calls has no rows.

    `sums` are the rows of int_series_daily for whole series, `bins` those of int_feature_histograms_daily for all calls
    of production, both with the `days_before` the first day and in the order of day within their keys; `calls`
    are those of int_call_counts_daily, with two weeks more. `kinds` is share or number by feature or by its prefix, a
    share where it is missing. `most_members` bounds how many members of a mix are tested (`flows.stats.members`), over
    the window and the day itself, so that a chosen one stays for as long as it was ever frequent there. `versions` are
    the rows by version of series that have one (`flows.stats.seams`). The rows of a day do not depend on which other
    days are tested with it.
    """
    first, last = days
    reach = days_before(window_days)
    start = first - timedelta(days=reach)
    n_days = (last - start).days + 1
    known = _read(sums, bins, kinds, n_days, start)
    known = replace(known, versions=version_numbers(versions, known.keys, n_days, start))
    counts = _read_calls(calls, n_days + DAYS_BEFORE, start - timedelta(days=DAYS_BEFORE))
    rows: list[Row] = []
    for place in range(reach, n_days):
        day, series = start + timedelta(days=place), known.over(place - reach, place)
        n, total = (sums[:, -window_days - 1 :] for sums in (series.daily.n, series.daily.total))
        series = series.only(chosen_members(series.keys, n, total, series.is_share, most_members or {}))
        series = _with_volumes(series, counts, slice(place - reach, place + DAYS_BEFORE + 1))
        weekday = np.array([(day - timedelta(days=n)).weekday() for n in range(reach, -1, -1)])
        rows += [{"day": day, **row} for row in _rows(series, weekday, window_days)] if series.keys else []
    return rows


def days_before(window_days: int) -> int:
    """How many days before the first tested one are read: the window, and before it the nights of the longest test."""
    return window_days + LONGEST


def _rows(series: _Series, weekday: Array, window_days: int) -> list[dict[str, object]]:
    """One row for each series that has values on the tested day."""
    with_tails = _with_tails(series)
    tested = window_tests(with_tails.daily, weekday, with_tails.is_share, window_days)
    p_of_windows = {k: _p_of_numbers(p, with_tails.keys, series) for k, p in tested.p_values.items()}
    p_values, nights = combined(p_of_windows)
    found = tested.told(np.concatenate([nights, np.ones(len(with_tails.keys) - len(nights), int)]))
    numbers = {
        "observed": found.observed,
        "expected": found.expected,
        "effect": found.effect,
        "standard_error": found.error,
        "degrees_of_freedom": found.freedom,
        "p_value": p_values,
        "n_effective": found.n_effective,
    }
    columns = {name: _finite_or_none(values) for name, values in numbers.items()}
    rows: list[dict[str, object]] = [
        {
            "route": route,
            "side": side,
            "feature": feature,
            "n": round(float(np.expm1(found.observed[n]))) if feature == _CALLS else int(series.daily.n[n, -1]),
            "basis": "history" if found.n_days[n] >= _HISTORY_DAYS else "resampled",
            "n_days": int(found.n_days[n]),
            "window_nights": int(nights[n]),
            **{name: values[n] for name, values in columns.items()},
        }
        for n, (route, side, feature) in enumerate(series.keys)
        if series.daily.n[n, -1] > 0
    ]
    return rows + _profile_rows(series, tested)


def _finite_or_none(values: Array) -> list[float | None]:
    return [value if known else None for value, known in zip(values.tolist(), np.isfinite(values), strict=True)]


def _profile_rows(series: _Series, tested: Windows) -> list[dict[str, object]]:
    """A row for all features of a route's outputs together."""
    calls: dict[str, int] = defaultdict(int)
    for (route, side, _), n in zip(series.keys, series.daily.n[:, -1], strict=True):
        if side == "output":
            calls[route] = max(calls[route], int(n))
    return [
        {
            "route": found.route,
            "side": "output",
            "feature": _PROFILE,
            "n": calls[found.route],
            "basis": "history",
            "n_days": int(np.isfinite(tested.deviates).any(0).sum()),
            "window_nights": found.nights,
            "observed": found.distance,
            "p_value": found.p_value,
            "moved": list(found.moved),
        }
        for found in profiles(series.keys, tested)
    ]


def _p_of_numbers(p_values: Array, keys: list[Key], series: _Series) -> Array:
    """The p-values of the series; for a number the smallest of its three, each divided by its share of the alpha."""
    p = p_values[: len(series.keys)].copy()
    numbers = list(series.bins)
    p[numbers] = np.minimum(p[numbers] / _OF_MEAN, 1.0)
    places = {key: n for n, key in enumerate(series.keys)}
    for n, key in enumerate(keys[len(series.keys) :], len(series.keys)):
        of_tail = p_values[n] / ((1 - _OF_MEAN) / 2)
        p[places[key]] = min(p[places[key]], of_tail)  # min keeps the first if the tail has no p-value (NaN)
    return p


def _with_tails(series: _Series) -> _Series:
    """The series, followed by two tail shares for each number whose past has tails of usable size."""
    keys, sums = list(series.keys), {name: [getattr(series.daily, name)] for name in _SUMS}
    for place, counts in series.bins.items():
        for tail in _tails(counts):
            keys.append(series.keys[place])
            for name, values in (("n", counts.sum(0)), ("total", tail), ("squares", tail)):
                sums[name].append(values[None, :])
            for name in (
                "n_clusters",
                "cluster_squares",
                "cluster_cross",
                "cluster_sizes",
            ):  # unknown clusters: the common design effect applies
                sums[name].append(np.zeros((1, counts.shape[1])))
    is_share = np.concatenate([series.is_share, np.ones(len(keys) - len(series.keys), bool)])
    daily = Daily(**{name: np.concatenate(parts) for name, parts in sums.items()})
    return _Series(keys, is_share, daily, {}, np.zeros(daily.n.shape, int))


def _tails(counts: Array) -> Iterator[Array]:
    """From a histogram (bins, days): the number of values per day in the lowest and the highest tenth of the past."""
    past = counts[:, :-1].sum(1)
    if past.sum() == 0:
        return
    below = np.cumsum(past) / past.sum()
    for share, is_low in ((below, True), (1 - below, False)):
        edge = int(np.abs(share - _TAIL).argmin())
        if _LEAST_TAIL <= share[edge] <= _LARGEST_TAIL:
            yield counts[: edge + 1].sum(0) if is_low else counts[edge + 1 :].sum(0)


def _read(sums: Iterable[Row], bins: Iterable[Row], kinds: Mapping[str, str], n_days: int, start: date) -> _Series:
    by_key: dict[Key, dict[str, Array]] = {}
    for row in sums:
        of_series = by_key.setdefault(_key(row), {name: np.zeros(n_days) for name in _SUMS})
        for name, column in _SUMS.items():
            of_series[name][(row["day"] - start).days] = row[column] or 0
    keys = list(by_key)
    is_share = np.array([_kind(feature, kinds) == "share" for _, _, feature in keys], bool)
    daily = {name: np.array([by_key[key][name] for key in keys]).reshape(-1, n_days) for name in _SUMS}
    numbers = {key: n for n, key in enumerate(keys) if not is_share[n]}
    return _Series(
        keys, is_share, Daily(**daily), _read_bins(bins, numbers, n_days, start), np.zeros((len(keys), n_days), int)
    )


def _kind(feature: str, kinds: Mapping[str, str]) -> str:
    """The kind of a feature, or of the prefix that ends in a colon."""
    return kinds.get(feature) or kinds.get(feature.partition(":")[0] + ":", "share")


def _key(row: Row) -> Key:
    return row["route"], row["side"], row["feature"]


def _read_calls(calls: Iterable[Row], n_days: int, start: date) -> dict[str, Array]:
    """By route, the number of calls and the sum of squared calls per caller, (2, n_days)."""
    counts: dict[str, Array] = {}
    for row in calls:
        place = (row["day"] - start).days
        if 0 <= place < n_days:
            of_route = counts.setdefault(row["route"], np.zeros((2, n_days)))
            of_route[:, place] = row["n_calls"], row["cluster_sizes"]
    return counts


def _with_volumes(series: _Series, counts: Mapping[str, Array], days: slice) -> _Series:
    """The series, followed by the number of calls of every route, from its counts on `days`."""
    if not counts:
        return series
    n, cluster_sizes = np.stack([counts[route][:, days] for route in counts], axis=1)
    volume_sums = volumes(n, cluster_sizes)
    sums = {
        name: np.concatenate([getattr(series.daily, name), getattr(volume_sums, name)[:, DAYS_BEFORE:]])
        for name in _SUMS
    }
    keys = [*series.keys, *((route, "pair", _CALLS) for route in counts)]
    is_share = np.concatenate([series.is_share, np.zeros(len(counts), bool)])
    return _Series(keys, is_share, Daily(**sums), series.bins, series.versions)


def _read_bins(bins: Iterable[Row], numbers: Mapping[Key, int], n_days: int, start: date) -> dict[int, Array]:
    """The histogram of every number, (bins, days), its bins in order."""
    counted: dict[int, dict[float, Array]] = {}
    for row in bins:
        place = numbers.get(_key(row))
        if place is not None:
            of_bin = counted.setdefault(place, {}).setdefault(row["bin"], np.zeros(n_days))
            of_bin[(row["day"] - start).days] = row["n"]
    return {place: np.stack([by_bin[bin_] for bin_ in sorted(by_bin)]) for place, by_bin in counted.items()}
