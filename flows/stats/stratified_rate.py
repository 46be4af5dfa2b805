"""The rate of a pool of calls of which people judged some in each stratum."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from flows.stats.binomial_limits import mid_p

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Estimate:
    """Values with the ends of their intervals, arrays of one shape."""

    value: Array
    low: Array
    high: Array


def weighted_sum(shares: Array, n: Array, failures: Array, confidence: float = 0.95) -> Estimate:
    """The sum over strata, the last axis, of share times failure rate, by the method of variance estimates recovery.

    `n` labels, which may be effective ones, of which `failures` failed; all (..., strata). Each stratum's mid-P limits
    give its variance in either direction, and these are added (Zou, Huang and Zhang 2009, Computational Statistics and
    Data Analysis 53:1080; Donner and Zou 2012, Statistical Methods in Medical Research 21:347). Nothing is known of a
    stratum without labels: its whole share is in the interval, as with none and with all failed, and not in the value.
    """
    is_known = n > 0
    rate = np.where(is_known, failures / np.where(is_known, n, 1.0), 0.0)
    low, high = mid_p(np.where(is_known, failures, 0.0), np.where(is_known, n, 0.0), confidence)
    known = np.where(is_known, shares, 0.0)
    unknown = np.where(is_known, 0.0, shares).sum(-1)
    value = (known * rate).sum(-1)
    return Estimate(
        value,
        np.maximum(value - np.sqrt(((known * (rate - low)) ** 2).sum(-1)), 0.0),
        value + np.sqrt(((known * (high - rate)) ** 2).sum(-1)) + unknown,
    )


def failure_rate(sizes: Array, n: Array, failures: Array, confidence: float = 0.95) -> Estimate:
    """The failure rate of which the pool is a sample: strata of `sizes` calls, the last axis, with at least one call.

    Beside what `weighted_sum` says of the rates within strata, the shares of the strata are uncertain as those of any
    sample of so many calls: double sampling for stratification (Neyman 1938, JASA 33:101; Cochran 1977, Sampling
    Techniques, 12.2). The value is that of the strata with labels, and lies in the interval.
    """
    total = sizes.sum(-1)
    shares = sizes / total[..., None]
    within = weighted_sum(shares, n, failures, confidence)
    known = np.where(n > 0, shares, 0.0)
    rate = np.where(n > 0, failures / np.where(n > 0, n, 1.0), 0.0)
    part = known.sum(-1)
    value = within.value / np.where(part > 0, part, 1.0)
    between = (known * (rate - value[..., None]) ** 2).sum(-1) * float(ndtri(0.5 + confidence / 2)) ** 2 / total
    unknown = 1 - part
    down = np.sqrt((within.value - within.low) ** 2 + between)
    up = np.sqrt((within.high - unknown - within.value) ** 2 + between)
    low = np.clip(within.value - down, 0.0, 1.0)
    high = np.clip(within.value + up + unknown, 0.0, 1.0)
    return Estimate(value, np.minimum(low, value), np.maximum(high, value))
