"""The semantics of a range of days: embed texts, assign or find topics, land tests.

Belongs here: the order of the steps, day by day. Running the same days again gives the same files.
"""

from dataclasses import astuple, dataclass
from datetime import date
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from flows import progress
from flows.config import Config
from flows.lake import Lake, each_day, from_rows
from flows.retention import EXPIRED
from flows.semantics import catalog, embedding, texts, vectors
from flows.semantics.catalog import Catalog
from flows.semantics.route_nights import RouteNight, RouteNights
from flows.semantics.spread_routes import SpreadEmbedder, SpreadRoutes, spread
from flows.semantics.vectors import Embedded, Reader
from flows.words import counted


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
    most = config.embedding.max_texts_per_day
    with config.engine.open_tasks() as tasks:
        embedder = spread(embedder, tasks)
        at_once = vectors.BATCH_OF_CLUSTER if isinstance(embedder, SpreadEmbedder) else vectors.BATCH
        done = [
            vectors.embed_day(lake, day, config.window_days, texts.of_day(lake, day, most), embedder, at_once=at_once)
            for day in progress.track(days, "embedding, days", len(days))
        ]
    totals = zip(*(astuple(one) for one in done), strict=True)
    return Embedded(*(sum(column) for column in totals))


def find_topics(config: Config, first: date, last: date) -> TopicsResult:
    """Land topics, topic_catalog and topic_tests of the days, in order, and topics of days of the window without them.

    In one thread: sums of several threads differ in their last bits, and then the files would too. Also, threads that
    wait for each other on a busy machine take many times as long as one. On a cluster, each route of a night is a task.
    """
    lake, model = config.open_lake(), embedding.name_of(config)
    with threadpool_limits(1), config.engine.open_tasks() as tasks:
        if tasks:
            return _find_topics(config, SpreadRoutes(tasks, config, model, last), first, last)
        here = RouteNights(lake, config.window_days, model, last, Reader(lake, model))
        return _find_topics(config, here, first, last)


def _find_topics(config: Config, routes: RouteNights | SpreadRoutes, first: date, last: date) -> TopicsResult:
    lake = config.open_lake()
    topics = added = tests = 0
    refits: list[tuple[set[str], set[str]]] = []
    for day in progress.track(each_day(first, last), "topics, days", (last - first).days + 1):
        names = sorted({*vectors.routes_of(lake, day, routes.model), *catalog.routes_before(lake, day)})
        nights = list(routes.nights(day, names))
        _land(lake, day, nights)
        if day == first:
            _fill_window(config, routes, day, [night.known for night in nights if night.known])
        for line in (line for night in nights for line in night.complaints):
            progress.tell(line)
        topics = sum(len(night.known.topics) for night in nights)
        added += sum(night.added for night in nights)
        tests += sum(len(night.tested) for night in nights)
        refits += [night.refit for night in nights if night.refit]
    return TopicsResult(
        topics,
        added,
        tests,
        len(refits),
        sum(len(old & new) for old, new in refits),
        sum(len(new - old) for old, new in refits),
        sum(len(old - new) for old, new in refits),
    )


def _land(lake: Lake, day: date, nights: list[RouteNight]) -> None:
    catalog.land(lake, day, [night.known for night in nights])
    _land_topics(lake, day, [night.assigned for night in nights])
    lake.write("topic_tests", day, from_rows((row for night in nights for row in night.tested), "topic_tests"))
    lake.write("topic_pasts", day, from_rows((row for night in nights for row in night.pasts), "topic_pasts"))


def _fill_window(config: Config, routes: RouteNights | SpreadRoutes, first: date, known: list[Catalog]) -> None:
    """Assign topics of the first night to days of the window that are embedded but have no topics."""
    lake = config.open_lake()
    embedded, have = set(lake.days("embeddings")), set(lake.days("topics"))
    days = [day for day in vectors.window(first, config.window_days) if day in embedded and day not in have]
    rows = routes.assigned_on([(one, day) for day in days for one in known])
    for day in days:
        _land_topics(lake, day, list(islice(rows, len(known))))


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


def _land_topics(lake: Lake, day: date, rows: list[pa.Table]) -> None:
    lake.write("topics", day, pa.concat_tables(rows) if rows else from_rows([], "topics"))
