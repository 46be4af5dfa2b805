"""The lake's embeddings: each distinct text of a window is embedded once, and then looked up."""

import hashlib
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import RunError
from flows.lake import Lake, conform, rows_with
from flows.semantics.embedding import Embedder
from flows.semantics.texts import EVERY_ROUTE, Text

BATCH = 4096
BATCH_OF_CLUSTER = 1 << 16
# Vectors that a run keeps in memory.
KEPT_BYTES = 1 << 30
_KEY = ("origin", "route", "side")
_Key = tuple[str, str, str]


@dataclass(frozen=True)
class Embedded:
    """The results of embedding a day: texts, distinct texts, texts embedded now, and seconds."""

    texts: int = 0
    distinct: int = 0
    new: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Vectors:
    """Texts of one route and side. `days` are ordinals, `authors` their authors; all of length n, vectors (n, d)."""

    call_ids: Sequence[str]
    days: np.ndarray
    authors: np.ndarray
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.call_ids)

    def where(self, kept: np.ndarray) -> "Vectors":
        """Those rows for which `kept` (n,) is true."""
        return self if kept.all() else self.take(np.flatnonzero(kept))

    def take(self, places: np.ndarray) -> "Vectors":
        """The rows at these positions, in this order."""
        ids = [self.call_ids[place] for place in places.tolist()]
        return Vectors(ids, self.days[places], self.authors[places], self.vectors[places])


@dataclass(frozen=True)
class _Part:
    """One day's texts of one origin, route and side: `authors` are their names."""

    call_ids: list[str]
    authors: pa.Array
    vectors: np.ndarray


def hash_of(text: str, model: str) -> str:
    """The key of a text's vector: 32 hex digits of SHA-256 over the model's name and the text."""
    return hashlib.sha256(f"{model}\0{text}".encode("utf-8", "replace")).hexdigest()[:32]


def embed_day(
    lake: Lake, day: date, window_days: int, texts: Sequence[Text], embedder: Embedder, *, at_once: int = BATCH
) -> Embedded:
    """Land the day's embeddings. A text that is already embedded on the day or in its window is looked up.

    The embedder gets at most `at_once` texts.

    Raises RunError if the model cannot be reached, or returns vectors of another length than before.
    """
    hashes = [hash_of(text.text, embedder.name) for text in texts]
    by_hash = dict(zip(hashes, (text.text for text in texts), strict=True))
    known = _known(lake, day, window_days, embedder.name, set(by_hash))
    new = sorted(set(by_hash) - set(known))
    started = time.monotonic()
    for at in range(0, len(new), at_once):
        batch = new[at : at + at_once]
        known.update(zip(batch, embedder.embed([by_hash[found] for found in batch]), strict=True))
    seconds = time.monotonic() - started
    lake.write("embeddings", day, _table(texts, hashes, known, embedder.name))
    return Embedded(len(texts), len(by_hash), len(new), seconds)


class Reader:
    """The production and example embeddings of one model, by day. Other models' rows are left out.

    What is read stays in memory, up to KEPT_BYTES: the nights of a backfill share all but one day of their windows.
    With a `route`, only what belongs to it is read.
    """

    def __init__(self, lake: Lake, model: str, route: str | None = None) -> None:
        self.lake, self.model, self._route = lake, model, route
        self._days: OrderedDict[date, dict[_Key, _Part]] = OrderedDict()

    def read(self, days: Iterable[date], route: str, *, side: str = "input", origin: str = "production") -> Vectors:
        """The embeddings of one route and side on some days, in order of day and id."""
        parts = [(day, part) for day in days if (part := self._day(day).get((origin, route, side)))]
        if not parts:
            return Vectors([], np.empty(0, int), np.empty(0, int), np.empty((0, 0), np.float32))
        lengths = [len(part.vectors) for _, part in parts]
        authors = pa.concat_arrays([part.authors for _, part in parts]).dictionary_encode()
        return Vectors(
            [call_id for _, part in parts for call_id in part.call_ids],
            np.repeat([day.toordinal() for day, _ in parts], lengths),
            authors.indices.to_numpy().astype(int),
            np.concatenate([part.vectors for _, part in parts]),
        )

    def ids(self, day: date, side: str) -> list[str]:
        """The production calls of every route whose texts of a side are embedded on a day."""
        return [
            call_id
            for (origin, _, of_side), part in self._day(day).items() if (origin, of_side) == ("production", side)
            for call_id in part.call_ids
        ]  # fmt: skip

    def _day(self, day: date) -> dict[_Key, _Part]:
        if day not in self._days:
            self._days[day] = _parts(self.lake, day, self.model, self._route)
            while len(self._days) > 1 and sum(map(_bytes, self._days.values())) > KEPT_BYTES:
                self._days.popitem(last=False)
        self._days.move_to_end(day)
        return self._days[day]


def routes_of(lake: Lake, day: date, model: str) -> set[str]:
    """The routes with production texts that the model has embedded on a day."""
    rows = lake.read("embeddings", day, columns=["origin", "route", "model"])
    mine = rows.filter(pc.and_(pc.equal(rows["origin"], "production"), pc.equal(rows["model"], model)))
    return set(pc.unique(mine["route"]).to_pylist())


def window(day: date, window_days: int) -> list[date]:
    """The days before `day` that it is compared with, oldest first."""
    return [day - timedelta(days=back) for back in range(window_days, 0, -1)]


def _known(lake: Lake, day: date, window_days: int, model: str, wanted: set[str]) -> dict[str, np.ndarray]:
    """The existing vectors, newest first. For each day the hashes are read, and the vectors only if a hash matches."""
    found: dict[str, np.ndarray] = {}
    for known_day in [day, *reversed(window(day, window_days))]:
        open_hashes = wanted - set(found)
        if not open_hashes:
            break
        hashes = lake.read("embeddings", known_day, columns=["text_hash"])["text_hash"].to_pylist()
        places = {text_hash: place for place, text_hash in enumerate(hashes) if text_hash in open_hashes}
        if places:
            vectors = lake.read("embeddings", known_day, columns=["vector"])["vector"].take(pa.array(places.values()))
            found.update(zip(places, _matrix(vectors), strict=True))
    return found


def _table(texts: Sequence[Text], hashes: list[str], known: dict[str, np.ndarray], model: str) -> pa.Table:
    widths = {len(known[text_hash]) for text_hash in hashes}
    if len(widths) > 1:
        raise RunError(
            f"{model}: vectors of two lengths, {min(widths)} and {max(widths)}: the model has changed;"
            " set a key of `embedding.params` that distinguishes the two, or delete the lake's table `embeddings`"
        )
    width = widths.pop() if widths else 0
    flat = np.concatenate([known[text_hash] for text_hash in hashes]) if hashes else np.empty(0, np.float32)
    offsets = pa.array(np.arange(len(hashes) + 1, dtype=np.int32) * width)
    columns = {name: [getattr(text, name) for text in texts] for name in ("call_id", "side", "origin", "route")}
    return conform(
        pa.table(
            {
                **{name: pa.array(values, pa.string()) for name, values in columns.items()},
                "model": pa.repeat(model, len(texts)),
                "text_hash": pa.array(hashes, pa.string()),
                "cluster": pa.array([text.cluster for text in texts], pa.string()),
                "vector": pa.ListArray.from_arrays(offsets, pa.array(flat.astype(np.float32))),
            }
        ),
        "embeddings",
    )


def _matrix(vectors: pa.ChunkedArray) -> np.ndarray:
    """(n, d) of a column of equally long lists."""
    n = len(vectors)
    flat = pc.list_flatten(vectors).to_numpy()
    return flat.reshape(n, -1) if n else np.empty((0, 0), np.float32)


def _parts(lake: Lake, day: date, model: str, route: str | None) -> dict[_Key, _Part]:
    """The day's rows of the model by origin, route and side; only of a route and of every route, if one is given."""
    columns = [*_KEY, "model", "call_id", "cluster", "vector"]
    if route is None:
        rows = lake.read("embeddings", day, columns=columns)
    else:
        found = rows_with(lake, "embeddings", day, key="route", values={route, EVERY_ROUTE}, columns=columns)
        rows = found.sort_by([(name, "ascending") for name in (*_KEY, "call_id")])
    if pc.unique(rows["model"]).to_pylist() != [model]:
        rows = rows.filter(pc.equal(rows["model"], model))
    places: dict[_Key, list[int]] = defaultdict(list)
    for place, key in enumerate(zip(*(rows[name].to_pylist() for name in _KEY), strict=True)):
        places[key].append(place)
    matrix, call_ids = _matrix(rows["vector"]), rows["call_id"].combine_chunks()
    authors = pc.coalesce(rows["cluster"], rows["call_id"]).combine_chunks()
    return {
        key: _Part(call_ids.take(pa.array(mine)).to_pylist(), authors.take(pa.array(mine)), matrix[mine])
        for key, mine in places.items()
    }


def _bytes(parts: dict[_Key, _Part]) -> int:
    return sum(part.vectors.nbytes for part in parts.values())
