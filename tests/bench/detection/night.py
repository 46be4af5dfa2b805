"""One night of genchi's control of alarms, as dbt does it: a q-value over the night, a floor on the size."""

from dataclasses import dataclass

import numpy as np

from flows.config.threshold_table import thresholds
from flows.stats.fdr import q_values
from flows.stats.noise import Daily, day_test
from tests.bench.detection.sums import Key, upto
from tests.bench.detection.world import World

WINDOW = 28
RISK = "standard"


@dataclass(frozen=True)
class Verdicts:
    """For every series of a night: p- and q-value, whether its change is large enough, and whether it is still open."""

    p_value: np.ndarray
    q_value: np.ndarray
    is_large: np.ndarray
    is_open: np.ndarray

    def breaches(self, max_q: float) -> np.ndarray:
        """The series that breach at this false discovery rate."""
        return self.is_large & (self.q_value <= max_q)


def verdicts(keys: list[Key], daily: Daily, world: World, day: int) -> Verdicts:
    """Judge one day of a world against the window before it."""
    is_share = np.array([key.is_share for key in keys])
    weekday = world.weekday[max(0, day - WINDOW) : day + 1]
    judged = day_test(upto(daily, day, WINDOW), weekday, is_share)
    known = thresholds(RISK)
    q = np.array([np.nan if value is None else value for value in q_values(
        [None if np.isnan(p) else float(p) for p in judged.p_value])])  # fmt: skip
    floor = np.where(is_share, known["min_drift_delta"], known["min_drift_shift"])
    with np.errstate(invalid="ignore"):
        large = np.abs(judged.effect) >= floor
        return Verdicts(judged.p_value, q, large, large & (judged.p_value <= known["open_p_value"]))
