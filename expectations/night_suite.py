"""The night itself: it takes as long as usual, and its stages leave as many rows. One row per stage, one for all.

Belongs here: a comparison with the nights before. A night that is run again counts as it ran last. Stages that follow
the checks are not known yet, and are left out of the nights before, too. Rows are compared only of the stages that logs
and test sets feed: how many rows `labels` or `rates` leave depends on how much people review.
"""

from datetime import date, timedelta

import great_expectations as gx
import pandas as pd
import pyarrow as pa

from expectations import frames
from expectations.vocabulary import Words, at_least, most_times
from flows.config import Config
from flows.lake import each_day, nightly_run_id

NAME = "nights"

_LEAST_NIGHTS = 7  # before which nothing is usual
_LEAST_DELAY_S = 60  # a difference that is no news, whatever its ratio

# `rows` are compared with the fewest of the nights before, among which are weekends.
_SQL = """
with known as (
    select cast(regexp_extract(run, 'nightly-(.+)', 1) as date) as day, stage, seconds, rows
    from night_runs
    where state = 'ok'
),

tonight as (
    select stage, seconds, rows from known where day = (select day from asked)
),

nights as (
    select known.day, sum(known.seconds) as seconds
    from known
    semi join tonight using (stage)
    group by known.day
    having count(*) = (select count(*) from tonight)
),

times as (
    select
        'the night' as subject,
        (select sum(seconds) from tonight) as seconds,
        median(seconds) as usual_seconds,
        count(*) as n,
        (select arg_max(stage, seconds) from tonight) as slowest,
        (select max(seconds) from tonight) as slowest_seconds
    from nights
    where day < (select day from asked)
),

leavings as (
    select tonight.stage as subject, tonight.rows, min(known.rows) as fewest, count(known.day) as n
    from tonight
    inner join known on known.stage = tonight.stage and known.day < (select day from asked)
    where tonight.stage in ('ingest', 'semantics', 'production', 'evaluate')
    group by tonight.stage, tonight.rows
)

select
    subject,
    case
        when seconds - usual_seconds < (select least_delay_s from asked) then least(seconds / usual_seconds, 1.0)
        else seconds / usual_seconds
    end as slowdown,
    null as rows_share,
    seconds / 60 as minutes,
    usual_seconds / 60 as usual_minutes,
    slowest,
    slowest_seconds / 60 as slowest_minutes,
    null as rows,
    null as fewest
from times
where n >= (select least_nights from asked) and usual_seconds > 0
union all
select subject, null, rows / fewest, null, null, null, null, rows, fewest
from leavings
where n >= (select least_nights from asked) and fewest > 0
order by subject
"""


def frame(config: Config, day: date) -> pd.DataFrame:
    """This night's time and the rows of its stages, beside those of the window; no rows before there are enough."""
    lake = config.open_lake()
    days = each_day(day - timedelta(days=config.window_days), day)
    files = [path for one in days for path in frames.of_run(lake, one, nightly_run_id(one), "night_runs")["night_runs"]]
    asked = pa.table({"day": [day], "least_nights": [_LEAST_NIGHTS], "least_delay_s": [_LEAST_DELAY_S]})
    return frames.select(lake, {"night_runs": files}, _SQL, asked=asked)


def suite(config: Config) -> gx.ExpectationSuite:
    """The expectations on the night."""
    limits = config.limits
    return gx.ExpectationSuite(
        name=NAME,
        expectations=[
            most_times(
                "slowdown",
                limits["max_night_slowdown"],
                "warning",
                Words(
                    "night_as_fast_as_usual",
                    "at most {limit} times the usual time of its stages",
                    "{minutes:,.1f} min until the checks, usually {usual_minutes:,.1f}; the longest stage is {slowest}"
                    " ({slowest_minutes:,.1f} min)",
                    need="scalability",
                ),
            ),
            at_least(
                "rows_share",
                limits["min_night_rows_share"],
                "warning",
                Words(
                    "night_leaves_its_rows",
                    "at least {limit} of the fewest rows of the nights before",
                    "{rows:,.0f} rows, at least {fewest:,.0f} in each of the nights before",
                ),
            ),
        ],
    )
