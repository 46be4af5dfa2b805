"""A sample of a log's records, mapped as a night maps them, by one format or by all.

The format of a log is found by running the SELECT of each and taking the one that reads most: there is no second
description of the formats that could disagree with them. Where several read about the same, the field names in
their SELECT decide: whether they are of the sample's families (`gen_ai.*` or `llm.*`), and how many are in it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

import pyarrow.compute as pc

from flows.config import Config, Source, format_file, known_formats
from flows.ingest.preview.own_formats import unusable_formats
from flows.ingest.read import RECORDS, REFUSED, Batch, LogFile, read_files

if TYPE_CHECKING:
    from flows.ingest.map import Mapped

SAMPLE = 200
# What a reading is worth: the values that it found in these columns. Those that any SELECT fills are left out.
_VALUES = (
    *("input_text", "output_text", "output_json", "input_tokens", "output_tokens", "route", "finish_reason"),
    *("provider", "session_id", "user_key", "latency_ms", "ttft_ms", "cost_usd"),
)
_OF_A_SIGNAL = 3  # values of a feedback row
_ABOUT_THE_SAME = 0.95
_NAME = re.compile(r'"([A-Za-z_][\w.]*)"')
_FAMILY = re.compile(r'"([A-Za-z_]\w*)\.[\w.]+"')
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_SEARCHED_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class SampleReading:
    """What a format makes of a sample. `records` are the lines, rows or documents; the counts are of what is in them.

    `values` is what the reading is worth, `kinship` how much the sample's names are those of the format's SELECT.
    `incomplete` are the calls and signals with values that could not be read, `unreadable` the columns of these.
    Routes, models, reasons and columns are in the order of their frequency; days are in the configured time zone.
    """

    format: str
    records: int
    calls: int = 0
    duplicates: int = 0
    feedback: int = 0
    other: int = 0
    quarantined: int = 0
    incomplete: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    unreadable: tuple[tuple[str, int], ...] = ()
    routes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    days: tuple[date, ...] = ()
    values: int = 0
    kinship: tuple[float, int] = (0.0, 0)

    @property
    def reads(self) -> bool:
        """Whether it found any call or signal."""
        return self.calls + self.feedback > 0

    def is_worse_than(self, other: "SampleReading") -> bool:
        """Whether the other reads clearly more of the same sample."""
        return self.values < _ABOUT_THE_SAME * other.values


class Previewer:
    """Reads samples with the mappers and redaction of a workspace; each format is planned once."""

    def __init__(self, config: Config) -> None:
        from flows.ingest.map import Workers  # noqa: PLC0415 - imported late: few commands preview, and it takes a while

        self._zone, self._workspace = ZoneInfo(config.timezone), config.workspace
        broken = unusable_formats(config)
        self._formats = [name for name in known_formats(config.workspace) if name not in broken]
        self._workers = Workers(config, b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._workers.__exit__(error)

    def read(self, source: Source, file: LogFile) -> list[SampleReading]:
        """What each format makes of the file's first records, the source's own format first, then the best one.

        Raises RunError if a store or database cannot be reached, and ConfigError if the source's own format cannot be
        run; what is wrong with a file is its `problem`. Other formats of the workspace that cannot be run are left out.
        """
        sample = sampled(file)
        if not len(sample.records) + len(sample.refused):
            return [SampleReading(source.format, 0)]
        formats = [source.format, *(name for name in self._formats if name != source.format)]
        batches = ((source.model_copy(update={"format": name}), sample) for name in formats)
        names = _names_in(sample)
        readings = [
            self._reading(name, sample, mapped, names)
            for name, mapped in zip(formats, self._workers.mapped(batches), strict=True)
        ]
        return [readings[0], *_best_first(readings)]

    def _reading(self, log_format: str, sample: Batch, mapped: "Mapped", names: set[str]) -> SampleReading:
        calls, feedback = mapped.interactions, mapped.feedback
        distinct = pc.count_distinct(calls.column("key")).as_py() if len(calls) else 0
        reasons = Counter(mapped.refused.column("reason").to_pylist())
        unreadable = Counter(" ".join(mapped.incomplete.column("unreadable").to_pylist()).split())
        models = Counter(
            served or asked
            for served, asked in zip(
                calls.column("model_served").to_pylist(), calls.column("model_requested").to_pylist(), strict=True
            )
        )
        times = [*calls.column("started_at").to_pylist(), *feedback.column("at").to_pylist()]
        return SampleReading(
            format=log_format,
            records=_count_lines(sample),
            calls=distinct,
            duplicates=len(calls) - distinct,
            feedback=len(feedback),
            other=len(mapped.other),
            quarantined=len(mapped.refused),
            incomplete=len(mapped.incomplete),
            reasons=tuple(reasons.most_common()),
            unreadable=tuple(unreadable.most_common()),
            routes=_by_frequency(Counter(calls.column("route").to_pylist())),
            models=_by_frequency(models),
            days=tuple(sorted({time.astimezone(self._zone).date() for time in times})),
            values=sum(len(calls) - calls.column(name).null_count for name in _VALUES)
            + models.total()
            - models[None]
            + _OF_A_SIGNAL * len(feedback),
            kinship=_kinship(names, format_file(log_format, self._workspace)),
        )


def sampled(file: LogFile) -> Batch:
    """The first records of a file, and those before their end that cannot be decoded."""
    batch = next(read_files([file]), None)
    if batch is None:
        return Batch(RECORDS.empty_table(), REFUSED.empty_table())
    records = batch.records.slice(0, SAMPLE)
    if not len(records):
        return Batch(records, batch.refused.slice(0, SAMPLE))
    last = pc.max(records.column("line")).as_py()
    return Batch(records, batch.refused.filter(pc.less(batch.refused.column("line"), last)).slice(0, SAMPLE))


def _best_first(readings: list[SampleReading]) -> Iterator[SampleReading]:
    """Those that read anything: first those that read about as much as the best, by their kinship."""
    readings = sorted((one for one in readings if one.reads), key=lambda one: -one.values)
    if readings:
        best = readings[0]
        near = [one for one in readings if not one.is_worse_than(best)]
        yield from sorted(near, key=lambda one: (-one.kinship[0], -one.kinship[1], -one.values))
        yield from readings[len(near) :]


def _count_lines(sample: Batch) -> int:
    return len(sample.records) + len(sample.refused)


def _names_in(sample: Batch) -> set[str]:
    return set(_NAME.findall("\n".join(sample.records.column("raw").to_pylist())[:_SEARCHED_CHARACTERS]))


def _kinship(names: set[str], select: Path) -> tuple[float, int]:
    """How common the families of a sample's names are in a format's SELECT, and how many names are in both."""
    families, words = _names_of(select)
    of_family = sum(families[name.partition(".")[0]] for name in names if "." in name)
    return of_family / max(1, families.total()), len(names & words)


@cache
def _names_of(file: Path) -> tuple[Counter[str], frozenset[str]]:
    """The families of the dotted names in a format's SELECT, with their frequencies, and all its words."""
    select = file.read_text(encoding="utf-8")
    return Counter(_FAMILY.findall(select)), frozenset(_WORD.findall(select))


def _by_frequency(counts: Counter[Any]) -> tuple[str, ...]:
    return tuple(name for name, _ in sorted(counts.items(), key=lambda one: (-one[1], str(one[0]))) if name)
