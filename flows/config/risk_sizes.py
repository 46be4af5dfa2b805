"""What the risk of a route sets in Python: its thresholds, and how much a night asks and draws of it.

The values of each risk are rows of `dbt_project/seeds/thresholds.csv`. An entry of `thresholds` takes the place of the
risk's, and the key of its own section that of both.
"""

from typing import Literal

from flows.config.load import Config
from flows.config.threshold_table import Risk, thresholds

Size = Literal["canary_prompts", "review_samples", "shadow_samples"]


def risk_on(config: Config, route: str) -> Risk:
    """The risk of a route: its own, or else that of the workspace."""
    found = config.routes.get(route)
    return (found.risk if found else None) or config.risk


def limit_on(config: Config, route: str, name: str) -> float:
    """A threshold for a route: the workspace's own, or else that of the route's risk."""
    return (thresholds(risk_on(config, route)) | config.thresholds)[name]


def size_on(config: Config, route: str, name: Size) -> int:
    """The size for a route, by its risk: prompts of the canary, answers to review, calls to shadow."""
    return _size_at(config, risk_on(config, route), name)


def sizes_by_risk(config: Config, name: Size) -> dict[Risk, int]:
    """The size at the risk of the workspace, and at those that routes have of their own."""
    risks = [config.risk, *(route.risk for route in config.routes.values() if route.risk)]
    return {risk: _size_at(config, risk, name) for risk in risks}


def _size_at(config: Config, risk: Risk, name: Size) -> int:
    canary = config.models.canary.prompts if config.models else None
    given = {
        "canary_prompts": canary,
        "review_samples": config.review.samples_per_day,
        "shadow_samples": config.shadow.samples_per_day,
    }[name]
    return int((thresholds(risk) | config.thresholds)[name]) if given is None else given
