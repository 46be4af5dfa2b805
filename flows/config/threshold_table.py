"""The thresholds of the dbt project's seed, for what is decided before dbt has built anything."""

import csv
from functools import cache

from flows.project import DBT_PROJECT


@cache
def thresholds(risk: str) -> dict[str, float]:
    """Every threshold of a risk, by its name."""
    with (DBT_PROJECT / "seeds" / "thresholds.csv").open(encoding="utf-8", newline="") as seed:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(seed) if row["risk"] == risk}
