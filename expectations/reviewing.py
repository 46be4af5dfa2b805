"""Whether people judge the queues: at most one row, where `review.rota` says who should.

A queue that nobody judged warns on the first night that finds it too old, and once a week while nobody judges any; on
other nights it is information: a reminder every night would be read by nobody.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import duckdb
import great_expectations as gx
import pandas as pd

from expectations import frames
from expectations.vocabulary import Words, none
from flows.config import Config, Severity, on_duty
from flows.errors import RunError
from flows.marts import open_marts
from flows.words import counted, shown_days

NAME = "review"
_NEED = "usefulness"
_WARNS, _LASTS = "queue_reviewed", "queue_reviewed_since"

_QUEUES = """
select day, cast(sum(reviewed) as bigint) as reviewed
from marts.fct_review_daily
where day between ? and ? and queued > 0
group by day
order by day desc
"""


def frame(config: Config, day: date) -> pd.DataFrame:
    """The queues that nobody judged in time, up to `day`: `begun` on a night that warns, else `lasting`."""
    missed = list(_missed(config, day))
    is_monday = (day + timedelta(days=1)).isoweekday() == 1
    is_told = is_monday or not _was_told(config, missed, day)
    name = on_duty(config.review.rota, day)
    queues = counted(len(missed), "queue")
    row = {
        "subject": "queue",
        "begun": len(missed) if is_told or not missed else None,
        "lasting": None if is_told or not missed else len(missed),
        "summary": f"nobody judged {queues} ({shown_days(sorted(missed))}); this week: {name}" if missed else "",
    }
    return frames.frame([row], list(row))


def suite(config: Config) -> gx.ExpectationSuite:
    """The expectations on the queues."""
    within = counted(config.review.within, "day")
    warns: Severity = "warning" if config.limits["warn_unreviewed"] else "info"
    expected = f"each queue is judged within {within}"
    return gx.ExpectationSuite(
        name=NAME,
        expectations=[
            none("begun", warns, Words(_WARNS, expected, "{summary}", passed="the queues are judged", need=_NEED)),
            none("lasting", "info", Words(_LASTS, expected, "{summary}", passed="none for longer", need=_NEED)),
        ],
    )


def _was_told(config: Config, missed: Sequence[date], day: date) -> bool:
    """Whether a night before `day` has warned since the oldest of these queues became too old.

    Not the number of queues says so: nights are skipped, and labels of an older queue leave several at once.
    """
    lake = config.open_lake()
    since = min(missed, default=day) + timedelta(days=config.review.within)
    for night in lake.days("expectation_results"):
        if since <= night < day:
            rows = lake.read("expectation_results", night, columns=["suite", "expectation", "success"]).to_pylist()
            if {"suite": NAME, "expectation": _WARNS, "success": False} in rows:
                return True
    return False


def _missed(config: Config, day: date) -> Iterator[date]:
    """The days of the newest queues that are old enough and that nobody judged, back to one that somebody did."""
    last = day - timedelta(days=config.review.within)
    marts = open_marts(config)
    try:
        found = marts.query(_QUEUES, [last - timedelta(days=config.window_days), last])
    except duckdb.CatalogException as error:
        raise RunError(f"{marts.place}: {str(error).splitlines()[0]}; `genchi transform` builds it") from None
    for row in found:
        if row["reviewed"]:
            return
        yield row["day"]
