"""What a night's evaluation asks about: each evaluated route with its frozen examples and its criteria."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from flows.config import Config, Route
from flows.evaluate import arms, criteria
from flows.evaluate.arms import Arm
from flows.evaluate.criteria import Criterion
from flows.evaluate.holdout import Example, Holdout, labelled_in_file, read_holdout, read_labelled_dev_set
from flows.evaluate.schemas import load_schema
from flows.lake import Lake
from flows.stats.sample import rank

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Paper:
    """One route's questions, before they are asked. The pinned model's arm is the first."""

    name: str
    route: Route
    examples: Sequence[Example]
    criteria: Sequence[Criterion]
    arms: Sequence[Arm] = ()

    def example(self, example_id: str) -> Example | None:
        """The example of this id, or None where the frozen holdout has none."""
        place = self._places.get(example_id)
        return None if place is None else self.examples[place]

    @cached_property
    def _places(self) -> dict[str, int]:
        ids = self.examples.ids if isinstance(self.examples, Holdout) else [one.example_id for one in self.examples]
        return {example_id: place for place, example_id in enumerate(ids)}


def check_setup(config: Config) -> None:
    """Read all that an evaluation and the check of production answers rest on, so that what is wrong is said first.

    Raises ConfigError for a wrong criterion, schema or prompt, and for labels that do not suffice to learn from.
    """
    for route in config.routes.values():
        if route.criteria is not None:
            criteria.of_route(config, route)
        elif route.output_schema is not None:
            load_schema(route.output_schema)
    for name, route in config.evaluated_routes().items():
        found = arms.of_route(config, name)
        if _learn(found):
            assert route.holdout is not None
            labelled = labelled_in_file(config.dev_set, name) if config.dev_set else []
            arms.taught(found, name, labelled_in_file(route.holdout), labelled)


def read_papers(config: Config, day: date) -> list[Paper]:
    """The evaluated routes with their examples and criteria. Raises ConfigError."""
    lake = Lake.of(config)
    papers: list[Paper] = []
    if config.models is None:
        log.info("no models are configured: nothing to evaluate")
        return papers
    for name, route in config.evaluated_routes().items():
        assert route.criteria is not None
        holdout = read_holdout(lake, day, name)
        examples = sample(holdout, route.limit)
        if not examples:
            log.warning("route %s: no holdout was frozen on %s; its rates are unknown", name, day)
        papers.append(
            Paper(name, route, examples, criteria.of_route(config, route), arms_of(config, lake, day, name, holdout))
        )
    return papers


def arms_of(config: Config, lake: Lake, day: date, route: str, holdout: Sequence[Example]) -> Sequence[Arm]:
    """The arms of a route, with the examples of the dev set and the holdout that they need."""
    found = arms.of_route(config, route)
    if not holdout or not _learn(found):
        return found
    return arms.taught(found, route, holdout, read_labelled_dev_set(lake, day, route))


def _learn(found: Sequence[Arm]) -> bool:
    return any(arm.model.shots or arm.model.is_baseline for arm in found)


def sample(examples: Sequence[Example], limit: int | None) -> Sequence[Example]:
    """At most `limit` of the examples, by the rank of their id: the same ones every time, in the order given."""
    if limit is None or len(examples) <= limit:
        return examples
    by_rank = sorted(range(len(examples)), key=lambda place: rank(examples[place].example_id))
    return [examples[place] for place in sorted(by_rank[:limit])]
