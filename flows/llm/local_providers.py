"""Providers that answer in this process: litellm custom providers that installed packages register."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from flows.llm.client import load_litellm

_PROVIDERS = "genchi.providers"


def _local_providers() -> dict[str, EntryPoint]:
    """By prefix, the providers of installed packages that answer in this process."""
    return {point.name: point for point in entry_points(group=_PROVIDERS)}


def is_local(model: str) -> bool:
    """Whether a model is answered in this process, by a provider that an installed package has registered."""
    return model.partition("/")[0] in _local_providers()


def register_local_providers(models: Iterable[str]) -> None:
    """Prepare litellm for those of `models` that are answered in this process, each provider in a fresh state.

    A package registers a litellm CustomLLM under the entry point group `genchi.providers`; the entry's name is the
    prefix of its models.
    """
    known = _local_providers()
    for prefix in sorted({model.partition("/")[0] for model in models} & set(known)):
        register_provider(prefix, known[prefix].load()())


def register_provider(name: str, handler: object) -> None:
    """Let models called `<name>/...` be answered by `handler`, a litellm CustomLLM in this process.

    A later registration of the same name takes the earlier one's place.
    """
    litellm = load_litellm()
    others = [item for item in litellm.custom_provider_map if item["provider"] != name]
    litellm.custom_provider_map = [*others, {"provider": name, "custom_handler": handler}]
    litellm.utils.custom_llm_setup()
