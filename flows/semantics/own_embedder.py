"""An embedding model that is a function of the workspace: a list of texts to a list of vectors, all of one length.

It runs in a process of its own. The name of its vectors has a hash of the file's text and of the arguments, so that
vectors of two versions of the code are never compared. What the file imports is not in that hash.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from flows.config import Embedding
from flows.errors import ConfigError, RunError
from flows.functions import FunctionError, PythonFile, TimeLimitError
from flows.stats.neighbours import unit

BATCH = 256
EMBED_S = 300.0


class Own:
    """The function that `embedding.python` names."""

    def __init__(self, name: str, model: Embedding) -> None:
        self.name, self._model = name, model
        self._file = _opened(model)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors (n, d), of length 1. Raises RunError, with file and function, if the function raises, takes too
        long, or does not give a vector of one length and of finite numbers for each text.
        """
        found: list[list[float]] = []
        with self._file as file:
            for at in range(0, len(texts), BATCH):
                found += self._batch(file, list(texts[at : at + BATCH]))
        widths = sorted({len(vector) for vector in found})
        if len(widths) > 1 or widths == [0]:
            raise RunError(f"{self._place}: expected vectors of one length, got the lengths {widths}")
        vectors = np.asarray(found, np.float32).reshape(len(texts), -1)
        if odd := int((~np.isfinite(vectors)).any(1).sum()):
            raise RunError(f"{self._place}: {odd} of {len(texts)} vectors have values that are no finite number")
        return unit(vectors)

    def _batch(self, file: PythonFile, texts: list[str]) -> list[list[float]]:
        assert self._model.python is not None
        try:
            vectors: list[list[float]] = file.call(self._model.python.function, [texts], self._model.args, "vectors")
        except (FunctionError, TimeLimitError) as error:
            raise RunError(f"{self._place}: {error}") from None
        if len(vectors) != len(texts):
            raise RunError(f"{self._place}: expected {len(texts)} vectors, got {len(vectors)}")
        return vectors

    @property
    def _place(self) -> str:
        assert self._model.python is not None
        return f"{self._model.python.file}: `{self._model.python.function}`"


def name_of_own(model: Embedding) -> str:
    """The name of its vectors: file, function and a hash. Raises ConfigError if there is no such file."""
    said = [_opened(model).text, model.args]
    return f"{model.python}#{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]}"


def check_own(model: Embedding) -> None:
    """Raise ConfigError, in one line, if the function cannot be called. The file is loaded, nothing is embedded."""
    assert model.python is not None
    with _opened(model) as file:
        file.check(model.python.function, 1, model.args)


def _opened(model: Embedding) -> PythonFile:
    assert model.python is not None
    if not model.python.file.is_file():
        raise ConfigError(f"embedding.python: no such file: {model.python.file}; write it, or correct `python`")
    return PythonFile(model.python.file, call_s=EMBED_S)
