"""The thresholds and sizes of the dbt project's seed, for what is decided before dbt has built anything."""

import csv
from functools import cache
from typing import Any, Literal, get_args

from flows.config.problems import did_you_mean
from flows.config.yamlfile import read_yaml
from flows.project import DBT_PROJECT

Risk = Literal["strict", "standard", "relaxed"]
_SEEDS = DBT_PROJECT / "seeds"


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
    with (_SEEDS / "thresholds.csv").open(encoding="utf-8", newline="") as seed:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(seed) if row["risk"] == risk}


def table_of_risks() -> str:
    """Every threshold and size at each risk, with what it means, as a table in Markdown."""
    (described,) = map(read_yaml, _SEEDS.glob("*.yml"))
    (meta,) = (seed["config"]["meta"] for seed in described["seeds"] if seed["name"] == "thresholds")
    risks = get_args(Risk)
    rows = [["name", *(f"`{risk}`" for risk in risks), "of", "meaning"], ["---"] * (len(risks) + 3)]
    for whose, words in (("of_a_route", "a route"), ("of_the_workspace", "the workspace")):
        for name, meaning in meta[whose].items():
            rows.append([f"`{name}`", *(f"{thresholds(risk)[name]:g}" for risk in risks), words, meaning])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_repeats(written: Any) -> Any:
    """A configuration as it is written, in which each route without `repeats` has those of its risk.

    What is wrong in it is left to its validation.
    """
    routes = written.get("routes") if isinstance(written, dict) else None
    if not isinstance(routes, dict):
        return written
    own = written.get("thresholds")
    given = own.get("repeats") if isinstance(own, dict) else None

    def filled(route: Any) -> Any:
        if not isinstance(route, dict) or "repeats" in route:
            return route
        repeats = given or thresholds(str(route.get("risk") or written.get("risk") or "standard")).get("repeats")
        return {**route, "repeats": repeats} if repeats else route

    return {**written, "routes": {name: filled(route) for name, route in routes.items()}}
