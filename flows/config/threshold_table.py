"""The thresholds of the dbt project's seed, for what is decided before dbt has built anything."""

import csv
from functools import cache

from flows.config.problems import did_you_mean
from flows.project import DBT_PROJECT


def known_thresholds(values: dict[str, float]) -> dict[str, float]:
    """The same values. Raises ValueError for a name that the seed does not have."""
    known = thresholds("standard")
    for name in values:
        if name not in known:
            raise ValueError(f"no threshold {name!r}; {did_you_mean(name, known)}")
    return values


@cache
def thresholds(risk: str) -> dict[str, float]:
    """Every threshold of a risk, by its name."""
    with (DBT_PROJECT / "seeds" / "thresholds.csv").open(encoding="utf-8", newline="") as seed:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(seed) if row["risk"] == risk}
