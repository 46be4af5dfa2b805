"""Which members of mixes are tested: their names come from calls, and can be many."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Key = tuple[str, str, str]

# What features of fields of outputs begin with: `field:` of those that say which are there and what they say.
_FIELDS, _FIELD, _TYPE, _PRESENT = "field", "field:", "field_type:", ":present"
# Of a field so many values each are tested, and nothing that is rarer than this on all days of the window.
_MOST_VALUES, _LEAST_SHARE = 12, 0.02


def chosen_members(
    keys: Sequence[Key], n: Array, total: Array, is_share: Array, most_members: Mapping[str, int]
) -> list[int]:
    """The places of the series that are tested: all but members of a mix that were never among its most frequent.

    `keys` are (route, side, feature) of S series; `n` and `total`, both (S, days), their values and the sums of them.
    Of the features of a route and side that begin with a key of `most_members` at most so many are chosen: those with
    the largest share on any day. The share of a number of a field is that of the outputs that have it. Of fields, what
    is always there, what was never in 2 % of the outputs, what another series implies, and all but the 12 most frequent
    values of a field do not count among them, and are not chosen. Which are chosen changes no series, because all that
    are kept have their counts on all days.
    """
    outputs = {key[:2]: n[place] for place, key in enumerate(keys) if key[2].startswith(_FIELD)}
    places = {key: place for place, key in enumerate(keys)}
    some = np.where(is_share[:, None], total, n)
    all_of = np.array([n[p] if is_share[p] else outputs.get(key[:2], n[p]) for p, key in enumerate(keys)])
    all_of = all_of.reshape(some.shape)
    largest = np.divide(some, all_of, out=np.zeros_like(some), where=all_of > 0).max(1, initial=0.0)
    always = (total == n).all(1) & is_share
    taken: dict[tuple[str, ...], int] = defaultdict(int)
    chosen: list[int] = []
    for place in sorted(range(len(keys)), key=lambda place: (-largest[place], keys[place][2])):
        route, side, feature = keys[place]
        # The names of other features have no colon: `fields_missing` is no field of an output.
        prefix = next((prefix for prefix in most_members if feature.startswith(prefix) and ":" in feature), "")
        bounds = {(route, side, prefix): most_members[prefix]} if prefix else {}
        if prefix == _FIELDS:
            implying = places.get((route, side, _implying(feature)))
            is_implied = implying is not None and bool((total[place] == total[implying]).all())
            if always[place] or is_implied or largest[place] < _LEAST_SHARE:
                continue
            if feature.startswith(_FIELD) and not feature.endswith(_PRESENT):
                bounds[route, side, feature.partition("=")[0] + "="] = _MOST_VALUES
        if all(taken[mix] < most for mix, most in bounds.items()):
            chosen.append(place)
            for mix in bounds:
                taken[mix] += 1
    return sorted(chosen)


def _implying(feature: str) -> str:
    """The feature that says the same where both have the same sums: a field is there, and always is of one type.

    Of a field it is the presence of the object that it is in.
    """
    if feature.startswith(_TYPE):
        return f"{_FIELD}{feature.removeprefix(_TYPE).rpartition('=')[0]}{_PRESENT}"
    if not feature.startswith(_FIELD):
        return ""
    if feature.endswith(_PRESENT):
        path, dot, _ = feature.removesuffix(_PRESENT).partition(".")
        return f"{path}{_PRESENT}" if dot else ""
    return f"{feature.partition('=')[0]}{_PRESENT}"
