"""Bisection, vectorised over samples."""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def bisect(low: Array, high: Array, is_low: Callable[[Array], Array], halvings: int) -> Array:
    """The last place from `low` towards `high` where `is_low` holds; `high` may be the smaller number."""
    for _ in range(halvings):
        middle = (low + high) / 2
        holds = is_low(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return low
