"""The topics of a route: found once and frozen; later, topics are only added.

A catalogue is fitted on a route's first days with enough texts (see `run.py`). Its `topic_version` is the hash of the
data that it was fitted to and is part of every topic_id, so the meaning of an id never changes. It is never fitted
again automatically; a new topic is added with the next number. To start again, remove the lake's `topic_catalog` and
backfill. Another embedding model has a different vector space, and starts a separate catalogue.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date

import numpy as np

from flows.lake import Lake, from_rows
from flows.semantics import topic_naming
from flows.semantics.vectors import Vectors
from flows.stats import topics
from flows.stats.neighbours import unit

SIDE = "input"
EXAMPLES = 5
# With fewer texts no catalogue is fitted.
FEWEST_TEXTS = 200


@dataclass(frozen=True)
class Topic:
    """One topic of a route. `radius` is in cosine distance; `n` counts the texts in which it was found."""

    route: str
    side: str
    topic_id: str
    topic_version: str
    model: str
    label: str
    terms: list[str]
    example_call_ids: list[str]
    radius: float
    n: int
    first_day: date
    centre: list[float]


@dataclass(frozen=True)
class Catalog:
    """The topics of one route, in order of their numbers; none where there were too few texts to find any."""

    topics: tuple[Topic, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.topics)

    @property
    def centres(self) -> np.ndarray:
        """(topics, d)."""
        return np.array([topic.centre for topic in self.topics], np.float32)

    def assign(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each vector the index of its nearest topic, the distance, and whether that is beyond the radius."""
        places, distances = topics.assign(vectors, self.centres)
        radii = np.array([topic.radius for topic in self.topics])
        return places, distances, distances > radii[places]

    def added_since(self, day: date) -> np.ndarray:
        """For each topic whether it was added, after the catalogue was fitted, on `day` or later."""
        fitted = min((topic.first_day for topic in self.topics), default=day)
        return np.array([topic.first_day >= day and topic.first_day > fitted for topic in self.topics], bool)

    def with_new(self, members: Vectors, texts: Mapping[str, str], background: Vectors, day: date) -> "Catalog":
        """The catalogue with one more topic, of `members`; its name distinguishes it from the `background`."""
        first = self.topics[0]
        terms, _ = topic_naming.terms_of([_with_authors(members, texts), _with_authors(background, texts)])
        made = _topic(members, first.topic_version, len(self.topics), terms, day)
        return Catalog((*self.topics, replace(made, route=first.route, model=first.model)))


def of_night(lake: Lake, day: date, route: str, model: str) -> Catalog:
    """What was known of a route before `day`.

    If the last night before has no topics of it, the first catalogue on `day` or later without topics that were added
    since. So days that are built again, or in reverse order, get the same ids.
    """
    days = lake.days("topic_catalog")
    before = [known for known in days if known < day][-1:]
    for known_day in [*before, *[known for known in days if known >= day]]:
        found = _read(lake, known_day, route, model)
        if found.topics:
            fitted = min(topic.first_day for topic in found.topics)
            return found if known_day < day else Catalog(tuple(one for one in found.topics if one.first_day == fitted))
    return Catalog()


def routes_before(lake: Lake, day: date) -> set[str]:
    """The routes with topics on the last night before `day`; they are kept, with or without calls."""
    before = [known for known in lake.days("topic_catalog") if known < day][-1:]
    return {
        route for known in before for route in lake.read("topic_catalog", known, columns=["route"])["route"].to_pylist()
    }


def fit(rows: Vectors, texts: Mapping[str, str], route: str, model: str, day: date) -> Catalog:
    """The topics of `rows`; `day` is the first on which they are known. None where there are fewer than 200 texts."""
    if len(rows) < FEWEST_TEXTS:
        return Catalog()
    found = topics.find(rows.vectors, seed=0)
    version = _version(route, model, found.centres)
    groups = [rows.where(found.places == place) for place in range(len(found.centres))]
    terms = topic_naming.terms_of([_with_authors(group, texts) for group in groups])
    made = [
        replace(
            _topic(group, version, number, terms[number], day),
            route=route,
            model=model,
            radius=float(found.radii[number]),
            centre=found.centres[number].tolist(),
        )
        for number, group in enumerate(groups)
    ]
    return Catalog(tuple(made))


def land(lake: Lake, day: date, catalogs: Iterable[Catalog]) -> None:
    """Write the topics that were known at the end of a night."""
    rows = [asdict(topic) for catalog in catalogs for topic in catalog.topics]
    lake.write("topic_catalog", day, from_rows(rows, "topic_catalog"))


def examples_of(members: Vectors, centre: np.ndarray) -> list[str]:
    """The ids of the calls nearest to the centre, one of each author, at most five."""
    distances = 1 - members.vectors @ centre
    order = np.lexsort((np.array(members.call_ids), distances.round(6)))
    _, first = np.unique(members.authors[order], return_index=True)
    return [members.call_ids[order[place]] for place in sorted(first)[:EXAMPLES]]


def _topic(members: Vectors, version: str, number: int, terms: Sequence[str], day: date) -> Topic:
    topic_id = f"{version[:4]}-{number + 1:02d}"
    centre = unit(members.vectors.mean(axis=0)[None, :])[0]
    return Topic(
        route="",
        side=SIDE,
        topic_id=topic_id,
        topic_version=version,
        model="",
        label=topic_naming.label_of(terms, f"topic {topic_id}"),
        terms=list(terms),
        example_call_ids=examples_of(members, centre),
        radius=topics.radius(members.vectors),
        n=len(members),
        first_day=day,
        centre=centre.tolist(),
    )


def _with_authors(rows: Vectors, texts: Mapping[str, str]) -> list[tuple[str | None, str]]:
    return [(str(author), texts.get(call_id, "")) for author, call_id in zip(rows.authors, rows.call_ids, strict=True)]


def _version(route: str, model: str, centres: np.ndarray) -> str:
    """The identity of the catalogue as twelve hex digits."""
    content = hashlib.sha256(f"{route}\0{model}\0".encode())
    content.update(centres.round(4).astype(np.float32).tobytes())
    return content.hexdigest()[:12]


def _read(lake: Lake, day: date, route: str, model: str) -> Catalog:
    rows = lake.read("topic_catalog", day).to_pylist()
    return Catalog(tuple(Topic(**row) for row in rows if row["route"] == route and row["model"] == model))
