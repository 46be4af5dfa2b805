"""Two models on one route, as `genchi compare` puts them against each other: the night's configuration, narrowed."""

from dataclasses import dataclass
from datetime import date

from flows.config import BASELINE, Config, Models, ModelVariant, did_you_mean
from flows.errors import ConfigError
from flows.evaluate.criteria import hash_of
from flows.llm import is_local, load_litellm


@dataclass(frozen=True)
class ModelPair:
    """Who is compared, and where. A model is a name of the configuration's, or a litellm string.

    `repeats` and `limit` take the place of the route's own.
    """

    pinned: str
    candidate: str
    route: str
    repeats: int | None = None
    limit: int | None = None

    def narrowed(self, config: Config) -> Config:
        """`config` with these two models, and this route alone.

        Raises ConfigError, with the nearest name that is known, for an unknown model, for a route that is not
        evaluated, and for one model twice.
        """
        if self.route not in (known := config.evaluated_routes()):
            hint = did_you_mean(self.route, known)
            raise ConfigError(f"--route {self.route}: no route of {config.path} with holdout and criteria; {hint}")
        if self.pinned == self.candidate:
            raise ConfigError(f"--candidate {self.candidate}: is the pinned model itself; name another one")
        models = Models(
            pinned=_find(config, "--pinned", self.pinned),
            candidates=(_find(config, "--candidate", self.candidate),),
            judge=config.models.judge if config.models else None,
        )
        route = known[self.route]
        asked = {"repeats": self.repeats or route.repeats, "limit": self.limit or route.limit}
        return config.model_copy(update={"models": models, "routes": {self.route: route.model_copy(update=asked)}})

    def run_id(self, config: Config, day: date) -> str:
        """`compare-` and the hash of the day and of all that is asked."""
        narrowed = self.narrowed(config)
        route = narrowed.routes[self.route]
        asked = [model.model_dump(mode="json", exclude={"api_key"}) for model in narrowed.all_models()]
        return f"compare-{hash_of(day.isoformat(), asked, self.route, route.repeats, route.limit)}"


def _find(config: Config, option: str, name: str) -> ModelVariant:
    known = {model.name: model for model in config.all_models()}
    if name in known:
        return known[name].model_copy(update={"routes": ()})
    if name.startswith(BASELINE) or is_local(name) or _is_litellms(name):
        return ModelVariant(model=name, base=name)
    hint = did_you_mean(name, known)
    raise ConfigError(f"{option} {name}: no model of {config.path}, and none that litellm knows; {hint}")


def _is_litellms(name: str) -> bool:
    """Whether litellm knows the model, or the provider whose name stands before its first slash."""
    litellm = load_litellm()
    provider, slash, _ = name.partition("/")
    return name in litellm.model_cost or (bool(slash) and provider in litellm.provider_list)
