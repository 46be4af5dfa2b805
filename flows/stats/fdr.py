"""The false discovery rate over many comparisons."""

from collections.abc import Sequence

import numpy as np


def q_values(p_values: Sequence[float | None]) -> list[float | None]:
    """Benjamini and Hochberg's (1995, JRSS B 57:289) adjusted p-values, in the order given.

    None stays None and does not count as a comparison.
    """
    known = [(p, place) for place, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    if not known:
        return adjusted
    p, places = np.array([pair[0] for pair in known]), [pair[1] for pair in known]
    descending = np.argsort(-p, kind="stable")
    ranks = np.arange(len(p), 0, -1)
    smallest = np.minimum.accumulate(p[descending] * len(p) / ranks)
    for index, q in zip(descending, np.minimum(smallest, 1.0), strict=True):
        adjusted[places[int(index)]] = float(q)
    return adjusted
