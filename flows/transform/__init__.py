"""The transform stage: the dictionary that dbt reads, the dbt build, and their flow.

Belongs here: running the project in `dbt_project`, the only writer of the warehouse. Does not belong here: SQL.
"""

from flows.transform.build import COMPARISON, EVALUATION, EVERYTHING, MONITORING, REVIEW, migrate
from flows.transform.dbt_command import run_command
from flows.transform.feature_expressions import checked_features
from flows.transform.language import languages_of
from flows.transform.workspace_package import check_package, has_package

__all__ = [
    "COMPARISON",
    "EVALUATION",
    "EVERYTHING",
    "MONITORING",
    "REVIEW",
    "check_package",
    "checked_features",
    "has_package",
    "languages_of",
    "migrate",
    "run_command",
]
