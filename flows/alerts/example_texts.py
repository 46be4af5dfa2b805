"""A few calls of an incident as lines, for alerts that may have texts of users."""

from collections.abc import Collection
from datetime import date

from flows.config import Config
from flows.errors import RunError
from flows.lake import rows_with
from flows.outgoing import plain

SHOWN = 2
"""Calls of an incident whose texts are told."""
_LONGEST = 240  # characters of a question, and of an answer


def read(config: Config, day: date, calls: Collection[str]) -> dict[str, str]:
    """A line for each of these calls that is in the lake, by its id. Without a lake that can be read, none."""
    columns = ["call_id", "input_text", "output_text", "error_message"]
    try:
        lake = config.open_lake()
        found = rows_with(lake, "interactions", day, key="call_id", values=calls, columns=columns).to_pylist()
    except (RunError, OSError):
        return {}  # the digest is told without them
    return {row["call_id"]: f"{plain(row['call_id'])}: {_said(row)}" for row in found}


def _said(row: dict[str, str | None]) -> str:
    answer = row["output_text"] or (f"error: {row['error_message']}" if row["error_message"] else None)
    return f'"{_short(row["input_text"])}" was answered: "{_short(answer)}"'


def _short(text: str | None) -> str:
    line = plain(" ".join((text or "").split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
