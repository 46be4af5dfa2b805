"""Removal of old rows from the lake: `retention` of genchi.yaml, applied after a night's marts were built.

Old rows of the warehouse are removed by `flows/transform/expiry.py`.

The marts keep their numbers: a day whose rows were removed keeps an empty file that marks it (`expired`), and no build
rebuilds its marts, because their rows are gone. Rows that arrive for it later are removed by the next night, uncounted.

Consequences beyond the rows: without `manifest`, files of a source whose path has no {day} are read again if they still
exist; without `completions` or `judgements`, requests that are sent again are paid for again; without the tables from
which marts are computed (`interactions`, `examples`, `completions`, `scores`, `feedback`, `annotations`, and those
derived from them) the marts of the day are final. Pages in `reports` and the logs are kept.

Five marts are rebuilt as a whole from the lake and have only the days that it has: fct_review_daily and
fct_reviewers_daily (`review_queue`, `annotations`), fct_criteria_drift (`criteria`, `annotations`),
fct_pin_integrity_daily (`canaries`) and fct_night_runs (`night_runs`).
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from flows.config import WAREHOUSE_CALLS, WAREHOUSE_DAYS, Config
from flows.errors import RunError
from flows.lake import LATE_DAYS, SCHEMAS, Lake
from flows.words import counted

EXPIRED = "expired"
COUNTED = (
    *("interactions", "examples", "scores", "estimates", "comparisons"),
    *("completions", "canaries", "anchor_tests", "model_variants", "shadow_samples"),
    *("topics", "topic_catalog", "topic_tests", "topic_pasts"),
    *("feedback", "annotations", "criteria", "review_strata", "holdout_joins"),
)
"""The tables from which the kept marts of a day are computed."""
OF_CALLS = (
    *("intermediate.int_text_features", "intermediate.int_text_words", "intermediate.int_text_fields"),
    *("intermediate.int_pair_features", "intermediate.int_call_signals", "intermediate.int_feedback_daily"),
    "marts.fct_text_samples",
)
"""The tables of the warehouse with a row, or more, for a call."""
_NIGHTS_TOGETHER = 7  # as in macros/days.sql


def calls_kept(config: Config) -> int | None:
    """How many days the warehouse's rows of calls are kept: what is configured, but at least what a night reads.

    None is forever. By default as little as that, if the lake keeps the calls long enough to compute the rest again for
    late records.
    """
    needed = config.window_days + _NIGHTS_TOGETHER + 1
    late = LATE_DAYS + needed
    in_lake = config.retention.get("interactions")
    least = needed if in_lake is None or in_lake >= late else late
    if WAREHOUSE_CALLS not in config.retention:
        return least
    given = config.retention[WAREHOUSE_CALLS]
    return None if given is None else max(given, least)


def numbers_kept(config: Config) -> int | None:
    """How many days the warehouse's numbers of days are kept; None is forever."""
    kept = config.retention.get(WAREHOUSE_DAYS)
    return None if kept is None else max(kept, calls_kept(config) or 0)


@dataclass(frozen=True)
class FirstKept:
    """The first day that the warehouse keeps on a night, of rows of calls and of numbers; None keeps all."""

    calls: date | None
    numbers: date | None

    def of(self, table: str) -> date | None:
        """That of one table, named with its schema."""
        return self.calls if table in OF_CALLS else self.numbers


def first_kept(config: Config, night: date) -> FirstKept:
    """What is kept on the `night` of a day."""
    calls, numbers = calls_kept(config), numbers_kept(config)
    return FirstKept(
        None if calls is None else night - timedelta(days=calls),
        None if numbers is None else night - timedelta(days=numbers),
    )


@dataclass(frozen=True)
class Removed:
    """The days that were removed, by table."""

    days: dict[str, int]

    def summary(self) -> str:
        """The counts in words, for a line."""
        if not self.days:
            return "nothing is older than `retention` allows"
        return ", ".join(f"{counted(count, 'day')} of {table}" for table, count in self.days.items())


def apply(config: Config, today: date, night: date | None = None) -> Removed:
    """Remove from the lake what is more days old than `retention` says, counted back from `today`.

    Days from that of the `night` on stay, because the night still reads them. Any number of times, with the same
    result. A kill in between leaves days that the next run removes.
    """
    lake, removed = config.open_lake(), Counter[str]()
    # What tells of which calls there are goes with them.
    retention = {"call_records": config.retention.get("interactions"), **config.retention}
    for table, kept in retention.items():
        for day in lake.days(table) if kept is not None and table in SCHEMAS else ():
            if day < min(today - timedelta(days=kept or 0), night or date.max):
                removed[table] += _remove(lake, table, day)
    return Removed(dict(+removed))


def _remove(lake: Lake, table: str, day: date) -> bool:
    """Take a day's rows away, and say whether there were any. The mark comes first: a kill must not hide the loss."""
    with lake.lock("retention"):
        files = [name for name in lake.names(table, day) if name != EXPIRED]
        if files:
            lake.write(table, day, SCHEMAS[table].empty_table(), EXPIRED)
            for file in files:
                lake.remove(table, day, file)
    return bool(files)


def first_rebuildable_day(config: Config, first: date, last: date) -> date:
    """The first day from `first` on after which none up to `last` has lost its rows: where a rebuild may begin.

    The day after `last` where that one has lost them.
    """
    lake = config.open_lake()
    final = [
        day
        for table in COUNTED
        for day in lake.days(table)
        if first <= day <= last and lake.exists(table, day, EXPIRED)
    ]
    return max(final) + timedelta(days=1) if final else first


def require_rebuildable(config: Config, first: date, last: date) -> date:
    """The first rebuildable day, as `first_rebuildable_day`. Raises RunError where there is none up to `last`."""
    found = first_rebuildable_day(config, first, last)
    if found > last:
        raise RunError(
            f"{last}: its rows were removed by `retention`, so its numbers are final and cannot be rebuilt;"
            " choose a later day"
        )
    return found


def first_to_rebuild(config: Config, touched: tuple[date, ...], first: date, last: date) -> date:
    """The first day to rebuild after `touched` days got rows, for a run of `first` to `last`.

    It is the earliest of them that is at most LATE_DAYS before `first`, or `first` itself, if retention has left its
    inputs. Rows that are older when they arrive are stored, but their marts are rebuilt by a backfill only.
    """
    late = [day for day in touched if first - timedelta(days=LATE_DAYS) <= day <= first]
    return first_rebuildable_day(config, min([first, *late]), last)
