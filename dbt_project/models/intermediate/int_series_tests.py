"""Every series of a day held against its own past. The mathematics is genchi's, and so is the Python that runs dbt."""

import asyncio
import os
from datetime import date, timedelta

from flows.stats.volume import DAYS_BEFORE
from flows.transform.series import judge_days


def model(dbt, session):
    """A row for each series of the days that are asked for (the environment names them, as for `macros/days.sql`)."""
    dbt.config(materialized="incremental", incremental_strategy="replace_days", on_schema_change="sync_all_columns")
    asyncio.get_event_loop().close()  # dbt-duckdb opens one in its thread for models that want it, and leaves it open
    first, last = (date.fromisoformat(os.environ.get(f"GENCHI_{name}_DAY", "1970-01-02")) for name in ("FIRST", "LAST"))
    window_days = dbt.config.get("window_days")
    start = first - timedelta(days=window_days)
    days = f"day between date '{start}' and date '{last}'"
    kinds = dict(dbt.ref("features").project("feature, kind").fetchall())
    sums = dbt.ref("int_series_daily").filter(f"dimension = '*' and {days}").order("route, side, feature, day")
    of_all = f"origin = 'production' and model_served = '*' and prompt_version = '*' and {days}"
    bins = dbt.ref("int_feature_histograms_daily").filter(of_all).order("route, side, feature, bin, day")
    calls = (
        dbt.ref("int_call_counts_daily")
        .filter(f"day between date '{start - timedelta(days=DAYS_BEFORE)}' and date '{last}'")
        .order("route, day")
    )
    rows = (rows_of(relation) for relation in (sums, bins, calls))
    return judge_days(*rows, kinds=kinds, days=(first, last), window_days=window_days)


def rows_of(relation):
    """The rows of a relation as dicts."""
    return relation.to_arrow_table().to_pylist()
