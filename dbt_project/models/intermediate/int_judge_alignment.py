"""How judges agree with people. The mathematics is `flows.stats`; here are columns and types."""

import asyncio
import os
from datetime import date, timedelta

import pyarrow as pa

from flows.stats.judge_alignment import MEASURES, judge_alignment
from flows.stats.label_history import LONGEST

SCHEMA = pa.schema(
    [
        ("day", pa.date32()),
        *((name, pa.string()) for name in ("route", "criterion", "criterion_version", "judge")),
        *((name, pa.int64()) for name in ("n_labels", "n_failures", "n_double")),
        ("is_weighted", pa.bool_()),
        *((name, pa.float64()) for name in MEASURES),
        *((name, pa.float64()) for name in ("corrected_failure_rate", "ci_low", "ci_high")),
        *((name, pa.string()) for name in ("reason", "alignment_reason", "people_reason")),
    ]
)


def model(dbt, session):
    """A row for each day that is asked for (as for `macros/days.sql`), route, criterion, version and judge."""
    dbt.config(materialized="incremental", incremental_strategy="replace_days", on_schema_change="sync_all_columns")
    asyncio.get_event_loop().close()  # dbt-duckdb opens one in its thread for models that want it, and leaves it open
    first, last = (date.fromisoformat(os.environ.get(f"GENCHI_{name}_DAY", "1970-01-02")) for name in ("FIRST", "LAST"))
    days = f"day between date '{first - timedelta(days=LONGEST - 1)}' and date '{last}'"
    labels = rows_of(dbt.ref("int_labels").filter(days))
    strata = rows_of(dbt.ref("int_review_strata").filter(days))
    return pa.Table.from_pylist(judge_alignment(labels, strata, days=(first, last)), schema=SCHEMA)


def rows_of(relation):
    """The rows of a relation as dicts."""
    return relation.to_arrow_table().to_pylist()
