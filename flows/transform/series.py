"""Every series of a day held against its own past: from the daily sums that dbt has made to `series_tests` in the lake.

The mathematics is `flows.stats.noise`; here are its inputs and where its results lie. A number is judged by its mean
and by the shares of its values that lie below and above where a tenth of the past does, so that a change of its shape
is seen too; most of the night's attention goes to the mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

import numpy as np

from flows.config import Config
from flows.lake import Lake, each_day, from_rows
from flows.stats.noise import Daily, Judged, judge
from flows.stats.volume import volumes
from flows.warehouse import query

Array = np.ndarray[Any, np.dtype[Any]]

# What part of a number's false alarms is the mean's; each of its two tails has half of the rest.
_OF_MEAN = 0.8
_TAIL = 0.1
_LEAST_TAIL, _LARGEST_TAIL = 0.02, 0.3
# With fewer past days the noise is mostly that of resampled callers, and what is assumed of days.
_HISTORY_DAYS = 7
# The number of calls is a series too, by this name, and this is the feature from which it is told.
_CALLS, _OF_EVERY_CALL = "calls", "failed"
_SUMS = [field.name for field in fields(Daily)]
_SERIES = """
    select series.*, coalesce(features.kind, 'share') = 'share' as is_share
    from (
        select day, route, side, feature, n, n_clusters, total, total_squares as squares,
            cluster_squares, cluster_cross, cluster_sizes
        from intermediate.int_series_daily
        where dimension = '*' and day between ? and ?
    ) as series
    left join seeds.features on series.feature = features.feature
    order by route, side, series.feature, day
"""
_BINS = """
    select histograms.day, histograms.route, histograms.side, histograms.feature, bin, histograms.n
    from intermediate.int_feature_histograms_daily as histograms
    inner join seeds.features on histograms.feature = features.feature and features.kind = 'number'
    where origin = 'production' and model_served = '*' and prompt_version = '*' and day between ? and ?
    order by route, side, histograms.feature, bin, day
"""


@dataclass(frozen=True)
class _Series:
    """All series over a range of days: `daily` (S, days), and of each number its histogram (bins, days)."""

    keys: list[tuple[str, str, str]]
    is_share: Array
    daily: Daily
    bins: dict[int, Array]

    def over(self, first: int, last: int) -> "_Series":
        """The days from `first` to `last`, both included, and of the series those that have calls then."""
        cut = {name: getattr(self.daily, name)[:, first : last + 1] for name in _SUMS}
        there = [int(place) for place in np.flatnonzero(cut["n"].sum(1) > 0)]
        return _Series(
            [self.keys[place] for place in there],
            self.is_share[there],
            Daily(**{name: values[there] for name, values in cut.items()}),
            {n: self.bins[place][:, first : last + 1] for n, place in enumerate(there) if place in self.bins},
        )


def judge_days(config: Config, first: date, last: date) -> int:
    """Judge every series of the days from `first` to `last` and land what came of it; how many were judged.

    Reads the warehouse, in which the daily sums of these days and of the window before them must have been built.
    The same sums give the same rows; a day without calls has none.
    """
    start = first - timedelta(days=config.window_days)
    known = _read(config, start, last)
    lake, count = Lake.of(config), 0
    for day in each_day(first, last):
        place = (day - start).days
        series = known.over(place - config.window_days, place)
        weekday = np.array([(day - timedelta(days=n)).weekday() for n in range(config.window_days, -1, -1)])
        rows = _rows(series, weekday) if series.keys else []
        lake.write("series_tests", day, from_rows(rows, "series_tests"))
        count += len(rows)
    return count


def _rows(series: _Series, weekday: Array) -> list[dict[str, object]]:
    """The judged day of every series that has values on it."""
    with_tails = _with_tails(series)
    judged = judge(with_tails.daily, weekday, with_tails.is_share)
    p_values = _p_of_numbers(judged, with_tails.keys, series)
    return [
        {
            "route": route,
            "side": side,
            "feature": feature,
            "n": round(float(np.expm1(judged.observed[n]))) if feature == _CALLS else int(series.daily.n[n, -1]),
            "basis": "history" if judged.n_days[n] >= _HISTORY_DAYS else "resampled",
            "n_days": int(judged.n_days[n]),
            "observed": _told(judged.observed[n]),
            "expected": _told(judged.expected[n]),
            "effect": _told(judged.effect[n]),
            "standard_error": _told(judged.error[n]),
            "degrees_of_freedom": _told(judged.freedom[n]),
            "p_value": _told(p_values[n]),
            "n_effective": _told(judged.n_effective[n]),
        }
        for n, (route, side, feature) in enumerate(series.keys)
        if series.daily.n[n, -1] > 0
    ]


def _told(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _p_of_numbers(judged: Judged, keys: list[tuple[str, str, str]], series: _Series) -> Array:
    """The p-values of the series; of a number the smallest of its three, each by its part of the attention."""
    p = judged.p_value[: len(series.keys)].copy()
    numbers = list(series.bins)
    p[numbers] = np.minimum(p[numbers] / _OF_MEAN, 1.0)
    places = {key: n for n, key in enumerate(series.keys)}
    for n, key in enumerate(keys[len(series.keys) :], len(series.keys)):
        of_tail = judged.p_value[n] / ((1 - _OF_MEAN) / 2)
        p[places[key]] = min(p[places[key]], of_tail)  # the first, where the tail has none
    return p


def _with_tails(series: _Series) -> _Series:
    """The series, and behind them two shares for each number whose past has tails to be seen."""
    keys, sums = list(series.keys), {name: [getattr(series.daily, name)] for name in _SUMS}
    for place, counts in series.bins.items():
        for tail in _tails(counts):
            keys.append(series.keys[place])
            for name, values in (("n", counts.sum(0)), ("total", tail), ("squares", tail)):
                sums[name].append(values[None, :])
            for name in ("n_clusters", "cluster_squares", "cluster_cross", "cluster_sizes"):  # as all shares cluster
                sums[name].append(np.zeros((1, counts.shape[1])))
    is_share = np.concatenate([series.is_share, np.ones(len(keys) - len(series.keys), bool)])
    return _Series(keys, is_share, Daily(**{name: np.concatenate(parts) for name, parts in sums.items()}), {})


def _tails(counts: Array) -> Iterator[Array]:
    """Of a histogram (bins, days), how many values of each day lie in the lowest and the highest tenth of the past."""
    past = counts[:, :-1].sum(1)
    if past.sum() == 0:
        return
    below = np.cumsum(past) / past.sum()
    for share, is_low in ((below, True), (1 - below, False)):
        edge = int(np.abs(share - _TAIL).argmin())
        if _LEAST_TAIL <= share[edge] <= _LARGEST_TAIL:
            yield counts[: edge + 1].sum(0) if is_low else counts[edge + 1 :].sum(0)


def _read(config: Config, start: date, last: date) -> _Series:
    rows = query(config.warehouse, _SERIES, [start, last])
    n_days = (last - start).days + 1
    keys = list(dict.fromkeys((row["route"], row["side"], row["feature"]) for row in rows))
    places = {key: n for n, key in enumerate(keys)}
    sums = {name: np.zeros((len(keys), n_days)) for name in _SUMS}
    is_share = np.ones(len(keys), bool)
    for row in rows:
        place, day = places[row["route"], row["side"], row["feature"]], (row["day"] - start).days
        is_share[place] = row["is_share"]
        for name in _SUMS:
            sums[name][place, day] = row[name] or 0
    return _with_volumes(_Series(keys, is_share, Daily(**sums), _read_bins(config, start, last, places)))


def _with_volumes(series: _Series) -> _Series:
    """The series, and behind them the number of calls of every route; a feature that each call has tells it."""
    carriers = [n for n, (_, _, feature) in enumerate(series.keys) if feature == _OF_EVERY_CALL]
    counts = volumes(series.daily.n[carriers], series.daily.cluster_sizes[carriers])
    keys = [(series.keys[n][0], "pair", _CALLS) for n in carriers]
    sums = {name: np.concatenate([getattr(series.daily, name), getattr(counts, name)]) for name in _SUMS}
    is_share = np.concatenate([series.is_share, np.zeros(len(keys), bool)])
    return _Series([*series.keys, *keys], is_share, Daily(**sums), series.bins)


def _read_bins(config: Config, start: date, last: date, places: dict[tuple[str, str, str], int]) -> dict[int, Array]:
    """The histogram of every number, (bins, days), its bins in order."""
    rows = query(config.warehouse, _BINS, [start, last])
    counted: dict[int, dict[float, Array]] = {}
    for row in rows:
        place = places.get((row["route"], row["side"], row["feature"]))
        if place is not None:
            of_bin = counted.setdefault(place, {}).setdefault(row["bin"], np.zeros((last - start).days + 1))
            of_bin[(row["day"] - start).days] = row["n"]
    return {place: np.stack([bins[bin_] for bin_ in sorted(bins)]) for place, bins in counted.items()}
