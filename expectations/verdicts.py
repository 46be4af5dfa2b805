"""The night's verdicts. One row per incident, and one row per candidate and evaluated route.

A null is not checked: `severity` belongs to incidents that go on, `over` to those that ended, `comparisons` to
candidates. That an incident is over is a passed expectation, so that the digest has it from the same table.
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
from flows.marts import open_marts

NAME = "verdicts"

_INCIDENTS = """
select
    incident_id as subject,
    case when state in ('open', 'ongoing') then severity end as severity,
    case when state in ('settled', 'recovered') then 1 end as over,
    title || '. ' || summary as summary,
    cast(
        json_merge_patch(
            coalesce(evidence_json, '{}'),
            json_object(
                'state', state, 'severity', severity, 'title', title, 'need', need, 'cause_kind', cause_kind,
                'cause', cause,
                'routes', routes, 'n_breaches', n_breaches, 'nights', nights, 'first_seen', cast(first_seen as varchar)
            )
        )
        as varchar
    ) as evidence_json
from marts.fct_incidents
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
    """The incidents of `day`, and how many criteria each candidate was compared on. Raises RunError without marts."""
    rows = [*_rows(config, _INCIDENTS, day), *_candidates(config, day)]
    return frames.frame(rows, ["subject", "severity", "over", "summary", "evidence_json", "comparisons"])


def suite(_: Config) -> gx.ExpectationSuite:
    """The expectations on the night's verdicts."""
    return gx.ExpectationSuite(
        name=NAME,
        expectations=[
            never(
                "severity",
                "critical",
                "critical",
                Words("no_critical_incident", "no critical incident", "{summary}", passed="no critical incident"),
            ),
            never(
                "severity",
                "warning",
                "warning",
                Words(
                    "no_warning_incident",
                    "no warning",
                    "{summary}",
                    passed="no warning",
                ),
            ),
            some("over", "info", Words("incident_over", "an incident that is over is told once", "{summary}")),
            some(
                "comparisons",
                "warning",
                Words(
                    "candidates_compared",
                    "a verdict on the candidate",
                    "compared on {comparisons:.0f} criteria",
                    need="usefulness",
                ),
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
    marts = open_marts(config)
    try:
        return marts.query(sql, parameters)
    except duckdb.CatalogException as error:
        raise RunError(f"{marts.place}: {str(error).splitlines()[0]}; `genchi transform` builds the marts") from None
