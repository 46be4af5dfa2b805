"""dbt in the night: the dictionary that it reads, the build, and the flow around them.

Belongs here: running the project of `dbt_project`. Does not belong here: SQL; nothing else writes the warehouse.
"""

from flows.transform.build import COMPARISON, EVALUATION, EVERYTHING, MONITORING, migrate
from flows.transform.dbt_command import run_command

__all__ = ["COMPARISON", "EVALUATION", "EVERYTHING", "MONITORING", "migrate", "run_command"]
