"""The nights before a night that did not run, because the machine was off or nothing started genchi: they run first."""

from collections.abc import Callable
from datetime import date, timedelta

import duckdb

from flows import progress
from flows.config import Config
from flows.errors import RunError
from flows.evaluate import EvalSetup
from flows.lake import Lake, each_day, nightly_run_id
from flows.marts import built_marts
from flows.night import Night, NightFailedError
from flows.night_runs import TABLE, NightRuns

_LAST_STAGE = "alert"
_BUILT = "select distinct day from marts.fct_usage_daily where day between ? and ?"

Stages = Callable[[EvalSetup, Night, EvalSetup], None]


def run_missed(setup: EvalSetup, night: Night, stages: Stages, tell: Callable[[Config, Night], None]) -> None:
    """Run the missed nights before `night`, oldest first, and note them in it. The caller is a run.

    `stages` runs all stages of a night: with a setup that evaluates nothing, because the models under test are not what
    they were on that day, and with the whole one, for the answers of production. `tell` sends the digest of a night
    that could not. A night without calls is passed over: the application was not used, or its logs are gone.
    """
    config = setup.config
    without_models = config.model_copy(update={"models": None})
    reduced = EvalSetup(without_models, setup.criteria, setup.output_schemas, setup.variants)
    for day in missed_nights(config, night.day):
        progress.tell(f"the night of {day} did not run: it runs now, before that of {night.day}")
        past = Night(day, runs=NightRuns(config, day))
        stages(reduced, past, setup)
        if past.page is None:
            if past.failures:  # tonight tells them, and the next night tries again
                night.record(f"night of {day}", NightFailedError(past))
            else:
                progress.tell(f"the night of {day}: there are no calls of that day")
            continue
        if not past.is_told:
            tell(config, past)
        night.caught_up.append(day)
        if past.failures:  # also that it could not be told
            night.record(f"night of {day}", NightFailedError(past))


def missed_nights(config: Config, day: date) -> list[date]:
    """The days before `day`, at most `catch_up` of them, without a night, oldest first.

    A night that ran has stored what it checked. A night that was killed has not, and has recorded stages, but not its
    last. A day that was built without a night is done, too: a backfill built it. Days before the first night of all are
    none of ours: a first night catches nothing up. Nor is a day whose logs were read and have no calls.
    """
    lake, last = config.open_lake(), day - timedelta(days=1)
    earliest = day - timedelta(days=config.catch_up)
    ran = {found for found in lake.days("expectation_results") if found < day}
    recorded = [found for found in lake.days(TABLE) if earliest <= found < day]
    begun = {found for found in recorded if lake.exists(TABLE, found, nightly_run_id(found))}
    if not ran | begun:
        return []
    first = max(min(ran | begun), earliest)
    missed = [found for found in each_day(first, last) if found not in ran and not _is_empty(lake, found)]
    built = _built(config, first, last) if missed else set()
    return [found for found in missed if found not in built or (found in begun and not _is_told(lake, found))]


def _is_empty(lake: Lake, day: date) -> bool:
    """Whether a night has read the logs of `day` and found no call; what arrives later is read by later nights."""
    return _states(lake, day).get("ingest") == "ok" and not lake.exists("interactions", day)


def _is_told(lake: Lake, day: date) -> bool:
    """Whether the night of `day` got as far as its last stage: then its digest has told what failed, as the checks."""
    return _LAST_STAGE in _states(lake, day)


def _states(lake: Lake, day: date) -> dict[str, str]:
    """How the stages of a night ended, as far as they have; none where that cannot be read, which the night tells."""
    try:
        rows = lake.read(TABLE, day, nightly_run_id(day), columns=["stage", "state"]).to_pylist()
    except RunError:
        return {}
    return {row["stage"]: row["state"] for row in rows}


def _built(config: Config, first: date, last: date) -> set[date]:
    """The days whose marts are there; none where there is no warehouse that can be read."""
    try:
        return {row["day"] for row in built_marts(config).query(_BUILT, [first, last])}
    except (RunError, duckdb.Error):
        return set()
