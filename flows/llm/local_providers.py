"""Providers that run in this process: litellm custom providers that installed packages register."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from flows.llm.litellm_setup import load_litellm

_PROVIDERS = "genchi.providers"


def _local_providers() -> dict[str, EntryPoint]:
    """The entry points of the registered providers, by prefix."""
    return {point.name: point for point in entry_points(group=_PROVIDERS)}


def is_local(model: str) -> bool:
    """Whether a model (a litellm string) runs in this process, by a provider that an installed package registered."""
    return model.partition("/")[0] in _local_providers()


def register_local_providers(models: Iterable[str]) -> None:
    """Register with litellm the local providers of `models`, each as a new instance.

    A package registers a litellm CustomLLM under the entry point group `genchi.providers`; the name of the entry
    point is the prefix of its models.
    """
    known = _local_providers()
    for prefix in sorted({model.partition("/")[0] for model in models} & set(known)):
        register_provider(prefix, known[prefix].load()())


def register_provider(name: str, handler: object) -> None:
    """Register `handler`, a litellm CustomLLM, as the provider of the models `<name>/...`.

    It replaces an earlier registration of the same name.
    """
    litellm = load_litellm()
    others = [item for item in litellm.custom_provider_map if item["provider"] != name]
    litellm.custom_provider_map = [*others, {"provider": name, "custom_handler": handler}]
    litellm.utils.custom_llm_setup()
