"""A series whose definition changed on a day: only the days since its last change can be compared.

The share of answers that pass a criterion is such a series. A day of another version is as a day without values.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any

import numpy as np

from flows.stats.noise import Daily

Array = np.ndarray[Any, np.dtype[Any]]
Key = tuple[str, str, str]
Row = Mapping[str, Any]


def version_numbers(rows: Iterable[Row], keys: list[Key], n_days: int, start: date) -> Array:
    """The version of each series on each day, (S, n_days), as a number; 0 where it has none.

    `rows` have a version as `member` with its number of values `n`, by day, route, side and feature. The version of a
    day is that of most of its values; of two with as many the first by name.
    """
    of_day: dict[tuple[Key, int], list[tuple[int, str]]] = defaultdict(list)
    for row in rows:
        key = (row["route"], row["side"], row["feature"])
        of_day[key, (row["day"] - start).days].append((-row["n"], row["member"]))
    places = {key: n for n, key in enumerate(keys)}
    names = {name: n for n, name in enumerate(sorted({min(found)[1] for found in of_day.values()}), 1)}
    numbers = np.zeros((len(keys), n_days), int)
    for (key, day), found in of_day.items():
        if key in places and 0 <= day < n_days:
            numbers[places[key], day] = names[min(found)[1]]
    return numbers


def since_last_change(daily: Daily, versions: Array) -> Daily:
    """The sums of the days (S, D), 0 on days of another of the `versions` (S, D) than that of the last day."""
    is_same = versions == versions[:, -1:]
    if is_same.all():
        return daily
    return replace(daily, **{one.name: np.where(is_same, getattr(daily, one.name), 0.0) for one in fields(Daily)})
