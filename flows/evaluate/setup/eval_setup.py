"""All files that an evaluation needs, read once: criteria, schemas, prompts, and the workspace's Python checks.

A night reads them before its first stage and passes them on. An edit during a night takes effect the next night.
"""

from collections.abc import Iterator, Mapping, Sequence

from flows.config import Config
from flows.evaluate.criteria import Criterion, Judge, Schema, criteria_by_route, load_or_report
from flows.evaluate.examples import labelled_in_file
from flows.evaluate.setup import variants
from flows.evaluate.setup.variants import Variant


class EvalSetup:
    """The configuration with the criteria of every route, the output schemas, and the variants of evaluated routes.

    Mappings are by the route's name. Prefect looks into the fields of dataclasses and models, stores those of a flow's
    parameters in its database, and there are API keys in these: hence a plain class, whose fields Prefect cannot list.
    """

    __slots__ = ("config", "criteria", "output_schemas", "variants")

    def __init__(
        self,
        config: Config,
        criteria: Mapping[str, Sequence[Criterion]],
        output_schemas: Mapping[str, Schema],
        variants: Mapping[str, Sequence[Variant]],
    ) -> None:
        self.config = config
        self.criteria = criteria
        self.output_schemas = output_schemas
        self.variants = variants

    def questions(self) -> Iterator[tuple[str, str, str, str, str]]:
        """The criteria that a judge decides answer by answer: route, name, version, the question, and the judge."""
        for route, criteria in self.criteria.items():
            for one in criteria:
                if isinstance(one.definition, Judge) and one.judge and not one.is_pairwise:
                    passes = "" if one.definition.pass_if in (None, "yes") else " (no passes)"
                    yield route, one.name, one.version, f"{one.definition.question}{passes}", one.judge.name

    def require_evaluation(self, *, candidates: bool = False) -> None:
        """Raise ConfigError as `Config.require_evaluation` does."""
        self.config.require_evaluation(candidates=candidates)


def load_setup(config: Config) -> EvalSetup:
    """Read all files that the evaluation and the scoring of production need. Each file of Python checks runs once.

    Raises ConfigError for a wrong criterion, schema or prompt, and for too few labels in the files of the test sets.
    """
    setup = read_setup(config)
    for name, route in config.evaluated_routes().items():
        if variants.need_labels(setup.variants[name]):
            assert route.holdout is not None
            labelled = labelled_in_file(config.dev_set, name) if config.dev_set else []
            variants.with_training_data(setup.variants[name], name, labelled_in_file(route.holdout), labelled)
    return setup


def read_setup(config: Config) -> EvalSetup:
    """As `load_setup`, without reading the files of the test sets: for test sets that are frozen already."""
    return EvalSetup(
        config,
        criteria_by_route(config),
        {
            name: load_or_report(route.output_schema, f"{config.path}: routes.{name}.output_schema")
            for name, route in config.routes.items()
            if route.output_schema
        },
        {name: variants.variants_of_route(config, name) for name in config.evaluated_routes()},
    )
