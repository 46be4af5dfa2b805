"""Eight months of three real nightly pipelines by one backfill: which known events are found, when, what else begins.

    python -m tests.bench.real_log [folder]

Writes the log of ../shared/data/arxiv_digest (or of GENCHI_SHARED) as a workspace in the folder (default: a temporary
one), runs `genchi backfill` over all of it, and prints for every event that its SOURCE.txt tells of the night on which
the first breach of its route and side begins and how many begin that night; then every other night on which breaches
begin, for someone to look at. A folder that has a warehouse already is only read.
"""

import json
import sys
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from flows.cli.main import main
from flows.warehouse import query
from tests.conftest import SHARED

FIRST, LAST = date(2025, 4, 16), date(2025, 12, 31)
WITHIN = 7  # nights with calls within which a small change should be found
AFTER = 28  # days within which an event that was found should not be found again


@dataclass(frozen=True)
class Event:
    """A change that is known from elsewhere: where it shows, and since when."""

    day: date
    route: str
    sides: tuple[str, ...]
    what: str


OUTPUTS = ("output", "pair")
EVENTS = (
    Event(date(2025, 7, 23), "digest", OUTPUTS, "another model for two nights"),
    Event(date(2025, 7, 23), "astro", OUTPUTS, "its owner changed the prompt"),
    Event(date(2025, 8, 19), "digest", OUTPUTS, "the alias points at V3.1"),
    Event(date(2025, 8, 19), "astro", OUTPUTS, "every call times out"),
    Event(date(2025, 9, 3), "number-theory", OUTPUTS, "answers turn from English to Chinese"),
    Event(date(2025, 9, 22), "digest", OUTPUTS, "the alias points at V3.1-Terminus"),
    Event(date(2025, 11, 12), "digest", ("input",), "line breaks leave the inputs"),
    Event(date(2025, 11, 12), "astro", ("input",), "line breaks leave the inputs"),
    Event(date(2025, 12, 2), "digest", OUTPUTS, "the alias points at V3.2"),
)

_BEGUN = """
select first_seen, split_part(subject, '/', 1) as route, split_part(subject, '/', 2) as side, kind, subject
from marts.fct_breaches
where day = first_seen
order by first_seen, subject
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


def report(warehouse: Path) -> None:
    """Print the events and the other nights."""
    begun = query(warehouse, _BEGUN)
    explained: set[tuple[date, str]] = set()
    again = 0
    print(f"{'since':<12} {'route':<14} {'found on':<12} {'breaches':>8}  event")
    for event in EVENTS:
        until = event.day + timedelta(days=AFTER)
        nights = [row["day"] for row in query(warehouse, _NIGHTS, [event.route, event.day, until])][:WITHIN]
        own = [
            row
            for row in begun
            if row["route"] == event.route and row["side"] in event.sides and event.day <= row["first_seen"] <= until
        ]
        found = next((row["first_seen"] for row in own if row["first_seen"] in nights), None)
        that_night = [row for row in own if row["first_seen"] == found]
        later = {row["first_seen"] for row in own} - {found}
        again += len(later) if found else 0
        explained |= {(row["first_seen"], event.route) for row in that_night}
        print(f"{event.day!s:<12} {event.route:<14} {found or '-'!s:<12} {len(that_night):>8}  {event.what}")
    print(
        f"\nnights within {AFTER} days of an event that was found, on which breaches of its route begin again: {again}"
    )
    others = sorted({(row["first_seen"], row["route"]) for row in begun} - explained)
    print(f"other nights and routes on which breaches begin: {len(others)}")
    for day, route in others:
        subjects = [
            f"{row['kind']} {row['subject']}" for row in begun if (row["first_seen"], row["route"]) == (day, route)
        ]
        print(f"  {day}  {', '.join(subjects)}")


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
