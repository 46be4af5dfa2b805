"""What users need, in the order in which it is told: a broken need makes those after it less telling. Pure."""

import json
from collections.abc import Sequence

NEEDS = ("reliability", "harmlessness", "factual_consistency", "usefulness", "scalability", "cost")
"""The first thing first, as in the seeds."""
_BROKEN = ("Not reliable", "Not harmless", "Not factual", "Not useful", "Not fast enough", "Too expensive")


def place_of(need: str | None) -> int:
    """The place of a need in the order; after all of them for one that is not known."""
    return NEEDS.index(need) if need in NEEDS else len(NEEDS)


def need_in(evidence_json: str | None) -> str:
    """The need that the evidence of an expectation names; empty in the results of an older genchi."""
    found = json.loads(evidence_json or "{}")
    return str(found.get("need") or "") if isinstance(found, dict) else ""


def rest_waits(need: str | None, waiting: Sequence[str]) -> str:
    """That what is counted in `waiting` waits for a broken need; empty where nothing does.

    >>> rest_waits("reliability", ["2 incidents", "1 failed check"])
    'Not reliable: the rest waits, 2 incidents and 1 failed check'
    """
    if not waiting:
        return ""
    broken = _BROKEN[place_of(need)] if need in NEEDS else "Broken"
    return f"{broken}: the rest waits, {' and '.join(waiting)}"
