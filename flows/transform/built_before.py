"""What a build may leave out, because the warehouse has it already.

Seeds change with the project or its variables only. While nobody's labels and no evaluation are in the lake, the tables
that only these fill stay as empty as the first build left them. `meta.built_from` (macros/built_from.sql) says of
which project and variables all of the warehouse was built; a build with others is a whole one again.
"""

import hashlib
import json
from collections.abc import Mapping

import duckdb

from flows.config import Config
from flows.errors import RunError
from flows.project import DBT_PROJECT
from flows.warehouse import query

PROJECT, WHOLE = "GENCHI_PROJECT", "GENCHI_WHOLE"  # the environment variables that macros/built_from.sql reads
_SUFFIXES = {".sql", ".py", ".yml", ".csv"}
# The lake's tables that labels and evaluations fill, and the tables of the warehouse that stay empty without them.
LAKE_TABLES = (
    *("annotations", "anchor_tests", "canaries", "comparisons", "completions", "criteria", "estimates"),
    *("holdout_joins", "model_variants", "scores", "shadow_samples"),
)
TABLES = (
    *("intermediate.int_judge_alignment", "intermediate.int_labels"),
    *("marts.fct_criteria_drift", "marts.fct_eval_scores", "marts.fct_example_flips", "marts.fct_holdout_versions"),
    *("marts.fct_judge_alignment", "marts.fct_judge_anchors_daily", "marts.fct_model_comparisons"),
    *("marts.fct_model_frontier", "marts.fct_pin_integrity_daily", "marts.fct_production_scores_daily"),
    *("marts.fct_prompt_matrix", "marts.fct_request_failures", "marts.fct_reviewers_daily"),
    *("marts.fct_shadow_comparisons", "marts.fct_slice_comparisons"),
)
_IS_FILLED = " or ".join(f"exists (from {table})" for table in TABLES)
_STATE = f"select project, {_IS_FILLED} as is_filled from meta.built_from join meta.warehouse_version using (version)"


def project_of(variables: Mapping[str, object]) -> str:
    """A hash of the dbt project and of the variables that it is built with."""
    found = hashlib.sha256(json.dumps(variables, sort_keys=True).encode())
    for path in sorted(path for path in DBT_PROJECT.rglob("*") if path.suffix in _SUFFIXES):
        found.update(f"\0{path.relative_to(DBT_PROJECT)}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def has_traffic_alone(config: Config, project: str) -> bool:
    """Whether the warehouse was built of this `project`, and neither it nor the lake has labels or evaluations."""
    lake = config.open_lake()
    if not config.warehouse.exists() or any(lake.days(table) for table in LAKE_TABLES):
        return False
    try:
        found = query(config.warehouse, _STATE)
    except (duckdb.Error, RunError):  # a table that is not there yet, or a lock that the build waits for
        return False
    return found == [{"project": project, "is_filled": False}]
