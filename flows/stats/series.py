"""Test every series of a day against its past, from the daily sums that dbt computes.

The dbt model `int_series_tests` calls it. The method is in `flows.stats.noise`; here its inputs are built and its
results named. A number is tested by its mean and by the shares of its values in the lowest and the highest tenth of the
past, so that a change of shape is found too. Most of the alpha is spent on the mean.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

import numpy as np

from flows.stats.noise import Daily, DayTest, day_test
from flows.stats.volume import DAYS_BEFORE, volumes

Array = np.ndarray[Any, np.dtype[Any]]
Row = Mapping[str, Any]
Key = tuple[str, str, str]

# The share of a number's alpha that is spent on the mean; each of its two tails gets half of the rest.
_OF_MEAN = 0.8
_TAIL = 0.1
_LEAST_TAIL, _LARGEST_TAIL = 0.02, 0.3
# With fewer past days the noise comes mostly from resampled callers and assumed day-to-day variance.
_HISTORY_DAYS = 7
_CALLS = "calls"  # the number of calls is a series too, under this name
_SUMS = {field.name: field.name for field in fields(Daily)} | {"squares": "total_squares"}


@dataclass(frozen=True)
class _Series:
    """All series over a range of days: `daily` (S, days), and of each number its histogram (bins, days)."""

    keys: list[Key]
    is_share: Array
    daily: Daily
    bins: dict[int, Array]

    def over(self, first: int, last: int) -> "_Series":
        """The days `first` to `last` (included), with the series that have values on them."""
        cut = {name: getattr(self.daily, name)[:, first : last + 1] for name in _SUMS}
        there = [int(place) for place in np.flatnonzero(cut["n"].sum(1) > 0)]
        return _Series(
            [self.keys[place] for place in there],
            self.is_share[there],
            Daily(**{name: values[there] for name, values in cut.items()}),
            {n: self.bins[place][:, first : last + 1] for n, place in enumerate(there) if place in self.bins},
        )


def series_tests(
    sums: Iterable[Row],
    bins: Iterable[Row],
    calls: Iterable[Row],
    *,
    kinds: Mapping[str, str],
    days: tuple[date, date],
    window_days: int,
) -> list[Row]:
    """Test every series on each of `days` (first, last); a day without calls has no rows.

    `sums` are the rows of int_series_daily for whole series, `bins` those of int_feature_histograms_daily for all calls
    of production, both with the `window_days` before the first day and in the order of day within their keys; `calls`
    are those of int_call_counts_daily, with two weeks more. `kinds` is share or number by feature, a share where it is
    missing. The rows of a day do not depend on which other days are tested with it.
    """
    first, last = days
    start = first - timedelta(days=window_days)
    n_days = (last - start).days + 1
    known = _read(sums, bins, kinds, n_days, start)
    counts = _read_calls(calls, n_days + DAYS_BEFORE, start - timedelta(days=DAYS_BEFORE))
    rows: list[Row] = []
    for place in range(window_days, n_days):
        day, series = start + timedelta(days=place), known.over(place - window_days, place)
        series = _with_volumes(series, counts, slice(place - window_days, place + DAYS_BEFORE + 1))
        weekday = np.array([(day - timedelta(days=n)).weekday() for n in range(window_days, -1, -1)])
        rows += [{"day": day, **row} for row in _rows(series, weekday)] if series.keys else []
    return rows


def _rows(series: _Series, weekday: Array) -> list[dict[str, object]]:
    """One row for each series that has values on the tested day."""
    with_tails = _with_tails(series)
    tests = day_test(with_tails.daily, weekday, with_tails.is_share)
    p_values = _p_of_numbers(tests, with_tails.keys, series)
    return [
        {
            "route": route,
            "side": side,
            "feature": feature,
            "n": round(float(np.expm1(tests.observed[n]))) if feature == _CALLS else int(series.daily.n[n, -1]),
            "basis": "history" if tests.n_days[n] >= _HISTORY_DAYS else "resampled",
            "n_days": int(tests.n_days[n]),
            "observed": _finite_or_none(tests.observed[n]),
            "expected": _finite_or_none(tests.expected[n]),
            "effect": _finite_or_none(tests.effect[n]),
            "standard_error": _finite_or_none(tests.error[n]),
            "degrees_of_freedom": _finite_or_none(tests.freedom[n]),
            "p_value": _finite_or_none(p_values[n]),
            "n_effective": _finite_or_none(tests.n_effective[n]),
        }
        for n, (route, side, feature) in enumerate(series.keys)
        if series.daily.n[n, -1] > 0
    ]


def _finite_or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _p_of_numbers(tests: DayTest, keys: list[Key], series: _Series) -> Array:
    """The p-values of the series; for a number the smallest of its three, each divided by its share of the alpha."""
    p = tests.p_value[: len(series.keys)].copy()
    numbers = list(series.bins)
    p[numbers] = np.minimum(p[numbers] / _OF_MEAN, 1.0)
    places = {key: n for n, key in enumerate(series.keys)}
    for n, key in enumerate(keys[len(series.keys) :], len(series.keys)):
        of_tail = tests.p_value[n] / ((1 - _OF_MEAN) / 2)
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
    return _Series(keys, is_share, Daily(**{name: np.concatenate(parts) for name, parts in sums.items()}), {})


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
    is_share = np.array([kinds.get(feature, "share") == "share" for _, _, feature in keys], bool)
    daily = {name: np.array([by_key[key][name] for key in keys]).reshape(-1, n_days) for name in _SUMS}
    numbers = {key: n for n, key in enumerate(keys) if not is_share[n]}
    return _Series(keys, is_share, Daily(**daily), _read_bins(bins, numbers, n_days, start))


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
    return _Series(keys, is_share, Daily(**sums), series.bins)


def _read_bins(bins: Iterable[Row], numbers: Mapping[Key, int], n_days: int, start: date) -> dict[int, Array]:
    """The histogram of every number, (bins, days), its bins in order."""
    counted: dict[int, dict[float, Array]] = {}
    for row in bins:
        place = numbers.get(_key(row))
        if place is not None:
            of_bin = counted.setdefault(place, {}).setdefault(row["bin"], np.zeros(n_days))
            of_bin[(row["day"] - start).days] = row["n"]
    return {place: np.stack([by_bin[bin_] for bin_ in sorted(by_bin)]) for place, by_bin in counted.items()}
