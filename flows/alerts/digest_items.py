"""From a row of expectation_results to an entry of a digest: an incident, a failed check, or what is over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flows.alerts.commands import commands_for
from flows.alerts.routing import owners_of
from flows.incidents import need_in, place_of
from flows.outgoing import plain
from flows.stage_failures import SUITE

# The incidents first, as on the page; of checks, what arrived comes before what was made of it.
_SUITES = ("verdicts", "landed_logs", "holdout", "eval_outputs", "review", "nights")
SEVERITIES = ("critical", "warning")
_OVER = "incident_over"


@dataclass(frozen=True)
class Quoted:
    """What an incident says where texts of users may be quoted; `examples` are a few of its calls, a line each."""

    title: str
    observed: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One incident or one failed check: what should have been, and what was seen.

    `title` says it in one sentence; `state` is ongoing for an incident that was told on an earlier night, else open;
    `nights` counts for how long. `where` is the page to look at, `calls` are the calls, by their ids. `need` is what
    users need that is in question, `commands` show or repeat what was seen. `quoted` is for alerts that may have texts.
    `again` says why an incident that goes on is told again; `acknowledged` who takes care of it, so that it is not.
    """

    suite: str
    expectation: str
    subject: str
    severity: str
    expected: str
    observed: str
    where: str
    title: str
    state: str = "open"
    nights: int = 1
    calls: tuple[str, ...] = ()
    need: str = ""
    routes: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    quoted: Quoted | None = None
    again: str = ""
    acknowledged: str = ""

    @property
    def is_news(self) -> bool:
        """Whether it was not told before."""
        return self.state != "ongoing" or bool(self.again)

    @property
    def with_texts(self) -> "Item":
        """The same with texts of users, where it has any."""
        if self.quoted is None:
            return self
        told = {"title": self.quoted.title, "observed": self.quoted.observed, "examples": self.quoted.examples}
        return replace(self, **told)  # type: ignore[arg-type]  # of different types

    @property
    def is_incident(self) -> bool:
        """Whether it is an incident, and not a failed check."""
        return self.suite == "verdicts" and bool(self.title)

    @property
    def line(self) -> str:
        """Its title, or for a check what was seen of what."""
        return self.title or f"{self.subject}: {self.observed}"

    @property
    def age(self) -> str:
        """`new`, or `night 3`."""
        night = f"night {self.nights:,}" if self.state == "ongoing" else "new"
        return f"{night}, {self.again}" if self.again else night


@dataclass(frozen=True)
class Over:
    """An incident that settled or recovered, in one line; `quoted` is the line for alerts that may have texts."""

    line: str
    severity: str | None
    owners: tuple[str, ...] = ()
    quoted: str | None = None


def item_of(row: Mapping[str, Any], day: date, pages: str, owners: Mapping[str, str]) -> Item:
    """The item of a failed row; `pages` and `owners` as for `digest.build`."""
    page = "index.html" if row["suite"] in ("verdicts", SUITE) else f"data_docs/{row['suite']}.html"
    observed = plain(row["observed"])
    evidence = _evidence(row)
    calls = tuple(plain(" ".join(str(call).split())) for call in evidence.get("example_call_ids") or ())
    routes = tuple(plain(str(route)) for route in evidence.get("routes") or ())
    quoted = Quoted(_title(evidence), observed, ()) if evidence.get("title") else None
    title = _title(_quiet(evidence))
    if "without_texts" in evidence:
        observed = plain(f"{title}. {_quiet(evidence).get('summary', '')}")
    return Item(
        suite=row["suite"],
        expectation=plain(row["expectation"]),
        subject=plain(row["subject"]),
        severity=row["severity"],
        expected=plain(row["expected"]),
        observed=observed,
        where=f"{pages}/{page}",
        title=title,
        state="ongoing" if _is_ongoing(row) else "open",
        nights=int(evidence.get("nights", 1)),
        calls=calls,
        need=need_in(row.get("evidence_json")),
        routes=routes,
        owners=owners_of(owners, row["subject"], evidence),
        commands=commands_for(row["suite"], plain(row["subject"]), day, routes, calls, is_incident=bool(title)),
        quoted=quoted,
    )


def is_over(row: Mapping[str, Any]) -> bool:
    """Whether a row says that an incident is over."""
    return (row["suite"], row["expectation"]) == ("verdicts", _OVER)


def over_of(row: Mapping[str, Any], owners: Mapping[str, str]) -> Over:
    """`recovered: <title>`; with an empty line where the row does not say what is over."""
    evidence = _evidence(row)
    state = plain(str(evidence.get("state", "over")))
    quiet, title = _title(_quiet(evidence)), _title(evidence)
    severity = evidence.get("severity")
    return Over(
        line=f"{state}: {quiet}" if quiet else "",
        severity=str(severity) if severity else None,
        owners=owners_of(owners, row["subject"], evidence),
        quoted=f"{state}: {title}" if title else None,
    )


def _quiet(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    """The title and the summary that quote nobody."""
    found = evidence.get("without_texts")
    return found if isinstance(found, dict) else evidence


def _title(evidence: Mapping[str, Any]) -> str:
    return plain(" ".join(str(evidence.get("title") or "").split()))


def _is_ongoing(row: Mapping[str, Any]) -> bool:
    return bool(_evidence(row).get("state") == "ongoing")


def _evidence(row: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence of an incident; empty for what is not an incident."""
    found = json.loads(row.get("evidence_json") or "{}") if row["suite"] == "verdicts" else {}
    return found if isinstance(found, dict) else {}


def order_of(row: Mapping[str, Any]) -> tuple[int, int, bool, int, str, int, str, str]:
    """The worst first, then by need, then what is new, by suite and how much moved."""
    suite = str(row["suite"])
    place = _SUITES.index(suite) if suite in _SUITES else len(_SUITES)
    moved = int(_evidence(row).get("n_breaches", 0))  # among incidents alike, as on the page
    severity = SEVERITIES.index(row["severity"])
    needed = place_of(need_in(row.get("evidence_json")))
    return severity, needed, _is_ongoing(row), place, suite, -moved, row["expectation"], row["subject"]
