"""The index over all nights: a calendar, one color a night, and what each night was about. One file, no script.

A night that has a page is shown as the page says, because one click leads there; a day without a page as the marts know
it. A page tells its status and its headline in its head, between fixed words.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from flows.config import Config
from flows.errors import RunError, in_one_line
from flows.incidents import NEEDS
from flows.lake import replace_text
from flows.marts import open_marts
from flows.report.templating import environment

logger = logging.getLogger(__name__)

NAME = "index.html"
_STATUSES = ("critical", "warning", "healthy", "unknown")
_HEAD = 20_000  # characters of a page in which its status and headline stand
_TOLD = re.compile(r'<meta name="genchi-(status|headline)" content="([^"]*)">')
_MORE = " (and "
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

_INCIDENTS = f"""
    select day, arg_min(title, place) as title, arg_min(severity, place) as severity, count(*) as n
    from (
        select
            *,
            (
                array_position(['critical', 'warning'], severity),
                coalesce(array_position({list(NEEDS)}, need), {len(NEEDS) + 1}),
                state <> 'open', -n_breaches, incident_id
            ) as place
        from marts.fct_incidents
        where state in ('open', 'ongoing') and severity in ('critical', 'warning')
    )
    group by day
"""
_COMPARED = """
    select distinct day
    from marts.fct_feature_skew_daily
    where value_reference is not null and value_current is not null
"""
_LOGGED = "select distinct day from marts.fct_usage_daily"


@dataclass(frozen=True)
class NightEntry:
    """One night: its color, what it was about, and the address of its page, if it has one."""

    day: date
    status: str
    headline: str
    page: str | None = None


@dataclass(frozen=True)
class Month:
    """A month of the calendar: `blanks` days of the week before its first one, then a place for each day."""

    first: date
    blanks: int
    days: tuple[tuple[date, NightEntry | None], ...]

    @property
    def to_look_at(self) -> tuple[tuple[NightEntry, ...], ...]:
        """The nights on which something was the matter, the newest first; neighbors about the same thing together."""
        found = (entry for _, entry in reversed(self.days) if entry and entry.status in ("critical", "warning"))
        return tuple(tuple(group) for _, group in groupby(found, key=lambda entry: entry.headline.partition(_MORE)[0]))

    def count(self, status: str) -> int:
        """How many nights of the month have this status."""
        return sum(entry is not None and entry.status == status for _, entry in self.days)


def headline_of(title: str, others: int) -> str:
    """What a night was about: its first incident, and how many more there were."""
    return f"{title}{_MORE}{others} more)" if others else title


def marks(status: str, headline: str) -> Markup:
    """What the head of a page has for the index."""
    return Markup('<meta name="genchi-status" content="{}">\n<meta name="genchi-headline" content="{}">').format(
        status, headline
    )


def write_index(config: Config) -> Path:
    """Write `<reports>/index.html` of all nights with a page or with calls.

    Works without a warehouse, and with one that cannot be read, which the page of the night tells.
    """
    try:
        known = _of_marts(config)
    except RunError as error:
        logger.warning("report: the index has only days with a page: %s", in_one_line(error))
        known = {}
    entries = known | _of_pages(config.reports)
    page = environment().get_template("nights.html").render(app=config.app, months=_months(entries))
    replace_text(config.reports / NAME, page)
    return config.reports / NAME


def _of_pages(reports: Path) -> dict[date, NightEntry]:
    """What the pages that exist say of their nights."""
    found = {}
    for page in sorted(reports.glob(f"*/{NAME}")):
        if _DAY.fullmatch(page.parent.name) and (day := _date(page.parent.name)):
            with page.open(encoding="utf-8", errors="replace") as file:
                told = {name: unescape(text) for name, text in _TOLD.findall(file.read(_HEAD))}
            status = told.get("status", "unknown")
            known = status if status in _STATUSES else "unknown"
            found[day] = NightEntry(day, known, told.get("headline", ""), f"{day}/{NAME}")
    return found


def _of_marts(config: Config) -> dict[date, NightEntry]:
    """What the marts know of their days; nothing where there are none, or of a mart that is not there."""
    marts = open_marts(config)
    tables = set(marts.columns())

    def rows(table: str, sql: str) -> list[dict[str, Any]]:
        return marts.query(sql) if table in tables else []

    days = {row["day"]: ("unknown", "Nothing to compare with yet") for row in rows("fct_usage_daily", _LOGGED)}
    if "fct_incidents" in tables:
        days |= {row["day"]: ("healthy", "No incident") for row in rows("fct_feature_skew_daily", _COMPARED)}
    days |= {
        row["day"]: (row["severity"], headline_of(row["title"], row["n"] - 1))
        for row in rows("fct_incidents", _INCIDENTS)
    }
    return {day: NightEntry(day, *told) for day, told in days.items()}


def _months(entries: Mapping[date, NightEntry]) -> tuple[Month, ...]:
    """The months that have a night, the newest first."""
    firsts = sorted({day.replace(day=1) for day in entries}, reverse=True)
    return tuple(
        Month(first, first.weekday(), tuple((day, entries.get(day)) for day in _days(first))) for first in firsts
    )


def _days(first: date) -> Iterator[date]:
    day = first
    while day.month == first.month:
        yield day
        day += timedelta(days=1)


def _date(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
