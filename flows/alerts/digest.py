"""What a night has to report: its failed expectations, worst first. Nothing here sends anything."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.config import Config
from flows.errors import RunError, in_one_line
from flows.stage_failures import SUITE, with_failures

# What arrived comes before what was concluded from it: causes first.
_SUITES = ("landed_logs", "holdout", "eval_outputs", "verdicts")
_SEVERITIES = ("critical", "warning")


@dataclass(frozen=True)
class Item:
    """One failed expectation: what should have been, what was seen, and for how many nights.

    `where` is the page to look at, `calls` are the calls.
    """

    suite: str
    expectation: str
    subject: str
    severity: str
    expected: str
    observed: str
    where: str
    nights: int = 1
    calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Digest:
    """All failures of a night. Nothing is sent without items, or where all were reported on earlier nights."""

    app: str
    day: date
    items: tuple[Item, ...]
    report: str

    @property
    def severity(self) -> str:
        """The worst severity among the items; `info` where there are none."""
        return self.items[0].severity if self.items else "info"

    @property
    def headline(self) -> str:
        """How many failed, and what was observed of the worst."""
        if not self.items:
            return f"{self.app}, {self.day}: every expectation passed"
        counts = [(self.count(severity), severity) for severity in _SEVERITIES]
        failed = " and ".join(f"{count} {severity}" for count, severity in counts if count)
        noun = "expectation" if len(self.items) == 1 else "expectations"
        worst = self.items[0]
        return f"{self.app}, {self.day}: {failed} {noun} failed; {worst.subject}: {worst.observed}"

    @property
    def ongoing(self) -> int:
        """How many items are breaches that began on an earlier night and were reported then."""
        return sum(item.nights > 1 for item in self.items)

    def count(self, severity: str) -> int:
        """How many items have this severity."""
        return sum(item.severity == severity for item in self.items)


def of_night(config: Config, day: date, failures: Sequence[str] = ()) -> Digest:
    """The digest of the results that lie in the lake for `day`, and of the night's failed stages.

    Results that cannot be read are a failure too, and do not keep the others from being told.
    """
    rows, told = [], list(failures)
    try:
        rows = config.open_lake().read("expectation_results", day).to_pylist()
    except (RunError, OSError) as error:
        told.append(f"alert: {in_one_line(error)}")
    return build(with_failures(rows, told), config.app, day, config.reports / day.isoformat())


def build(results: Iterable[Mapping[str, Any]], app: str, day: date, reports: Path) -> Digest:
    """The failures among `results` (rows of expectation_results) that warn or worse, in a fixed order.

    What is new comes before what goes on. `reports` is the folder of the night's page. The same results in any order
    give the same digest.
    """
    failed = [row for row in results if not row["success"] and row["severity"] in _SEVERITIES]
    return Digest(
        app, day, tuple(_item(row, reports) for row in sorted(failed, key=_order)), str(reports / "index.html")
    )


def _item(row: Mapping[str, Any], reports: Path) -> Item:
    page = "index.html" if row["suite"] in ("verdicts", SUITE) else f"data_docs/{row['suite']}.html"
    return Item(
        suite=row["suite"],
        expectation=row["expectation"],
        subject=row["subject"],
        severity=row["severity"],
        expected=row["expected"],
        observed=row["observed"],
        where=str(reports / page),
        nights=_nights(row),
        calls=_calls(row),
    )


def _nights(row: Mapping[str, Any]) -> int:
    """For how many nights a breach has lasted; 1 for what is not a breach."""
    return int(_evidence(row).get("nights", 1))


def _calls(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The calls that show a breach, by their ids, each on one line."""
    return tuple(" ".join(str(call).split()) for call in _evidence(row).get("example_call_ids") or ())


def _evidence(row: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence of a breach; empty for what is not a breach."""
    found = json.loads(row.get("evidence_json") or "{}") if row["suite"] == "verdicts" else {}
    return found if isinstance(found, dict) else {}


def _order(row: Mapping[str, Any]) -> tuple[int, bool, int, str, str, str]:
    suite = str(row["suite"])
    place = _SUITES.index(suite) if suite in _SUITES else len(_SUITES)
    return _SEVERITIES.index(row["severity"]), _nights(row) > 1, place, suite, row["expectation"], row["subject"]
