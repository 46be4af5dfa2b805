"""One night of genchi's control of alarms, as dbt does it: a q-value over the night, a floor on the size."""

from dataclasses import dataclass

import numpy as np

from flows.config.threshold_table import thresholds
from flows.stats.fdr import q_values
from flows.stats.noise import Daily
from flows.stats.profile import profiles
from flows.stats.windows import LONGEST, combined, window_tests
from tests.bench.detection.sums import CALLS, Key, upto
from tests.bench.detection.world import ROUTES, World

WINDOW = 28
RISK = "standard"


@dataclass(frozen=True)
class Verdicts:
    """For every series of a night: p- and q-value, whether its change is large enough, and whether it is still open.

    `nights` says over how many nights it is seen, and `values` (2, S) what was expected and what was observed; NaN for
    the joint tests.
    """

    p_value: np.ndarray
    q_value: np.ndarray
    is_large: np.ndarray
    is_open: np.ndarray
    nights: np.ndarray
    values: np.ndarray

    def breaches(self, max_q: float) -> np.ndarray:
        """The series that breach at this false discovery rate."""
        return self.is_large & (self.q_value <= max_q)


def verdicts(keys: list[Key], daily: Daily, world: World, day: int) -> Verdicts:
    """Judge one day of a world against the window before it."""
    keys = keys[: len(daily.n)]
    is_share = np.array([key.is_share for key in keys])
    weekday = world.weekday[max(0, day - WINDOW - LONGEST) : day + 1]
    found = window_tests(upto(daily, day, WINDOW + LONGEST), weekday, is_share, WINDOW)
    p, nights = combined(found.p_values)
    judged, more = found.told(nights), np.ones(len(ROUTES))
    of_profiles = {
        int(one.route): one.p_value
        for one in profiles([(f"{key.route}", key.side, key.feature) for key in keys], found)
    }
    p = np.r_[p, [of_profiles.get(route, np.nan) for route in range(len(ROUTES))]]
    known = thresholds(RISK)
    q = np.array([np.nan if value is None else value for value in q_values(
        [None if np.isnan(value) else float(value) for value in p])])  # fmt: skip
    floor = np.where(is_share, known["min_drift_delta"], known["min_drift_shift"])
    floor[[key.feature == CALLS for key in keys]] = known["min_volume_shift"]
    with np.errstate(invalid="ignore"):
        large = np.r_[np.abs(judged.effect) >= floor, more > 0]
        values = np.vstack([np.r_[part, more * np.nan] for part in (judged.expected, judged.observed)])
        return Verdicts(p, q, large, large & (p <= known["open_p_value"]), np.r_[nights, more], values)
