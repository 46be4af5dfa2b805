"""The incidents of all days with their breaches. The rules are `flows.incidents`; here are tables."""

import asyncio

from flows.incidents import Given, incident_table


def model(dbt, session):
    """A row for each incident of a day, without a kind and a subject, and one for each of its breaches."""
    dbt.config(materialized="table")
    asyncio.get_event_loop().close()  # dbt-duckdb opens one in its thread for models that want it, and leaves it open
    given = Given.read(
        breaches=rows_of(dbt.ref("int_breaches")),
        usage=rows_of(dbt.ref("fct_usage_daily").project("day, route, model_served, calls")),
        values=rows_of(dbt.ref("int_breach_values")),
        evaluated=rows_of(dbt.ref("fct_eval_scores").filter("run_id like 'nightly-%'").project("day").distinct()),
        canned=rows_of(dbt.ref("int_canned_outputs_daily")),
        failing=rows_of(dbt.ref("int_failed_calls_daily")),
        features=rows_of(dbt.ref("features")),
        users=rows_of(dbt.ref("int_users_daily").project("day, route, user_name, n")),
        window_days=dbt.config.get("window_days"),
        may_quote=dbt.config.get("evidence") == "texts",
    )
    return incident_table(given)


def rows_of(relation):
    """The rows of a relation as dicts."""
    return relation.to_arrow_table().to_pylist()
