"""Which few of many stand for all of them best: facility location, chosen greedily.

The value of a choice is the sum, over all members, of their similarity to the nearest one chosen. It is submodular, so
that the greedy choice has at least 63 % of the best value (Nemhauser, Wolsey and Fisher 1978, Mathematical Programming
14:265).
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def facility_location(similarity: Array, covered: Array, count: int) -> list[int]:
    """At most `count` of the candidates, best first; fewer where no further one adds anything.

    `similarity` (members, candidates) is at least 0; `covered` (members) is each member's similarity to what is there
    already. Of equally good candidates the first is taken.
    """
    reached, chosen = covered.astype(float).copy(), list[int]()
    while len(chosen) < min(count, similarity.shape[1]):
        gains = np.maximum(similarity - reached[:, None], 0).sum(axis=0)
        best = int(np.argmax(gains))
        if gains[best] <= 0:
            break
        chosen.append(best)
        reached = np.maximum(reached, similarity[:, best])
    return chosen
