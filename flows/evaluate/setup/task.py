"""The tasks of an evaluation: each evaluated route with its frozen examples, its criteria and its model variants."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from flows.config import Route
from flows.evaluate.criteria import Criterion
from flows.evaluate.examples import Example, Holdout, read_holdout, read_labelled_dev_set
from flows.evaluate.setup import variants
from flows.evaluate.setup.eval_setup import EvalSetup
from flows.evaluate.setup.variants import Variant
from flows.lake import Lake
from flows.stats.sample import rank

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvalTask:
    """One evaluated route. The pinned model's variant is the first of `variants`."""

    name: str
    route: Route
    examples: Sequence[Example]
    criteria: Sequence[Criterion]
    variants: Sequence[Variant] = ()

    def example(self, example_id: str) -> Example | None:
        """The example with this id, or None if the frozen holdout has none."""
        place = self.places.get(example_id)
        return None if place is None else self.examples[place]

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each example in `examples` by its id, in their order."""
        ids = self.examples.ids if isinstance(self.examples, Holdout) else [one.example_id for one in self.examples]
        return {example_id: place for place, example_id in enumerate(ids)}


def read_tasks(setup: EvalSetup, day: date) -> list[EvalTask]:
    """The evaluated routes with their criteria and the examples that were frozen on `day`. Raises ConfigError."""
    config, lake = setup.config, setup.config.open_lake()
    tasks: list[EvalTask] = []
    if config.models is None:
        log.info("no models are configured: nothing to evaluate")
        return tasks
    for name in config.evaluated_routes():
        task = read_task(setup, lake, day, name)
        if not task.examples:
            log.warning("route %s: no holdout was frozen on %s; its pass rates are unknown", name, day)
        tasks.append(task)
    return tasks


def read_task(setup: EvalSetup, lake: Lake, day: date, name: str) -> EvalTask:
    """One evaluated route with the examples that were frozen on `day`. Raises ConfigError."""
    route, holdout = setup.config.routes[name], read_holdout(lake, day, name)
    examples, found = sample(holdout, route.limit), task_variants(setup, lake, day, name, holdout)
    return EvalTask(name, route, examples, setup.criteria[name], found)


def task_variants(setup: EvalSetup, lake: Lake, day: date, route: str, holdout: Sequence[Example]) -> Sequence[Variant]:
    """The variants of a route, with the few-shot examples and training data that they need. Raises ConfigError."""
    found = setup.variants[route]
    if not holdout or not variants.need_labels(found):
        return found
    return variants.with_training_data(found, route, holdout, read_labelled_dev_set(lake, day, route))


def sample(examples: Sequence[Example], limit: int | None) -> Sequence[Example]:
    """At most `limit` of the examples, chosen by the rank of their id (deterministic), in the order given."""
    if limit is None or len(examples) <= limit:
        return examples
    by_rank = sorted(range(len(examples)), key=lambda place: rank(examples[place].example_id))
    return [examples[place] for place in sorted(by_rank[:limit])]
