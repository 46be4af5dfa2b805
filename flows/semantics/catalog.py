"""The topics of a route in versions: fitted again as texts come in, with ids that last where topics last.

A first catalogue is fitted on a route's first days with enough texts (see `run.py`). It is provisional: it is fitted
again as soon as the window has twice the texts that it was fitted on. From then on it is fitted again once a window.
Each fit is a version; `topic_version` is the hash of its centres. A topic of the new version that has its texts in
common with one of the old version keeps that topic's id; the others get the next numbers. Between fits, topics are only
added. The first part of a topic_id is the route's first version. Another embedding model has a different vector space,
and starts a separate catalogue.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow.compute as pc

from flows.lake import Lake, from_rows
from flows.semantics import topic_naming
from flows.semantics.vectors import Vectors
from flows.stats import topics
from flows.stats.neighbours import unit

SIDE = "input"
EXAMPLES = 5
# With fewer texts no catalogue is fitted.
FEWEST_TEXTS = 200
# A catalogue is fitted again when the window has this many times the texts that it was fitted on.
_MORE_TEXTS = 2
_OF_VERSION = ("topic_version", "fitted_day", "fitted_texts", "ids_given")


@dataclass(frozen=True)
class Topic:
    """One topic of a route. `radius` is in cosine distance; `n` counts the texts in which it was found.

    `first_day` is the first day on which it was known, `added_day` the day on which it was found as a new topic, None
    for one that came with a fit. `fitted_day` and `fitted_texts` are those of the version, and `ids_given` is how many
    ids the route has used so far: ids are not used again.
    """

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
    added_day: date | None
    fitted_day: date
    fitted_texts: int
    ids_given: int
    centre: list[float]


@dataclass(frozen=True)
class Catalog:
    """The topics of one route, in order of their numbers; none where there were too few texts to find any."""

    topics: tuple[Topic, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.topics)

    @property
    def ids(self) -> set[str]:
        """The topics' ids."""
        return {topic.topic_id for topic in self.topics}

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
        """For each topic whether it was found as a new one on `day` or later."""
        return np.array([topic.added_day is not None and topic.added_day >= day for topic in self.topics], bool)

    def is_due(self, day: date, texts: int, window_days: int) -> bool:
        """Whether it is to be fitted again on a day whose window has so many texts."""
        if not self.topics or texts < FEWEST_TEXTS:
            return False
        fitted = self.topics[0]
        age = (day - fitted.fitted_day).days
        return age >= window_days or (age > 0 and texts >= _MORE_TEXTS * fitted.fitted_texts)

    def with_new(self, members: Vectors, texts: Mapping[str, str], background: Vectors, day: date) -> "Catalog":
        """The catalogue with one more topic, of `members`; its name distinguishes it from the `background`."""
        first, number = self.topics[0], max(topic.ids_given for topic in self.topics) + 1
        terms, _ = topic_naming.terms_of([_with_authors(members, texts), _with_authors(background, texts)])
        topic_id = f"{first.topic_id.split('-')[0]}-{number:02d}"
        made = replace(
            first,
            topic_id=topic_id,
            label=_label(terms, topic_id),
            terms=list(terms),
            **_shape(members),
            first_day=day,
            added_day=day,
            ids_given=number,
        )
        known = Catalog((*self.topics, made))
        # The calls that are shown are those that belong to it and to no other topic.
        places, _, _ = known.assign(members.vectors)
        own = members.where(places == len(self.topics))
        made = replace(made, example_call_ids=examples_of(own, known.centres[-1])) if len(own) else made
        return Catalog((*self.topics, made))


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
            is_later = found.added_since(day) & (known_day >= day)
            return Catalog(tuple(one for one, later in zip(found.topics, is_later, strict=True) if not later))
    return Catalog()


def routes_before(lake: Lake, day: date) -> set[str]:
    """The routes with topics on the last night before `day`; they are kept, with or without calls."""
    before = [known for known in lake.days("topic_catalog") if known < day][-1:]
    return {
        route for known in before for route in lake.read("topic_catalog", known, columns=["route"])["route"].to_pylist()
    }


def fit(rows: Vectors, texts: Mapping[str, str], route: str, model: str, day: date) -> Catalog:
    """The first topics of a route, of `rows`; `day` is the first on which they are known.

    None where there are fewer than 200 texts.
    """
    return (
        _fitted(rows, texts, Catalog(), route=route, model=model, day=day) if len(rows) >= FEWEST_TEXTS else Catalog()
    )


def fit_again(rows: Vectors, texts: Mapping[str, str], before: Catalog, day: date, since: date) -> Catalog:
    """A new version of the catalogue `before`. Topics that were found as new ones since `since` stay as they are."""
    recent = before.added_since(since)
    if recent.any():
        places, _, _ = before.assign(rows.vectors)
        rows = rows.where(~recent[places])
    if len(rows) < FEWEST_TEXTS:
        return before
    route, model = before.topics[0].route, before.topics[0].model
    old = Catalog(tuple(topic for topic, is_recent in zip(before.topics, recent, strict=True) if not is_recent))
    given = max(topic.ids_given for topic in before.topics)
    found = _fitted(rows, texts, old, route=route, model=model, day=day, ids_given=given)
    version = {name: getattr(found.topics[0], name) for name in _OF_VERSION}
    kept = [replace(topic, **version) for topic, is_recent in zip(before.topics, recent, strict=True) if is_recent]
    return Catalog((*found.topics, *kept))


def land(lake: Lake, day: date, catalogs: Iterable[Catalog]) -> None:
    """Write the topics that were known at the end of a night."""
    rows = [vars(topic) for catalog in catalogs for topic in catalog.topics]
    lake.write("topic_catalog", day, from_rows(rows, "topic_catalog"))


def examples_of(members: Vectors, centre: np.ndarray) -> list[str]:
    """The ids of the calls nearest to the centre, one of each author, at most five."""
    distances = 1 - members.vectors @ centre
    order = np.lexsort((np.array(members.call_ids), distances.round(6)))
    _, first = np.unique(members.authors[order], return_index=True)
    return [members.call_ids[order[place]] for place in sorted(first)[:EXAMPLES]]


def _fitted(
    rows: Vectors, texts: Mapping[str, str], before: Catalog, *, route: str, model: str, day: date, ids_given: int = 0
) -> Catalog:
    """The topics of `rows`, with the ids of those of `before` that they are again."""
    found = topics.find(rows.vectors, seed=0, start=before.centres if before else None)
    earlier = topics.matched(found.places, topics.assign(rows.vectors, before.centres)[0]) if before else {}
    version = _version(route, model, found.centres)
    family = before.topics[0].topic_id.split("-")[0] if before else version[:4]
    groups = [rows.where(found.places == place) for place in range(len(found.centres))]
    terms = topic_naming.terms_of([_with_authors(group, texts) for group in groups])
    unmatched = [place for place in range(len(groups)) if place not in earlier]
    numbers = {place: ids_given + at for at, place in enumerate(unmatched, 1)}
    ids_given += len(unmatched)
    made = []
    for place, group in enumerate(groups):
        old = before.topics[earlier[place]] if place in earlier else None
        topic_id = old.topic_id if old else f"{family}-{numbers[place]:02d}"
        shape = {**_shape(group), "radius": float(found.radii[place]), "centre": found.centres[place].tolist()}
        made.append(
            Topic(
                route=route,
                side=SIDE,
                topic_id=topic_id,
                topic_version=version,
                model=model,
                label=_label(terms[place], topic_id),
                terms=list(terms[place]),
                **shape,
                first_day=old.first_day if old else day,
                added_day=old.added_day if old else None,
                fitted_day=day,
                fitted_texts=len(rows),
                ids_given=ids_given,
            )
        )
    return Catalog(tuple(sorted(made, key=lambda topic: int(topic.topic_id.split("-")[1]))))


def _shape(members: Vectors) -> dict[str, Any]:
    """What a topic has of its members alone."""
    centre = unit(members.vectors.mean(axis=0)[None, :])[0]
    return {
        "example_call_ids": examples_of(members, centre),
        "radius": topics.radius(members.vectors),
        "n": len(members),
        "centre": centre.tolist(),
    }


def _label(terms: Sequence[str], topic_id: str) -> str:
    return topic_naming.label_of(terms, f"topic {topic_id}")


def _with_authors(rows: Vectors, texts: Mapping[str, str]) -> list[tuple[str | None, str]]:
    return [(str(author), texts.get(call_id, "")) for author, call_id in zip(rows.authors, rows.call_ids, strict=True)]


def _version(route: str, model: str, centres: np.ndarray) -> str:
    """The identity of the catalogue as twelve hex digits."""
    content = hashlib.sha256(f"{route}\0{model}\0".encode())
    content.update(centres.round(4).astype(np.float32).tobytes())
    return content.hexdigest()[:12]


def _read(lake: Lake, day: date, route: str, model: str) -> Catalog:
    rows = lake.read("topic_catalog", day)
    rows = rows.filter(pc.and_(pc.equal(rows["route"], route), pc.equal(rows["model"], model)))
    return Catalog(tuple(Topic(**row) for row in rows.to_pylist()))
