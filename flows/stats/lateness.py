"""When a source's day is usually complete, from the days before, and whether it has far less than ever.

Order statistics only, because few days are known. If the days are exchangeable, a new one has fewer records than all of
n days before it with a probability of 1 / (n + 1) (Wilks 1941, "Determination of sample sizes for setting tolerance
limits"), and fewer than half of the fewest more rarely still.
"""

import math
from collections.abc import Sequence

FEWEST_DAYS = 7
_SHARE = 0.9
_FAR_LESS = 0.5


def usually_complete(hours: Sequence[float]) -> float | None:
    """The hour by which nine of ten days were complete: the least of `hours` that so many are not above.

    `hours` are those at which past days were complete, counted from any fixed time of the day. None for fewer than
    FEWEST_DAYS days.
    """
    if len(hours) < FEWEST_DAYS:
        return None
    return sorted(hours)[math.ceil(_SHARE * len(hours)) - 1]


def is_far_less(count: int, past: Sequence[int]) -> bool:
    """Whether a day has fewer than half of the records of the day before it that had the fewest.

    False for fewer than FEWEST_DAYS days, and where one of them had no record: then nothing is usual, too.
    """
    return len(past) >= FEWEST_DAYS and count < _FAR_LESS * min(past)
