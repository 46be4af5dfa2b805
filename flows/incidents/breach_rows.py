"""The breaches that the rules read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

Row = Mapping[str, Any]
Series = tuple[str, str, str]
"""Route, side and feature."""

SEVERITIES = ("critical", "warning", "info")
PROFILE = "output_profile"
"""The feature, and the kind of breach, that is all features of outputs together."""
JUDGE_CHANGED = "judge_changed"
"""The kind of breach that is a judge which no longer judges as it did."""
LANGUAGES = ("language:", "script_")
"""What the features begin with that count the texts of a language or a script."""
_CRITERION = "criterion:"  # what the features begin with that count the answers which pass a criterion
_UNDETERMINED = "language:und"  # texts whose language is not clear: short ones, numbers, code


@dataclass(frozen=True)
class Coincidence:
    """What most of a change comes from: one member of a dimension of the calls, such as release 4.

    `part` is the part of the change that its calls make, `share` its share of the calls.
    """

    dimension: str
    member: str
    name: str
    share: float
    part: float
    is_new: bool


@dataclass(frozen=True)
class Breach:
    """One breach of one day. `before` and `now` are its values, where it has any; `series` is what it is about."""

    day: date
    kind: str
    subject: str
    severity: str
    need: str
    about: str
    rank: int
    is_start: bool
    summary: str
    mute: str | None
    evidence: Row

    @classmethod
    def from_row(cls, row: Row) -> "Breach":
        """From a row of int_breaches."""
        names = ("day", "kind", "subject", "severity", "need", "about", "rank", "is_start", "summary", "mute")
        evidence = json.loads(row["evidence_json"] or "{}")
        return cls(**{name: row[name] for name in names}, evidence=evidence if isinstance(evidence, dict) else {})

    @property
    def key(self) -> tuple[str, str]:
        """Kind and subject: unique on a day."""
        return self.kind, self.subject

    @property
    def route(self) -> str:
        """The route, or nothing for what is not about one route."""
        return str(self.evidence.get("route") or "")

    @property
    def side(self) -> str:
        """input, output or pair; nothing for what is not about traffic."""
        return str(self.evidence.get("side") or "")

    @property
    def side_group(self) -> str:
        """The side, but output for pairs: what an answer is to its question goes with the answers."""
        return "output" if self.side == "pair" else self.side

    @property
    def feature(self) -> str:
        """The feature, or nothing."""
        return str(self.evidence.get("feature") or "")

    @property
    def series(self) -> Series:
        """The series that it is about."""
        return self.route, self.side, self.feature

    @property
    def judged(self) -> str:
        """The route and the criterion, where it is about how often answers that are in use pass one; else nothing."""
        if self.about == "candidate":
            return ""
        criterion = self.evidence.get("criterion") or self.feature.partition(_CRITERION)[2]
        return f"{self.route}/{criterion}" if self.route and criterion else ""

    @property
    def criteria(self) -> frozenset[str]:
        """The same of all criteria that a changed judge decides; empty for other breaches."""
        found = self.evidence.get("criteria")
        return frozenset(map(str, found)) if self.kind == JUDGE_CHANGED and isinstance(found, list) else frozenset()

    @property
    def before(self) -> float | None:
        """The value from before, as in its sentence: the one expected for such a day only where that differs."""
        named = ("value_expected", "value_reference", "expected")
        found = [float(value) for name in named if (value := self.evidence.get(name)) is not None]
        if self.now is None or self.evidence.get("value_reference") is None or len(found) == 1:
            return next(iter(found), None)
        expected, usual = found[0], found[1]
        is_beyond = (self.now > expected) != (self.now > usual) or 2 * abs(expected - usual) > abs(self.now - usual)
        return expected if is_beyond else usual

    @property
    def now(self) -> float | None:
        """The value of the day."""
        found = (self.evidence.get(name) for name in ("value_current", "observed"))
        return next((float(value) for value in found if value is not None), None)

    @property
    def nights_seen(self) -> int:
        """Over how many nights with calls it was seen; its values are means over them."""
        return int(self.evidence.get("window_nights") or 1)

    @property
    def has_risen(self) -> bool:
        """Whether the value is above the expected one."""
        return (self.now or 0.0) > (self.before or 0.0)

    @property
    def is_of_language(self) -> bool:
        """Whether it is about the texts of a language or a script, and not of those in no clear one."""
        return self.feature.startswith(LANGUAGES) and self.feature != _UNDETERMINED

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls that show it, by their ids."""
        found = self.evidence.get("example_call_ids")
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def is_of_mix(self) -> bool:
        """Whether most of the shift goes away at a constant mix of topics."""
        return bool(self.evidence.get("is_of_mix"))

    @cached_property
    def coincidence(self) -> Coincidence | None:
        """What most of its change comes from, if one member of a dimension does."""
        found = self.evidence
        if not found.get("cause_dimension"):
            return None
        return Coincidence(
            dimension=str(found["cause_dimension"]),
            member=str(found["cause_member"]),
            name=str(found["cause"]),
            share=float(found["cause_share"]),
            part=float(found["cause_part"]),
            is_new=bool(found["cause_is_new"]),
        )
