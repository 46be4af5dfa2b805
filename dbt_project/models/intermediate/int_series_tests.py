"""Every series of a day tested against its own past. The mathematics is `flows.stats`; here are columns and types."""

import asyncio
import os
from datetime import date, timedelta

import pyarrow as pa
from threadpoolctl import threadpool_limits

from flows.stats.series import days_before, series_tests
from flows.stats.volume import DAYS_BEFORE

SCHEMA = pa.schema(
    [
        ("day", pa.date32()),
        *((name, pa.string()) for name in ("route", "side", "feature", "basis")),
        *((name, pa.int64()) for name in ("n", "n_days", "window_nights")),
        *((name, pa.float64()) for name in ("observed", "expected", "effect", "standard_error")),
        *((name, pa.float64()) for name in ("degrees_of_freedom", "p_value", "n_effective")),
        ("moved", pa.list_(pa.string())),
    ]
)


def model(dbt, session):
    """A row for each series of the days that are asked for (the environment names them, as for `macros/days.sql`)."""
    dbt.config(materialized="incremental", incremental_strategy="replace_days", on_schema_change="sync_all_columns")
    asyncio.get_event_loop().close()  # dbt-duckdb opens one in its thread for models that want it, and leaves it open
    first, last = (date.fromisoformat(os.environ.get(f"GENCHI_{name}_DAY", "1970-01-02")) for name in ("FIRST", "LAST"))
    window_days = dbt.config.get("window_days")
    start = first - timedelta(days=days_before(window_days))
    days = f"day between date '{start}' and date '{last}'"
    kinds = dict(dbt.ref("features").project("feature, kind").fetchall())
    sums = dbt.ref("int_series_daily").filter(f"dimension = '*' and {days}").order("route, side, feature, day")
    versions = dbt.ref("int_series_daily").filter(f"dimension = 'criterion_version' and {days}")
    of_all = f"origin = 'production' and model_served = '*' and prompt_version = '*' and {days}"
    bins = dbt.ref("int_feature_histograms_daily").filter(of_all).order("route, side, feature, bin, day")
    calls = (
        dbt.ref("int_call_counts_daily")
        .filter(f"day between date '{start - timedelta(days=DAYS_BEFORE)}' and date '{last}'")
        .order("route, day")
    )
    rows = (rows_of(relation) for relation in (sums, bins, calls))
    most_members = dbt.config.get("most_members")
    with threadpool_limits(1):  # small matrices: more threads take more CPU, and no less time
        tests = series_tests(
            *rows,
            kinds=kinds,
            days=(first, last),
            window_days=window_days,
            most_members=dict(most_members),
            versions=rows_of(versions),
        )
    return pa.Table.from_pylist(tests, schema=SCHEMA)


def rows_of(relation):
    """The rows of a relation as dicts."""
    return relation.to_arrow_table().to_pylist()
