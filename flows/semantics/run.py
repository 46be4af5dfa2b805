"""The semantics of a range of days: embed texts, assign or find topics, land tests.

Belongs here: the order of the steps, day by day. Running the same days again gives the same files.
"""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field
from datetime import date, timedelta
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from flows import progress
from flows.config import Config
from flows.lake import Lake, each_day, from_rows
from flows.retention import EXPIRED
from flows.semantics import catalog, embedding, novelty, scripts, texts, vectors
from flows.semantics.catalog import Catalog
from flows.semantics.novelty import Night, Row
from flows.semantics.vectors import Embedded, Reader, Vectors
from flows.words import counted

# A catalogue is fitted on the window before a route's first day, on that day, and, in a backfill, on up to six days
# after it, so that all weekdays are included.
_FIT_AHEAD = 6
_READ_FOR_SCRIPTS = 200  # texts of a route
_ORIGINS = ("dev", "holdout")


@dataclass(frozen=True)
class TopicsResult:
    """The results of the topics step: topics at the end of the days, topics added in them, and tests made.

    Catalogues got so many new versions, in which topics were kept, came and ended.
    """

    topics: int = 0
    added: int = 0
    tests: int = 0
    versions: int = 0
    kept: int = 0
    came: int = 0
    ended: int = 0


@dataclass(frozen=True)
class SemanticsResult:
    """The results of the stage."""

    embedded: Embedded
    topics: TopicsResult

    def summary(self) -> str:
        """A summary in one line, with the throughput of the embedding."""
        done, topics = self.embedded, self.topics
        rate = f", {done.new / done.seconds:,.0f} per second" if done.new and done.seconds else ""
        new = f", {topics.added:,} of them new" if topics.added else ""
        versions = (
            f"; {counted(topics.versions, 'new version')} of the topics: {topics.kept:,} kept, {topics.came:,} new,"
            f" {topics.ended:,} ended" if topics.versions else ""
        )  # fmt: skip
        return f"{done.texts:,} texts, {done.new:,} newly embedded{rate}; {topics.topics:,} topics{new}{versions}"


def run_semantics(config: Config, first: date, last: date) -> SemanticsResult:
    """Embed, and find topics, for every day from `first` to `last`, both included.

    Raises ConfigError if the embedding model is not available, and RunError if it cannot be reached.
    """
    return SemanticsResult(embed_days(config, first, last), find_topics(config, first, last))


def embed_days(config: Config, first: date, last: date, embedder: embedding.Embedder | None = None) -> Embedded:
    """Land the embeddings of the days, and of those days of their window that have calls and no embeddings yet."""
    lake, embedder = config.open_lake(), embedder or embedding.embedder(config)
    days = [*_missing(lake, config, first), *each_day(first, last)]
    done = [
        vectors.embed_day(
            lake, day, config.window_days, texts.of_day(lake, day, config.embedding.max_texts_per_day), embedder
        )
        for day in progress.track(days, "embedding, days", len(days))
    ]
    totals = zip(*(astuple(one) for one in done), strict=True)
    return Embedded(*(sum(column) for column in totals))


def find_topics(config: Config, first: date, last: date) -> TopicsResult:
    """Land topics, topic_catalog and topic_tests of the days, in order, and topics of days of the window without them.

    In one thread: sums of several threads differ in their last bits, and then the files would too. Also, threads that
    wait for each other on a busy machine take many times as long as one.
    """
    with threadpool_limits(1):
        return _find_topics(config, first, last)


def _find_topics(config: Config, first: date, last: date) -> TopicsResult:
    lake, model = config.open_lake(), embedding.name_of(config)
    run = _Run(lake, config, model, last, Reader(lake, model))
    added = tests = 0
    refits: list[tuple[set[str], set[str]]] = []
    known: list[Catalog] = []
    for day in progress.track(each_day(first, last), "topics, days", (last - first).days + 1):
        known, rows, tested = [], [], []
        pasts: list[Row] = []
        for route in sorted({*run.reader.routes(day), *catalog.routes_before(lake, day)}):
            night = run.night(day, route)
            earlier = catalog.of_night(lake, day, route, model) or run.fitted(day, route)
            before = run.fitted_again(night, earlier)
            if before is not earlier:
                refits.append((earlier.ids, before.ids))
            after, found = novelty.new_topics(night, before, route, day - timedelta(days=config.window_days))
            known.append(after)
            tested += [*found, *run.two_samples(night, route)]
            # A new version has a past of its own, so that no share moves because texts are sorted differently.
            new = range(0 if before is not earlier else len(before.topics), len(after.topics))
            pasts += novelty.pasts_of(night, after, new)
            rows.append(run.assigned(after, route, day))
            added += len(after.topics) - len(before.topics)
        catalog.land(lake, day, known)
        _land_topics(lake, day, rows)
        lake.write("topic_tests", day, from_rows(tested, "topic_tests"))
        lake.write("topic_pasts", day, from_rows(pasts, "topic_pasts"))
        tests += len(tested)
        if day == first:
            run.fill_window(day, known)
        if day == last:
            run.tell_of_scripts(day)
    return TopicsResult(
        sum(len(one.topics) for one in known),
        added,
        tests,
        len(refits),
        sum(len(old & new) for old, new in refits),
        sum(len(new - old) for old, new in refits),
        sum(len(old - new) for old, new in refits),
    )


def _missing(lake: Lake, config: Config, first: date) -> list[date]:
    """The days of the window that have calls but no vectors of this model."""
    landed, model = set(lake.days("interactions")), embedding.name_of(config)
    return [
        day
        for day in vectors.window(first, config.window_days)
        if day in landed and not _is_embedded(lake, day, model) and not lake.exists("interactions", day, EXPIRED)
    ]


def _is_embedded(lake: Lake, day: date, model: str) -> bool:
    """Whether the day was embedded by the model, or has nothing to embed."""
    used = pc.unique(lake.read("embeddings", day, columns=["model"])["model"]).to_pylist()
    return model in used or (not used and day in lake.days("embeddings"))


@dataclass(frozen=True)
class _Run:
    """The state that the steps of a run share: `last` is its last day."""

    lake: Lake
    config: Config
    model: str
    last: date
    reader: Reader
    texts_by_day: dict[date, dict[str, str]] = field(default_factory=dict)

    def night(self, day: date, route: str) -> Night:
        rows = self.reader.read(self.window_and(day), route)
        return Night(day, rows, lambda: self.input_texts([day]))

    def window_and(self, day: date) -> list[date]:
        return [*vectors.window(day, self.config.window_days), day]

    def fitted(self, day: date, route: str) -> Catalog:
        ahead = each_day(day + timedelta(days=1), min(self.last, day + timedelta(days=_FIT_AHEAD)))
        days = [*self.window_and(day), *ahead]
        rows = self.reader.read(days, route)
        if len(rows) < catalog.FEWEST_TEXTS:
            return Catalog()
        return catalog.fit(rows, self.input_texts(days), route, self.model, day)

    def fitted_again(self, night: Night, known: Catalog) -> Catalog:
        """A new version of what is known, where one is due."""
        if not known.is_due(night.day, len(night.rows), self.config.window_days):
            return known
        days = self.window_and(night.day)
        return catalog.fit_again(night.rows, self.input_texts(days), known, night.day, days[0])

    def input_texts(self, days: Iterable[date]) -> dict[str, str]:
        """The inputs of the embedded calls, by call_id. Days that are not needed again are dropped from memory."""
        asked = list(days)
        for day in set(self.texts_by_day) - set(asked):
            del self.texts_by_day[day]
        for day in asked:
            if day not in self.texts_by_day:
                self.texts_by_day[day] = texts.of_calls(self.lake, day, self.reader.ids(day, catalog.SIDE))
        return {call_id: text for day in asked for call_id, text in self.texts_by_day[day].items()}

    def two_samples(self, night: Night, route: str) -> Iterator[Row]:
        if row := novelty.two_samples(night, route, "input"):
            yield row
        outputs = self.reader.read(self.window_and(night.day), route, side="output")
        if row := novelty.two_samples(Night(night.day, outputs), route, "output"):
            yield row

    def tell_of_scripts(self, day: date) -> None:
        """A line for each route and side whose texts the model cannot tell apart."""
        for route in sorted(self.reader.routes(day)):
            for side in ("input", "output"):
                rows = self.reader.read([day], route, side=side)
                ids = rows.call_ids[:_READ_FOR_SCRIPTS]
                read = partial(texts.of_calls, self.lake, day, ids, side)
                if said := scripts.complaint(self.model, side, rows.vectors[: len(ids)], read):
                    progress.tell(f"route {route}: {said}")

    def fill_window(self, first: date, known: list[Catalog]) -> None:
        """Assign topics of the first night to days of the window that are embedded but have no topics."""
        embedded, have = set(self.lake.days("embeddings")), set(self.lake.days("topics"))
        for day in vectors.window(first, self.config.window_days):
            if day in embedded and day not in have:
                rows = [self.assigned(one, one.topics[0].route, day) for one in known if one]
                _land_topics(self.lake, day, rows)

    def assigned(self, known: Catalog, route: str, day: date) -> pa.Table:
        """The topics of a route's production inputs, and of the examples that are the route's or every route's."""
        found: list[pa.Table] = []
        if known.topics:
            for origin in ("production", *_ORIGINS):
                for name in (route,) if origin == "production" else (route, texts.EVERY_ROUTE):
                    found.append(_rows(self.reader.read([day], name, origin=origin), known, route, origin))
        return pa.concat_tables(found) if found else from_rows([], "topics")


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


def _land_topics(lake: Lake, day: date, rows: list[pa.Table]) -> None:
    lake.write("topics", day, pa.concat_tables(rows) if rows else from_rows([], "topics"))
