"""Eight months of three real nightly pipelines by one backfill: which known events are told, when, and as what.

    python -m tests.bench.real_log [folder]

Writes the log of ../shared/data/arxiv_digest (or of GENCHI_SHARED) as a workspace in the folder (default: a temporary
one), runs `genchi backfill` over all of it, and prints for every event that its SOURCE.txt tells of the night on which
an incident of its route and side begins, the cause that it names, and whether anything of it begins again within 28
days; then every other incident, for someone to look at. A folder that has a warehouse already is only read.
"""

import json
import sys
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from flows.cli.main import main
from flows.warehouse import query
from tests.conftest import SHARED

FIRST, LAST = date(2025, 4, 16), date(2025, 12, 31)
WITHIN = 7  # nights with calls within which a small change should be found
AFTER = 28  # days within which an event that was found should not be found again


@dataclass(frozen=True)
class Event:
    """A change that is known from elsewhere: where it shows, since when, and which kinds of cause are right."""

    day: date
    route: str
    sides: tuple[str, ...]
    what: str
    causes: tuple[str, ...]


OUTPUTS = ("output", "pair")
EVENTS = (
    Event(date(2025, 7, 23), "digest", OUTPUTS, "another model for two nights", ("model_under_name",)),
    Event(date(2025, 7, 23), "astro", OUTPUTS, "its owner changed the prompt", ("prompt_version",)),
    Event(date(2025, 8, 19), "digest", OUTPUTS, "the alias points at V3.1", ("model_under_name",)),
    Event(date(2025, 8, 19), "astro", OUTPUTS, "every call times out", ("canned_answer", "outage")),
    Event(date(2025, 9, 3), "number-theory", OUTPUTS, "answers turn from English to Chinese", ("language",)),
    Event(date(2025, 9, 22), "digest", OUTPUTS, "the alias points at V3.1-Terminus", ("model_under_name",)),
    Event(date(2025, 11, 12), "digest", ("input",), "line breaks leave the inputs", ("log_format",)),
    Event(date(2025, 11, 12), "astro", ("input",), "line breaks leave the inputs", ("log_format",)),
    Event(date(2025, 12, 2), "digest", OUTPUTS, "the alias points at V3.2", ("model_under_name",)),
)

_BEGUN = """
select day, incident_id, cause_kind, routes, title, evidence_json
from marts.fct_incidents
where state = 'open'
order by day, incident_id
"""
_NIGHTS = "select distinct day from marts.fct_usage_daily where route = ? and day between ? and ? order by day"


def write_workspace(folder: Path) -> Path:
    """The log as files of genchi's own format, a file a day, and the configuration. Returns the latter's path."""
    rows = duckdb.connect().execute(
        "select route, day, n, category, input, output from read_parquet(?) order by day, route, n",
        [str(SHARED / "data" / "arxiv_digest" / "calls.parquet")],
    )
    logs = folder / "logs"
    logs.mkdir(parents=True)
    lines: dict[str, list[str]] = {}
    for route, day, n, category, given, output in rows.fetchall():
        call = {
            "call_id": f"{route}-{day}-{n}",
            "route": route,
            "started_at": f"{day}T03:{n // 60 % 60:02d}:{n % 60:02d}Z",
            "model_requested": "deepseek-chat",
            "input_text": given,
            "output_text": output,
            "tags": {"category": category},
        }
        lines.setdefault(day, []).append(json.dumps(call, ensure_ascii=False) + "\n")
    for day, calls in lines.items():
        (logs / f"{day}.jsonl").write_text("".join(calls), encoding="utf-8")
    path = folder / "genchi.yaml"
    source = "{name: calls, format: genchi, path: 'logs/{day}.jsonl'}"
    path.write_text(f"app: arxiv\nlake: lake\nsources: [{source}]\n", encoding="utf-8")
    return path


@dataclass(frozen=True)
class Told:
    """One incident on the day on which it began; `sides` are those of its breaches by route."""

    day: date
    cause_kind: str
    routes: frozenset[str]
    title: str
    sides: frozenset[tuple[str, str]]

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Told":
        """From a row of fct_incidents. A subject is route/side/feature."""
        subjects = [breach.split(" ", 1)[1].split("/") for breach in json.loads(row["evidence_json"])["breaches"]]
        sides = frozenset((parts[0], parts[1]) for parts in subjects if len(parts) > 1)
        return cls(row["day"], row["cause_kind"], frozenset(row["routes"]), row["title"], sides)

    def shows(self, event: Event) -> bool:
        """Whether it is on the route and a side of an event, on which nothing but the number of calls would not do."""
        return self.cause_kind != "volume" and any((event.route, side) in self.sides for side in event.sides)


def report(warehouse: Path) -> None:
    """Print the events and the other incidents."""
    begun = [Told.from_row(row) for row in query(warehouse, _BEGUN)]
    explained: set[Told] = set()
    again, on_time, right = [], 0, 0
    print(f"{'since':<12} {'route':<14} {'told on':<12} {'cause told':<18} event")
    for event in EVENTS:
        until = event.day + timedelta(days=AFTER)
        nights = [row["day"] for row in query(warehouse, _NIGHTS, [event.route, event.day, until])][:WITHIN]
        own = [told for told in begun if told.shows(event) and event.day <= told.day <= until]
        found = next((told for told in own if told.day in nights), None)
        if found:
            explained.add(found)
            on_time += found.day == nights[0]
            right += found.cause_kind in event.causes
            again += [told for told in own if told.day > found.day]
        when, cause = (str(found.day), found.cause_kind) if found else ("-", "-")
        print(f"{event.day!s:<12} {event.route:<14} {when:<12} {cause:<18} {event.what}")
    print(f"\ntold on the first night: {on_time} of {len(EVENTS)}; cause named rightly: {right} of {len(EVENTS)}")
    again = [told for told in again if told not in explained]  # another event is not told again
    print(f"begun again within {AFTER} days of an event that was told: {len(again)}")
    for told in again:
        print(f"  {told.day}  {told.cause_kind:<16} {told.title}")
    others = [told for told in begun if told not in explained]
    of_volume = sum(told.cause_kind == "volume" for told in others)
    print(f"other incidents: {len(others)}, of them about the number of calls: {of_volume}")
    for told in others:
        print(f"  {told.day}  {told.cause_kind:<16} {told.title}")


def run(folder: Path) -> None:
    """Build what is missing, and report."""
    warehouse = folder / "lake" / "warehouse.duckdb"
    if not warehouse.exists():
        path = write_workspace(folder)
        if code := main(["backfill", "--config", str(path), "--start", str(FIRST), "--end", str(LAST)]):
            sys.exit(code)
    report(warehouse)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            run(Path(name))
