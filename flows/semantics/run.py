"""The semantics of a range of days: embed texts, assign or find topics, land tests.

Belongs here: the order of the steps, day by day. Running the same days again gives the same files.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from flows.config import Config
from flows.lake import Lake, each_day, from_rows
from flows.retention import EXPIRED
from flows.semantics import catalog, embedding, novelty, texts, vectors
from flows.semantics.catalog import Catalog
from flows.semantics.novelty import Night, Row
from flows.semantics.vectors import Embedded, Vectors

# A catalogue is fitted on the window before a route's first day, on that day, and, in a backfill, on up to six days
# after it, so that all weekdays are included.
_FIT_AHEAD = 6
_ORIGINS = ("dev", "holdout")


@dataclass(frozen=True)
class TopicsResult:
    """The results of the topics step: topics at the end of the days, topics added in them, and tests made."""

    topics: int = 0
    added: int = 0
    tests: int = 0


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
        return f"{done.texts:,} texts, {done.new:,} newly embedded{rate}; {topics.topics:,} topics{new}"


def run_semantics(config: Config, first: date, last: date) -> SemanticsResult:
    """Embed, and find topics, for every day from `first` to `last`, both included.

    Raises ConfigError if the embedding model is not available, and RunError if it cannot be reached.
    """
    return SemanticsResult(embed_days(config, first, last), find_topics(config, first, last))


def embed_days(config: Config, first: date, last: date, embedder: embedding.Embedder | None = None) -> Embedded:
    """Land the embeddings of the days, and of those days of their window that have calls and no embeddings yet."""
    lake, embedder = config.open_lake(), embedder or embedding.embedder(config)
    done = [
        vectors.embed_day(
            lake, day, config.window_days, texts.of_day(lake, day, config.embedding.max_texts_per_day), embedder
        )
        for day in [*_missing(lake, config, first), *each_day(first, last)]
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
    run = _Run(lake, config, model, last)
    added = tests = 0
    known: list[Catalog] = []
    for day in each_day(first, last):
        known, rows, tested, pasts = [], [], [], []
        input_texts = run.input_texts([day])
        for route in _routes(lake, day, model):
            night = run.night(day, route, input_texts)
            before = catalog.of_night(lake, day, route, model) or run.fitted(day, route)
            after, found = novelty.new_topics(night, before, route, day - timedelta(days=config.window_days))
            known.append(after)
            tested += [*found, *run.two_samples(night, route)]
            pasts += [
                row for place in range(len(before.topics), len(after.topics))
                for row in novelty.past_of(night, after, place)
            ]  # fmt: skip
            rows.append(_assigned(lake, after, route, [day], model))
            added += len(after.topics) - len(before.topics)
        catalog.land(lake, day, known)
        _land_topics(lake, day, rows)
        lake.write("topic_tests", day, from_rows(tested, "topic_tests"))
        lake.write("topic_pasts", day, from_rows(pasts, "topic_pasts"))
        tests += len(tested)
        if day == first:
            run.fill_window(day, known)
    return TopicsResult(sum(len(one.topics) for one in known), added, tests)


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


def _routes(lake: Lake, day: date, model: str) -> list[str]:
    """The routes that had calls, and those with known topics."""
    rows = lake.read("embeddings", day, columns=["route", "origin", "model"])
    rows = rows.filter(pc.and_(pc.equal(rows["origin"], "production"), pc.equal(rows["model"], model)))
    return sorted({*pc.unique(rows["route"]).to_pylist(), *catalog.routes_before(lake, day)})


@dataclass(frozen=True)
class _Run:
    """The state that the steps of a run share: `last` is its last day."""

    lake: Lake
    config: Config
    model: str
    last: date
    texts_by_day: dict[date, dict[str, str]] = field(default_factory=dict)

    def night(self, day: date, route: str, input_texts: Mapping[str, str]) -> Night:
        return Night(day, vectors.read(self.lake, self.window_and(day), route, self.model), input_texts)

    def window_and(self, day: date) -> list[date]:
        return [*vectors.window(day, self.config.window_days), day]

    def fitted(self, day: date, route: str) -> Catalog:
        ahead = each_day(day + timedelta(days=1), min(self.last, day + timedelta(days=_FIT_AHEAD)))
        days = [*self.window_and(day), *ahead]
        rows = vectors.read(self.lake, days, route, self.model)
        if len(rows) < catalog.FEWEST_TEXTS:
            return Catalog()
        return catalog.fit(rows, self.input_texts(days), route, self.model, day)

    def input_texts(self, days: Iterable[date]) -> dict[str, str]:
        """The inputs of the embedded calls, by call_id. Days that are not needed again are dropped from memory."""
        asked = list(days)
        for day in set(self.texts_by_day) - set(asked):
            del self.texts_by_day[day]
        for day in asked:
            if day not in self.texts_by_day:
                self.texts_by_day[day] = texts.input_texts(
                    self.lake, day, vectors.ids(self.lake, day, self.model, catalog.SIDE)
                )
        return {call_id: text for day in asked for call_id, text in self.texts_by_day[day].items()}

    def two_samples(self, night: Night, route: str) -> Iterator[Row]:
        if row := novelty.two_samples(night, route, "input"):
            yield row
        outputs = vectors.read(self.lake, self.window_and(night.day), route, self.model, side="output")
        if row := novelty.two_samples(Night(night.day, outputs, {}), route, "output"):
            yield row

    def fill_window(self, first: date, known: list[Catalog]) -> None:
        """Assign topics of the first night to days of the window that are embedded but have no topics."""
        embedded, have = set(self.lake.days("embeddings")), set(self.lake.days("topics"))
        for day in vectors.window(first, self.config.window_days):
            if day in embedded and day not in have:
                rows = [_assigned(self.lake, one, one.topics[0].route, [day], self.model) for one in known if one]
                _land_topics(self.lake, day, rows)


def _assigned(lake: Lake, known: Catalog, route: str, days: list[date], model: str) -> pa.Table:
    """The topics of a route's production inputs, and of the examples that are the route's or every route's."""
    found: list[pa.Table] = []
    if known.topics:
        for origin in ("production", *_ORIGINS):
            for name in (route,) if origin == "production" else (route, texts.EVERY_ROUTE):
                found.append(_rows(vectors.read(lake, days, name, model, origin=origin), known, route, origin))
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
