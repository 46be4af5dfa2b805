"""The night's verdicts. One row per breach, and one row per candidate and evaluated route.

A null is not checked: `severity` belongs to breaches, `comparisons` to candidates.
"""

from datetime import date
from typing import Any

import duckdb
import great_expectations as gx
import pandas as pd

from expectations import frames
from expectations.vocabulary import Words, never, some
from flows.config import Config
from flows.errors import RunError
from flows.lake import nightly_run_id
from flows.warehouse import query

NAME = "verdicts"

_BREACHES = """
select
    kind || ':' || subject as subject,
    severity,
    summary,
    cast(
        json_merge_patch(evidence_json, json_object('nights', nights, 'first_seen', cast(first_seen as varchar)))
        as varchar
    ) as evidence_json
from marts.fct_breaches
where day = ?
order by 1
"""

_COMPARISONS = """
select route, candidate, count(*) filter (n_examples > 0) as comparisons
from marts.fct_model_comparisons
where day = ? and run_id = ?
group by route, candidate
"""


def frame(config: Config, day: date) -> pd.DataFrame:
    """The breaches of `day`, and how many criteria each candidate was compared on. Raises RunError without marts."""
    rows = [*_rows(config, _BREACHES, day), *_candidates(config, day)]
    return frames.frame(rows, ["subject", "severity", "summary", "evidence_json", "comparisons"])


def suite(_: Config) -> gx.ExpectationSuite:
    """The expectations on the night's verdicts."""
    return gx.ExpectationSuite(
        name=NAME,
        expectations=[
            never(
                "severity",
                "critical",
                "critical",
                Words("no_critical_breach", "no critical breach", "{summary}", passed="no critical breach"),
            ),
            never(
                "severity",
                "warning",
                "warning",
                Words(
                    "no_warning_breach",
                    "no warning",
                    "{summary}",
                    passed="no warning",
                ),
            ),
            some(
                "comparisons",
                "warning",
                Words("candidates_compared", "a verdict on the candidate", "compared on {comparisons:.0f} criteria"),
            ),
        ],
    )


def _candidates(config: Config, day: date) -> list[dict[str, Any]]:
    """How many comparisons with evidence each configured candidate has on each evaluated route, none included."""
    expected = [(route, model.name) for route in config.evaluated_routes() for model in config.models_on(route)[1:]]
    if not expected:
        return []
    rows = _rows(config, _COMPARISONS, day, nightly_run_id(day))
    found = {(row["route"], row["candidate"]): row["comparisons"] for row in rows}
    return [
        {"subject": f"{route}/{candidate}", "comparisons": found.get((route, candidate), 0)}
        for route, candidate in expected
    ]


def _rows(config: Config, sql: str, *parameters: object) -> list[dict[str, Any]]:
    try:
        return query(config.warehouse, sql, parameters)
    except duckdb.CatalogException as error:
        raise RunError(
            f"{config.warehouse}: {str(error).splitlines()[0]}; `genchi transform` builds the marts"
        ) from None
