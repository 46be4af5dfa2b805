"""What a night finds in one route: its topics, what is new among them, and whether the day differs.

The routes of a night do not depend on each other; a route's night rests on what the lake has of the nights before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

import pyarrow as pa

from flows.lake import Lake, each_day, from_rows
from flows.semantics import catalog, novelty, scripts, texts, vectors
from flows.semantics.catalog import Catalog
from flows.semantics.novelty import Night, Row
from flows.semantics.vectors import Reader, Vectors

# A catalogue is fitted on the window before a route's first day, on that day, and, in a backfill, on up to six days
# after it, so that all weekdays are included.
_FIT_AHEAD = 6
_READ_FOR_SCRIPTS = 200  # texts of a route
_ORIGINS = ("dev", "holdout")


@dataclass(frozen=True)
class RouteNight:
    """The rows of topics, topic_tests and topic_pasts of one route and night, and its topics at the end of it.

    `refit` are the topics' ids before and after a new version, if there is one. `complaints` are lines for people.
    """

    known: Catalog
    assigned: pa.Table
    tested: list[Row]
    pasts: list[Row]
    added: int = 0
    refit: tuple[set[str], set[str]] | None = None
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RouteNights:
    """The nights of some days up to `last`, in this process."""

    lake: Lake
    window_days: int
    model: str
    last: date
    reader: Reader
    _texts_by_day: dict[date, dict[str, str]] = field(default_factory=dict)

    def nights(self, day: date, routes: Sequence[str]) -> Iterator[RouteNight]:
        """The routes of one night, in this order."""
        return (self.night(day, route) for route in routes)

    def night(self, day: date, route: str) -> RouteNight:
        """One route of one night."""
        night = self._night(day, route)
        earlier = catalog.of_night(self.lake, day, route, self.model) or self._fitted(day, route)
        before = self._fitted_again(night, earlier)
        is_new = before is not earlier
        after, found = novelty.new_topics(night, before, route, day - timedelta(days=self.window_days))
        # A new version has a past of its own, so that no share moves because texts are sorted differently.
        unknown = range(0 if is_new else len(before.topics), len(after.topics))
        return RouteNight(
            known=after,
            assigned=self.assigned(after, route, day),
            tested=[*found, *self._two_samples(night, route)],
            pasts=list(novelty.pasts_of(night, after, unknown)),
            added=len(after.topics) - len(before.topics),
            refit=(earlier.ids, before.ids) if is_new else None,
            complaints=list(self._complaints(day, route)) if day == self.last else [],
        )

    def assigned_on(self, places: Sequence[tuple[Catalog, date]]) -> Iterator[pa.Table]:
        """For each catalogue of a route and day the rows of `topics`, in this order."""
        return (self.assigned(known, known.topics[0].route, day) for known, day in places)

    def assigned(self, known: Catalog, route: str, day: date) -> pa.Table:
        """The topics of a route's production inputs, and of the examples that are the route's or every route's."""
        found: list[pa.Table] = []
        if known.topics:
            for origin in ("production", *_ORIGINS):
                for name in (route,) if origin == "production" else (route, texts.EVERY_ROUTE):
                    found.append(_rows(self.reader.read([day], name, origin=origin), known, route, origin))
        return pa.concat_tables(found) if found else from_rows([], "topics")

    def _night(self, day: date, route: str) -> Night:
        rows = self.reader.read(self._window_and(day), route)
        return Night(day, rows, lambda: self._input_texts([day]))

    def _window_and(self, day: date) -> list[date]:
        return [*vectors.window(day, self.window_days), day]

    def _fitted(self, day: date, route: str) -> Catalog:
        ahead = each_day(day + timedelta(days=1), min(self.last, day + timedelta(days=_FIT_AHEAD)))
        days = [*self._window_and(day), *ahead]
        rows = self.reader.read(days, route)
        if len(rows) < catalog.FEWEST_TEXTS:
            return Catalog()
        return catalog.fit(rows, self._input_texts(days), route, self.model, day)

    def _fitted_again(self, night: Night, known: Catalog) -> Catalog:
        """A new version of what is known, where one is due."""
        if not known.is_due(night.day, len(night.rows), self.window_days):
            return known
        days = self._window_and(night.day)
        return catalog.fit_again(night.rows, self._input_texts(days), known, night.day, days[0])

    def _input_texts(self, days: Iterable[date]) -> dict[str, str]:
        """The inputs of the embedded calls, by call_id. Days that are not needed again are dropped from memory."""
        asked, held = list(days), self._texts_by_day
        for day in set(held) - set(asked):
            del held[day]
        for day in asked:
            if day not in held:
                held[day] = texts.of_calls(self.lake, day, self.reader.ids(day, catalog.SIDE))
        return {call_id: text for day in asked for call_id, text in held[day].items()}

    def _two_samples(self, night: Night, route: str) -> Iterator[Row]:
        if row := novelty.two_samples(night, route, "input"):
            yield row
        outputs = self.reader.read(self._window_and(night.day), route, side="output")
        if row := novelty.two_samples(Night(night.day, outputs), route, "output"):
            yield row

    def _complaints(self, day: date, route: str) -> Iterator[str]:
        """A line for each side whose texts the model cannot tell apart."""
        for side in ("input", "output"):
            rows = self.reader.read([day], route, side=side)
            ids = rows.call_ids[:_READ_FOR_SCRIPTS]
            read = partial(texts.of_calls, self.lake, day, ids, side)
            if len(rows) and (said := scripts.complaint(self.model, side, rows.vectors[: len(ids)], read)):
                yield f"route {route}: {said}"


def _rows(rows: Vectors, known: Catalog, route: str, origin: str) -> pa.Table:
    if not len(rows):
        return from_rows([], "topics")
    places, distances, is_novel = known.assign(rows.vectors)
    ids = [known.topics[place].topic_id for place in places]
    made = zip(rows.call_ids, ids, distances.tolist(), is_novel.tolist(), strict=True)
    common = {"side": catalog.SIDE, "origin": origin, "route": route, "topic_version": known.topics[0].topic_version}
    return from_rows(
        ({"call_id": call_id, "topic_id": topic_id, "distance": distance, "is_novel": novel, **common}
         for call_id, topic_id, distance, novel in made), "topics",
    )  # fmt: skip
