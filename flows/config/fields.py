"""What genchi.yaml may say about personal data, and how it is written: paths of fields, and how long tables are kept.

Belongs here: reading and refusing these values, for config.py and for those that act on them. Does not belong here:
acting on them (`ingest/field_paths.py`, `retention.py`).
"""

import difflib
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from flows.lake import SCHEMAS

# A key that is no plain word is written in quotes: metadata["user.email"].
_STEP = re.compile(
    r"""\.?(?P<word>[^.\[\]"'*\s]+)|\.?(?P<any>\*)|\[(?P<place>\*|\d+)\]|\[(?P<quote>["'])(?P<quoted>.+?)(?P=quote)\]"""
)


def parse_path(text: str) -> tuple[str | int | None, ...]:
    """The steps of a path such as `messages[*].name`: a key, a place in a list, or None for any of either.

    Raises ValueError for what is no path.
    """
    rest = re.sub(r"^\$\.?", "", text.strip()) if text.strip().startswith("$") else text.strip()
    steps: list[str | int | None] = []
    while rest:
        step = _STEP.match(rest)
        if not step or (rest.startswith(".") and not steps):
            break
        place = step["place"]
        steps.append(int(place) if place and place != "*" else step["word"] or step["quoted"])
        rest = rest[step.end() :]
    if rest or not any(isinstance(step, str) for step in steps):
        raise ValueError(f"{text!r} is no path of a field; write one such as metadata.user_email or messages[*].name")
    return tuple(steps)


def _is_path(text: str) -> str:
    parse_path(text)
    return text


def _days(value: object) -> int | None:
    """`90d` or `12w` as days, `keep` as None."""
    if value == "keep":
        return None
    found = re.fullmatch(r"([1-9]\d{0,4})([dw])", value) if isinstance(value, str) else None
    if not found:
        raise ValueError("is no time; write days or weeks such as 90d or 12w, or keep")
    return int(found[1]) * (7 if found[2] == "w" else 1)


def _known_tables(kept: Mapping[str, int | None]) -> Mapping[str, int | None]:
    for table in kept:
        if table not in SCHEMAS:
            nearest = difflib.get_close_matches(table, SCHEMAS, n=1, cutoff=0)[0]
            raise ValueError(f"the lake has no table `{table}`; did you mean `{nearest}`?")
    return kept


FieldPath = Annotated[str, AfterValidator(_is_path)]
# The days that the rows of each table are kept, the day itself not counted; None is forever.
Retention = Annotated[
    dict[str, Annotated[int | None, BeforeValidator(_days), "days or weeks"]], AfterValidator(_known_tables)
]
