"""Text and numbers as the lake can hold them, whatever a provider, a log or an older journal says."""

import math
import re
from typing import Any, overload

_HALF = re.compile("[\ud800-\udfff]")
_LARGEST_COUNT = 2**63 - 1


@overload
def storable(text: str, longest: int | None = None) -> str: ...
@overload
def storable(text: Any, longest: int | None = None) -> str | None: ...
def storable(text: Any, longest: int | None = None) -> str | None:
    """`text` as a string with U+FFFD for each half character (lone surrogate), which UTF-8 cannot hold; None is None.

    Two halves that belong together are joined. A text of more than `longest` characters is cut, with an ellipsis.
    """
    if text is None:
        return None
    whole = text if isinstance(text, str) else str(text)
    if longest is not None and len(whole) > longest:
        whole = f"{whole[:longest]}\N{HORIZONTAL ELLIPSIS}"
    if not whole.isascii() and _HALF.search(whole):
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole


def count_of(value: Any) -> int | None:
    """A whole number from 0 to 2^63 - 1; None for everything else, such as a text, a fraction or a negative number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST_COUNT:
        return None
    return int(value) if value == int(value) and int(value) <= _LARGEST_COUNT else None


def storable_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of texts and numbers with every value storable; numbers that no column holds are None."""
    return {storable(key): _storable_value(value) for key, value in row.items()}


def _storable_value(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_LARGEST_COUNT <= value <= _LARGEST_COUNT else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
