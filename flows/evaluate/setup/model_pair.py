"""Two models on one route, for `genchi compare`: the configuration restricted to them."""

from dataclasses import dataclass
from datetime import date

from flows.config import BASELINE, Config, Models, ModelVariant, did_you_mean
from flows.errors import ConfigError
from flows.evaluate.criteria import hash_of


@dataclass(frozen=True)
class ModelPair:
    """The two models and the route of a comparison. A model is a configured name or a litellm string.

    `repeats` and `limit` override those of the route.
    """

    pinned: str
    candidate: str
    route: str
    repeats: int | None = None
    limit: int | None = None

    def narrowed(self, config: Config) -> Config:
        """`config` restricted to these two models and this route.

        Raises ConfigError, with the nearest known name, for an unknown model, for a route that is not evaluated, and if
        both models are the same.
        """
        if self.route not in (known := config.evaluated_routes()):
            hint = did_you_mean(self.route, known)
            raise ConfigError(f"--route {self.route}: not a route of {config.path} with a holdout and criteria; {hint}")
        if self.pinned == self.candidate:
            raise ConfigError(f"--candidate {self.candidate}: is the pinned model; choose another model")
        models = Models(
            pinned=_find(config, "--pinned", self.pinned),
            candidates=(_find(config, "--candidate", self.candidate),),
            judge=config.models.judge if config.models else None,
        )
        route = known[self.route]
        overrides = {"repeats": self.repeats or route.repeats, "limit": self.limit or route.limit}
        return config.model_copy(update={"models": models, "routes": {self.route: route.model_copy(update=overrides)}})

    def run_id(self, config: Config, day: date) -> str:
        """`compare-` and a hash of the day, the models, the route, its repeats and its limit."""
        narrowed = self.narrowed(config)
        route = narrowed.routes[self.route]
        overrides = [model.model_dump(mode="json", exclude={"api_key", "arm"}) for model in narrowed.all_models()]
        return f"compare-{hash_of(day.isoformat(), overrides, self.route, route.repeats, route.limit)}"


def _find(config: Config, option: str, name: str) -> ModelVariant:
    from flows.llm import is_local  # noqa: PLC0415 - imported late: most commands compare nothing

    known = {model.name: model for model in config.all_models()}
    if name in known:
        return known[name].model_copy(update={"routes": ()})
    if name.startswith(BASELINE) or is_local(name) or _is_known_to_litellm(name):
        return ModelVariant(model=name, base=name)
    hint = did_you_mean(name, known)
    raise ConfigError(f"{option} {name}: neither a model of {config.path} nor known to litellm; {hint}")


def _is_known_to_litellm(name: str) -> bool:
    """Whether litellm knows the model, or the provider named before its first slash."""
    from flows.llm import load_litellm  # noqa: PLC0415 - as above

    litellm = load_litellm()
    provider, slash, _ = name.partition("/")
    return name in litellm.model_cost or (bool(slash) and provider in litellm.provider_list)
