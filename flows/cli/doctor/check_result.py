"""What the doctor finds: a level and one line that says what, where and how to fix it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

# `misconfigured` is a problem whose fix is in genchi.yaml or in the environment: the exit code tells them apart.
Level = Literal["ok", "warning", "problem", "misconfigured"]
_MARKS: dict[Level, str] = {"ok": "✓", "warning": "!", "problem": "✗", "misconfigured": "✗"}
_CODES: dict[Level, int] = {"ok": 0, "warning": 0, "problem": 1, "misconfigured": 2}


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    level: Level
    text: str

    @property
    def fine(self) -> bool:
        """Whether a night can run in spite of it."""
        return _CODES[self.level] == 0

    @property
    def line(self) -> str:
        """The finding as it is printed."""
        return f"{_MARKS[self.level]} {self.text}"


def exit_code(findings: Iterable[Finding]) -> int:
    """0 if a night can run; 1 for a problem of logs, lake or machine; 2 for one of the configuration."""
    return max((_CODES[finding.level] for finding in findings), default=0)
