"""The models that turn texts into vectors: one that comes in a package, one from a folder, one over litellm, or a
function of the workspace.

None of genchi's downloads its weights. `remote_embedding.py` calls the models of litellm, `own_embedder.py` a function.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from flows.config import Config
from flows.errors import ConfigError
from flows.semantics.own_embedder import Own, check_own, name_of_own
from flows.stats.neighbours import unit

WORDLLAMA = "wordllama"
MODEL2VEC = "model2vec/"
# How texts are prepared (texts.py) is part of a vector's name: with another preparation the same text has another one.
PREPARED = "+plain"


class Embedder(Protocol):
    """An embedding model. `name` is stored with each vector: vectors of different names are never compared."""

    name: str

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The texts' vectors (n, d), of length 1. Raises RunError if the model cannot be reached."""
        ...


@dataclass
class Packaged:
    """wordllama: averaged word vectors of 256 numbers, distilled from LLMs, whose weights are in its wheel."""

    name: str = WORDLLAMA + PREPARED
    model: Any = None

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """See Embedder. The model is loaded at the first call."""
        if self.model is None:
            self.model = _load_wordllama()
        return unit(np.asarray(self.model.embed(list(texts)), np.float32))


@dataclass
class Static:
    """A model2vec model from a folder of this machine."""

    name: str
    model: Any

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """See Embedder."""
        return unit(np.asarray(self.model.encode(list(texts)), np.float32))


def embedder(config: Config) -> Embedder:
    """The configured model. Raises ConfigError if its package or its folder is missing."""
    chosen = config.embedding
    if chosen.python:
        return Own(name_of(config), chosen)
    if chosen.model == WORDLLAMA:
        return Packaged()
    if chosen.model.startswith(MODEL2VEC):
        return _static(config, chosen.model)
    from flows.semantics.remote_embedding import Remote  # noqa: PLC0415 - imported late: litellm takes seconds

    return Remote(name_of(config), chosen, config.budget)


def name_of(config: Config) -> str:
    """The name under which the configured model's vectors are kept. Nothing is loaded."""
    chosen = config.embedding
    if chosen.python:
        return name_of_own(chosen) + PREPARED
    if chosen.model == WORDLLAMA or chosen.model.startswith(MODEL2VEC):
        return chosen.model + PREPARED
    if chosen.api_base is None and not chosen.params:
        return chosen.model + PREPARED
    # The same name at another address, or with other parameters, may be another model.
    settings = json.dumps([chosen.api_base, chosen.params], sort_keys=True)
    return f"{chosen.model}#{hashlib.sha256(settings.encode()).hexdigest()[:8]}{PREPARED}"


def check_embedding(config: Config) -> None:
    """Raise ConfigError if the configured model is not available on this machine. Nothing is embedded or requested."""
    if config.embedding.python:
        check_own(config.embedding)
        return
    if config.embedding.model.startswith(MODEL2VEC):
        _folder(config, config.embedding.model)
        _import_model2vec(config)


def _load_wordllama() -> Any:
    import wordllama  # noqa: PLC0415 - imported late: costs half a second

    # Its loader looks for the tokenizer in a cache and then on the network; the wheel's folder has all files.
    logging.getLogger("wordllama").setLevel(logging.WARNING)
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def _static(config: Config, name: str) -> Static:
    folder, package = _folder(config, name), _import_model2vec(config)
    try:
        return Static(name + PREPARED, package.StaticModel.from_pretrained(str(folder)))
    except Exception as error:
        kind = type(error).__name__
        raise ConfigError(f"{config.path}: embedding.model: {folder} contains no model2vec model ({kind})") from None


def _folder(config: Config, name: str) -> Path:
    folder = config.workspace / name.removeprefix(MODEL2VEC)
    if not folder.is_dir():
        raise ConfigError(f"{config.path}: embedding.model: no such folder: {folder}")
    return folder


def _import_model2vec(config: Config) -> Any:
    try:
        import model2vec  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - it is optional
    except ImportError:
        raise ConfigError(
            f"{config.path}: embedding.model: {config.embedding.model} needs a package that is not installed:"
            " `.venv/bin/pip install model2vec`"
        ) from None
    return model2vec
