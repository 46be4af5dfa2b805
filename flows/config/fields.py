"""Values in genchi.yaml with a syntax of their own: field paths, how long a table is kept, and time zones.

Belongs here: parsing and validation. Does not belong here: applying them (`ingest/redact/field_paths.py`,
`retention.py`).
"""

import re
from collections.abc import Mapping
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator

from flows.config.problems import did_you_mean
from flows.lake import SCHEMAS

# A key with special characters is written in quotes: metadata["user.email"].
_STEP = re.compile(
    r"""\.?(?P<word>[^.\[\]"'*\s]+)|\.?(?P<any>\*)|\[(?P<place>\*|\d+)\]|\[(?P<quote>["'])(?P<quoted>.+?)(?P=quote)\]"""
)


def parse_path(text: str) -> tuple[str | int | None, ...]:
    """The steps of a path such as `messages[*].name`: a key, an index of a list, or None for any of either.

    Raises ValueError for an invalid path.
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
        raise ValueError(
            f"{text!r} is not a valid field path; write one such as metadata.user_email or messages[*].name"
        )
    return tuple(steps)


def _is_path(text: str) -> str:
    parse_path(text)
    return text


def _days(value: object) -> int | None:
    """`90d` or `12w` as days, `keep` as None."""
    if value == "keep":
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})([dw])", value) if isinstance(value, str) else None
    if not match:
        raise ValueError("is not a valid period; write days or weeks such as 90d or 12w, or keep")
    return int(match[1]) * (7 if match[2] == "w" else 1)


WAREHOUSE_CALLS, WAREHOUSE_DAYS = "warehouse_calls", "warehouse_days"
"""The two parts of the warehouse in `retention`: the tables with a row a call, and those of numbers a day."""


def _known_tables(kept: Mapping[str, int | None]) -> Mapping[str, int | None]:
    known = (*SCHEMAS, WAREHOUSE_CALLS, WAREHOUSE_DAYS)
    for table in kept:
        if table not in known:
            raise ValueError(f"the lake has no table `{table}`; {did_you_mean(table, known)}")
    if kept.get("tombstones") is not None:
        raise ValueError("`tombstones` are kept: without them logs that are read again bring back what was forgotten")
    return kept


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a known time zone; use a name such as UTC or Europe/Berlin") from error
    return name


Timezone = Annotated[str, AfterValidator(_known_timezone)]
FieldPath = Annotated[str, AfterValidator(_is_path)]
# The days that the rows of each table are kept, the day itself not counted; None is forever.
Retention = Annotated[
    dict[str, Annotated[int | None, BeforeValidator(_days), "days or weeks"]], AfterValidator(_known_tables)
]
