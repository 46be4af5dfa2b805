"""Whether two engines have the same tables: counts, flags and texts exactly, doubles within a tolerance."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

TOLERANCE = 1e-9


def differences(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[str]:
    """What differs, in sentences; empty where the rows say the same, in whatever order they and their columns are."""
    names = sorted({name for row in one[:1] + other[:1] for name in row})
    left, right = _by_exact(one, names), _by_exact(other, names)
    found = [f"only the one has {_told(key, names)}" for key in left if len(left[key]) > len(right.get(key, []))]
    found += [f"only the other has {_told(key, names)}" for key in right if len(right[key]) > len(left.get(key, []))]
    for key in left.keys() & right.keys():
        for a, b in zip(sorted(left[key]), sorted(right[key]), strict=False):
            if wrong := [(x, y) for x, y in zip(a, b, strict=True) if not _is_near(x, y)]:
                found.append(f"{wrong[:3]} of {_told(key, names)}")
    return found


def _by_exact(rows: list[dict[str, Any]], names: Sequence[str]) -> dict[str, list[list[float]]]:
    """The doubles of each row, by all else that the row has."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    for row in rows:
        numbers: list[float] = []
        exact = [_without_numbers(row[name], numbers, is_json=name.endswith("_json")) for name in names]
        found[json.dumps(exact, default=str)].append(numbers)
    return found


def _without_numbers(value: Any, numbers: list[float], *, is_json: bool = False) -> Any:
    if isinstance(value, float):
        numbers.append(value)
        return "a number"
    if isinstance(value, str) and is_json:
        return _without_numbers(json.loads(value, parse_int=float), numbers)
    if isinstance(value, dict):
        return {key: _without_numbers(one, numbers) for key, one in sorted(value.items())}
    if isinstance(value, list):
        return [_without_numbers(one, numbers) for one in value]
    return value.timestamp() if isinstance(value, datetime) else value


def _is_near(one: float, other: float) -> bool:
    both_nan = math.isnan(one) and math.isnan(other)
    return both_nan or math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _told(key: str, names: Sequence[str]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in _filled(names, json.loads(key)))[:600]


def _filled(names: Sequence[str], values: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in zip(names, values, strict=True) if value not in (None, "a number"))
