"""genchi's own lines as JSON, one object a line, where `GENCHI_LOG` is json: for what collects logs."""

import json
import logging
import os
from datetime import UTC, datetime

VARIABLE = "GENCHI_LOG"
FACTS = "genchi_facts"
"""Name of a record's attribute with more keys for its line."""


def is_asked_for() -> bool:
    """Whether lines are to be JSON."""
    return os.environ.get(VARIABLE, "").strip().lower() == "json"


def line(message: str, level: str = "info", at: float | None = None, **facts: object) -> str:
    """One object: when, how severe, what; and the `facts`. `at` is in seconds since 1970 (default: now)."""
    when = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return json.dumps({"at": when.isoformat(timespec="milliseconds"), "level": level, "message": message, **facts})


class JsonLines(logging.Formatter):
    """Log records as such lines."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with the facts that it carries."""
        facts = getattr(record, FACTS, {})
        return line(record.getMessage().strip(), record.levelname.lower(), record.created, **facts)
