"""Maps and redacts batches on one thread per processor, in the order of the batches."""

import threading
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flows.config import Config, Source
from flows.ingest.map.casting_sql import key_of
from flows.ingest.map.idle_mappers import MapperOf
from flows.ingest.map.mapper import Mapped, Mapper
from flows.ingest.read import BATCH_BYTES, IN_BASE64, Batch
from flows.ingest.redact import Redactor, drop_paths

# What a batch takes while it is mapped: its bytes, those of its rows, and what DuckDB needs to make one of the other.
_BATCH_MEMORY = 6 * BATCH_BYTES


class Workers:
    """A thread pool; each thread has a mapper for each format, and a redactor."""

    def __init__(self, config: Config, user_key_secret: bytes) -> None:
        self._config, self._secret = config, user_key_secret
        engine = config.engine
        self._threads = max(1, min(engine.processors, engine.memory_bytes // _BATCH_MEMORY))
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="ingest")
        self._own = threading.local()
        self._mappers: list[MapperOf] = []
        self._redactors: list[Redactor] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None = None, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        for planned in self._mappers:
            if error is None:
                planned.give_back()
            else:
                planned.mapper.close()

    @property
    def redacted(self) -> Counter[str]:
        """The number of replaced finds of each kind so far."""
        return sum((redactor.found for redactor in self._redactors), Counter[str]())

    @property
    def redacted_here(self) -> Counter[str]:
        """The number of finds that were replaced in the calling thread so far."""
        return Counter(self._redactor().found)

    def mapped(self, batches: Iterator[tuple[Source, Batch]]) -> Iterator[Mapped]:
        """The result of each batch, in order. Only a few are in progress at any time, so that memory is bounded."""
        under_way: deque[Future[Mapped]] = deque()
        for source, batch in batches:
            under_way.append(self._pool.submit(self.map, source, batch))
            if len(under_way) > self._threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def map(self, source: Source, batch: Batch) -> Mapped:
        """The result of one batch, made in the calling thread."""
        raw, _ = drop_paths(batch.records.column("raw"), self._config.redact_paths)
        without_fields = replace(batch, records=batch.records.set_column(2, "raw", raw))
        mapped = self._mapper(source.format).map(without_fields, source.route_path)
        redactor = self._redactor()
        return replace(
            mapped,
            interactions=redactor.table(_completed(mapped.interactions, source)),
            feedback=_keyed(redactor.table(mapped.feedback), mapped.feedback),
            refused=_redacted(mapped.refused, redactor),
        )

    def _mapper(self, log_format: str) -> Mapper:
        own: dict[str, Mapper] = self._own.__dict__.setdefault("mappers", {})
        if log_format not in own:
            planned = MapperOf(log_format, self._secret, self._config.workspace)
            self._mappers.append(planned)
            own[log_format] = planned.mapper
        return own[log_format]

    def _redactor(self) -> Redactor:
        if not hasattr(self._own, "redactor"):
            self._own.redactor = Redactor(self._config.redact)
            self._redactors.append(self._own.redactor)
        redactor: Redactor = self._own.redactor
        return redactor


def _completed(rows: pa.Table, source: Source) -> pa.Table:
    """Add what a record does not contain: its source, and the source's route, or `default` where none is named."""
    route = rows.column("route")
    named = pc.if_else(pc.equal(pc.fill_null(route, ""), ""), "default", route)
    if source.route and not source.route_path:
        named = pa.chunked_array([pa.repeat(source.route, len(rows))])
    rows = rows.set_column(rows.column_names.index("route"), "route", named)
    return rows.set_column(rows.column_names.index("source"), "source", pa.repeat(source.name, len(rows)))


def _keyed(rows: pa.Table, unredacted: pa.Table) -> pa.Table:
    """Signals with the kind of key that they are landed with; the next run uses it to find duplicates."""
    if rows is unredacted or rows.column("kind").equals(unredacted.column("kind")):
        return rows
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        keys = connection.sql(f"select {key_of('feedback')} as key from rows").to_arrow_table().column("key")
    return rows.set_column(rows.column_names.index("key"), "key", keys)


def _redacted(refused: pa.Table, redactor: Redactor) -> pa.Table:
    """Rejected records, redacted; base64 records are decoded for it."""
    if not len(refused):
        return refused
    in_base64 = pc.ends_with(refused.column("reason"), IN_BASE64)
    coded = refused.filter(in_base64)
    raw = pa.array([redactor.encoded(text) for text in coded.column("raw").to_pylist()], pa.string())
    coded = redactor.table(coded.set_column(coded.column_names.index("raw"), "raw", pa.nulls(len(coded), pa.string())))
    coded = coded.set_column(coded.column_names.index("raw"), "raw", raw)
    return pa.concat_tables([redactor.table(refused.filter(pc.invert(in_base64))), coded])
