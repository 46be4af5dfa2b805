"""Semantics as tasks on a cluster: texts to vectors, and the night of one route. Workers return what is then written.

A distinct text is embedded once whatever its route, so the tasks of embedding are some hundreds of a day's new texts.
Only the model that comes in the package runs on workers: one over HTTP has its budget and its limits in the process
that runs genchi, and a folder or a function of the workspace is there, too.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from flows.cluster import Tasks
from flows.config import Config, Embedding
from flows.semantics.catalog import Catalog
from flows.semantics.embedding import Embedder, Packaged
from flows.semantics.route_nights import RouteNight, RouteNights
from flows.semantics.vectors import Reader

_TEXTS_A_TASK = 512
_ROUTES_KEPT = 4


class SpreadEmbedder:
    """The packaged model on the workers of a cluster."""

    def __init__(self, tasks: Tasks, name: str) -> None:
        self.name, self._tasks = name, tasks

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """See Embedder."""
        pieces = [list(texts[at : at + _TEXTS_A_TASK]) for at in range(0, len(texts), _TEXTS_A_TASK)]
        return np.concatenate(list(self._tasks.map(embed_texts, pieces)))


def spread(embedder: Embedder, tasks: Tasks | None) -> Embedder:
    """The same model on the workers, where there are some and they can have it."""
    return SpreadEmbedder(tasks, embedder.name) if tasks and type(embedder) is Packaged else embedder


_packaged = Packaged()
_one_at_a_time = threading.Lock()


def embed_texts(texts: Sequence[str]) -> np.ndarray:
    """One task: the vectors (n, d) of some texts."""
    with _one_at_a_time:
        return _packaged.embed(texts)


@dataclass(frozen=True, repr=False)
class RoutesJob:
    """What the tasks of a run share, `run` being its own. Nothing of it is shown: the configuration has secrets."""

    run: str
    config: Config
    model: str
    last: date


class SpreadRoutes:
    """As RouteNights, on the workers of a cluster."""

    def __init__(self, tasks: Tasks, config: Config, model: str, last: date) -> None:
        # Workers do not need what only other stages use.
        unneeded = {"alerts": (), "models": None, "ping": None, "sources": (), "embedding": Embedding()}
        self._job = RoutesJob(uuid.uuid4().hex, config.model_copy(update=unneeded), model, last)
        self._tasks, self.model = tasks, model

    def nights(self, day: date, routes: Sequence[str]) -> Iterator[RouteNight]:
        """See RouteNights."""
        return self._tasks.map(find_night, [(route, day) for route in routes], self._job)

    def assigned_on(self, places: Sequence[tuple[Catalog, date]]) -> Iterator[pa.Table]:
        """See RouteNights."""
        return self._tasks.map(find_assigned, places, self._job)


def find_night(place: tuple[str, date], job: RoutesJob) -> RouteNight:
    """One task: a route of one night."""
    route, day = place
    with _one_thread():
        return _kept(job, route).night(day, route)


def find_assigned(place: tuple[Catalog, date], job: RoutesJob) -> pa.Table:
    """One task: a route's rows of `topics` of one day."""
    known, day = place
    route = known.topics[0].route
    with _one_thread():
        return _kept(job, route).assigned(known, route, day)


# What a thread has read of a route, it does not read again in the next night of the same run.
_of_thread = threading.local()


def _kept(job: RoutesJob, route: str) -> RouteNights:
    kept: OrderedDict[tuple[str, str], RouteNights] = _of_thread.__dict__.setdefault("kept", OrderedDict())
    if (job.run, route) not in kept:
        lake = job.config.open_lake()
        reader = Reader(lake, job.model, route)
        kept[job.run, route] = RouteNights(lake, job.config.window_days, job.model, job.last, reader)
    kept.move_to_end((job.run, route))
    while len(kept) > _ROUTES_KEPT:
        kept.popitem(last=False)
    return kept[job.run, route]


_inside = 0
_limited: threadpool_limits | None = None
_changing = threading.Lock()


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for sums, as in one process; until the last of several tasks at once in this process has ended."""
    global _inside, _limited  # noqa: PLW0603 - the limit is that of the process
    with _changing:
        _inside += 1
        if _inside == 1:
            _limited = threadpool_limits(1)
    try:
        yield
    finally:
        with _changing:
            _inside -= 1
            if not _inside and _limited is not None:
                _limited.restore_original_limits()
