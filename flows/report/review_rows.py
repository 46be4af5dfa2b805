"""What the page says of people's judgements: tonight's queue, whose week it is, and who judged the one before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flows.config import Config, on_duty
from flows.lake import Lake

MARTS = ("fct_review_daily", "fct_reviewers_daily")
Ask = Callable[[str, str, str, Sequence[object]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Reviewer:
    """How many answers of the queue before somebody judged; `seconds` is the median for one, on any route."""

    name: str
    is_simulated: bool
    reviewed: int
    seconds: float | None


@dataclass(frozen=True)
class ToReview:
    """The queue of the night, `queued` answers of which a second person judges `for_two`, and the queue before it.

    `on_duty` is None without a rota. `unread` are the queues that nobody judged, of those that are old enough.
    """

    queued: int
    for_two: int
    on_duty: str | None
    queued_before: int = 0
    reviewed_before: int = 0
    reviewers: tuple[Reviewer, ...] = ()
    missed: tuple[date, ...] = ()


def read_review(config: Config, lake: Lake, day: date, ask: Ask) -> ToReview | None:
    """The queue of `day`; None without one. `ask` is given a mart, its columns, a condition and its values."""
    is_second = lake.read("review_queue", day, columns=["is_second"])["is_second"].to_pylist()
    if not is_second:
        return None
    before = day - timedelta(days=1)
    days = ask("fct_review_daily", "day, queued, reviewed", "day between ? and ?", [_first(config, day), before])
    people = ask("fct_reviewers_daily", "*", "day = ? order by reviewed desc, annotator", [before])
    return ToReview(
        queued=len(is_second) - sum(map(bool, is_second)),
        for_two=sum(map(bool, is_second)),
        on_duty=on_duty(config.review.rota, day),
        queued_before=sum(row["queued"] for row in days if row["day"] == before),
        reviewed_before=sum(row["reviewed"] for row in days if row["day"] == before),
        reviewers=_together(people),
        missed=tuple(_missed(days, day - timedelta(days=config.review.within))),
    )


def _first(config: Config, day: date) -> date:
    return day - timedelta(days=config.window_days)


def _together(rows: Sequence[dict[str, Any]]) -> tuple[Reviewer, ...]:
    """The people over all routes, in the order of the rows."""
    names = dict.fromkeys(row["annotator"] for row in rows)
    return tuple(
        Reviewer(
            name or "somebody",
            any(row["annotator_kind"] == "simulated" for row in mine),
            sum(row["reviewed"] for row in mine),
            mine[0]["seconds_median_of_routes"],
        )
        for name in names
        if (mine := [row for row in rows if row["annotator"] == name])
    )


def _missed(rows: Sequence[dict[str, Any]], last: date) -> list[date]:
    """The queues up to `last` that nobody judged, since the last one that somebody did; oldest first."""
    reviewed = {day: sum(row["reviewed"] for row in rows if row["day"] == day) for day in {row["day"] for row in rows}}
    found: list[date] = []
    for day in sorted((day for day in reviewed if day <= last), reverse=True):
        if reviewed[day]:
            break
        found.insert(0, day)
    return found
