"""What a night's evaluation asks about: each evaluated route with its frozen examples and its criteria."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from flows.config import Config, Route
from flows.evaluate.criteria import Criterion, criteria_of_route, load_schema
from flows.evaluate.examples import Example, Holdout, labelled_in_file, read_holdout, read_labelled_dev_set
from flows.evaluate.setup import variants
from flows.evaluate.setup.variants import Variant
from flows.lake import Lake
from flows.stats.sample import rank

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvalTask:
    """One route's questions, before they are asked. The pinned model's arm is the first."""

    name: str
    route: Route
    examples: Sequence[Example]
    criteria: Sequence[Criterion]
    arms: Sequence[Variant] = ()

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
            criteria_of_route(config, route)
        elif route.output_schema is not None:
            load_schema(route.output_schema)
    for name, route in config.evaluated_routes().items():
        found = variants.variants_of_route(config, name)
        if _learn(found):
            assert route.holdout is not None
            labelled = labelled_in_file(config.dev_set, name) if config.dev_set else []
            variants.with_training_data(found, name, labelled_in_file(route.holdout), labelled)


def read_tasks(config: Config, day: date) -> list[EvalTask]:
    """The evaluated routes with their examples and criteria. Raises ConfigError."""
    lake = config.open_lake()
    papers: list[EvalTask] = []
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
            EvalTask(
                name, route, examples, criteria_of_route(config, route), task_variants(config, lake, day, name, holdout)
            )
        )
    return papers


def task_variants(config: Config, lake: Lake, day: date, route: str, holdout: Sequence[Example]) -> Sequence[Variant]:
    """The arms of a route, with the examples of the dev set and the holdout that they need."""
    found = variants.variants_of_route(config, route)
    if not holdout or not _learn(found):
        return found
    return variants.with_training_data(found, route, holdout, read_labelled_dev_set(lake, day, route))


def _learn(found: Sequence[Variant]) -> bool:
    return any(arm.model.shots or arm.model.is_baseline for arm in found)


def sample(examples: Sequence[Example], limit: int | None) -> Sequence[Example]:
    """At most `limit` of the examples, by the rank of their id: the same ones every time, in the order given."""
    if limit is None or len(examples) <= limit:
        return examples
    by_rank = sorted(range(len(examples)), key=lambda place: rank(examples[place].example_id))
    return [examples[place] for place in sorted(by_rank[:limit])]
