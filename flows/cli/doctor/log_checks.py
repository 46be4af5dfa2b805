"""What a night will find at each source: files or rows for the day, and what becomes of a sample of the newest."""

import io
from collections.abc import Iterator
from datetime import date
from functools import partial

from flows.cli.doctor.check_result import Finding, Level
from flows.config import Config, Source, not_set, unset_variables
from flows.errors import ConfigError, RunError
from flows.ingest import (
    SAMPLE,
    LogFile,
    Previewer,
    SampleReading,
    count_rows,
    first_page,
    located,
    postgres_rows,
    sample_query,
    shown_dsn,
    unreadable,
)
from flows.outgoing import plain
from flows.source_arrivals import Arrivals, arrivals
from flows.words import counted, listed, outcome_counts, shown_days, with_counts

_SHOWN = 5


def source_findings(config: Config, day: date) -> Iterator[Finding]:
    """What is at each source for `day`, and what its newest records come to."""
    if not config.sources:
        yield Finding("ok", "sources: none configured; no logs are read")
        return
    past = _arrivals(config, day)
    with Previewer(config) as previewer:
        for source in config.sources:
            name = f"source {source.name}"
            if unset := unset_variables(source):
                yield Finding("misconfigured", f"{name}: {not_set(unset[0], 'reading logs')}")
                continue
            try:
                findings = _pages if source.api else _rows if source.dsn else _files
                yield from findings(config, previewer, source, day)
                yield from _usual_hour(past, source)
            except (ConfigError, RunError) as error:
                yield Finding("misconfigured", f"{name}: {error}")


def _files(config: Config, previewer: Previewer, source: Source, day: date) -> Iterator[Finding]:
    found = located(config, source, day)
    where = source.path.replace("{day}", day.isoformat())
    of_day = f" for {day}" if "{day}" in source.path else ""
    text = f"source {source.name}: {counted(found.for_day, 'file')}{of_day} at {where}"
    if found.newest is None:
        yield Finding("misconfigured", f"{text}{of_day and ', nor for any other day'}; correct its `path`")
        return
    if not found.for_day:
        yield Finding("warning", f"{text}; the newest are of {found.newest_day}: try --day {found.newest_day}")
    else:
        yield Finding("ok", text)
    unread = unreadable(config, source, day)
    for one in unread[:_SHOWN]:
        yield Finding("problem", f"source {source.name}: {plain(one.name)}: {one.why}")
    if len(unread) > _SHOWN:
        more = len(unread) - _SHOWN
        yield Finding("problem", f"source {source.name}: {more:,} more files or folders that cannot be read")
    if found.newest.name not in {one.name for one in unread}:
        yield from _sample(config, previewer, source, found.newest)


def _rows(config: Config, previewer: Previewer, source: Source, day: date) -> Iterator[Finding]:
    assert source.dsn is not None
    found = count_rows(source.dsn, source.query, day)
    text = f"source {source.name}: {counted(found, 'row')} for {day} at {shown_dsn(source.dsn)}"
    if not found:
        yield Finding("misconfigured", f"{text}; check its `query`, or give another --day")
        return
    yield Finding("ok", text)
    rows = partial(postgres_rows, source.dsn, sample_query(source.query, SAMPLE), day)
    yield from _sample(config, previewer, source, LogFile(source.name, shown_dsn(source.dsn), rows=rows))


def _arrivals(config: Config, day: date) -> dict[str, Arrivals]:
    try:
        return arrivals(config, config.open_lake(), day)
    except RunError:  # a lake that cannot be read is a finding of its own
        return {}


def _usual_hour(past: dict[str, Arrivals], source: Source) -> Iterator[Finding]:
    known = past.get(source.name)
    if known and known.usual:
        nights = counted(known.nights, "night")
        yield Finding("ok", f"source {source.name}: usually complete by {known.usual} ({nights} known)")


def _pages(config: Config, previewer: Previewer, source: Source, day: date) -> Iterator[Finding]:
    assert source.api is not None
    name, page = first_page(config, source, day, SAMPLE)
    where = f"{source.api.host} for {day}"
    if not page.records:
        yield Finding("warning", f"source {source.name}: no {name} at {where}; try another --day")
        return
    yield Finding("ok", f"source {source.name}: {len(page.records):,} {name} on the first page of {where}")
    file = LogFile(source.name, f"{name}.json", open=lambda: io.BytesIO(page.content))
    yield from _sample(config, previewer, source, file)


def _sample(config: Config, previewer: Previewer, source: Source, file: LogFile) -> Iterator[Finding]:
    reading, *best = previewer.read(source, file)
    name = f"source {source.name}"
    if file.problem:
        yield Finding("problem", f"{name}: {plain(file.name)}: {file.problem}")
        return
    if not reading.records:
        yield Finding("warning", f"{name}: {plain(file.name)} is empty")
        return
    if best and reading.is_worse_than(best[0]):
        yield Finding("misconfigured", f"{name}: {_wrong_format(reading, best[0], file)}")
        return
    limit = config.limits["max_quarantined_share"]
    units = reading.calls + reading.duplicates + reading.feedback + reading.other + reading.quarantined
    level: Level = "ok" if reading.reads and reading.quarantined <= limit * units else "problem"
    yield Finding(level, f"{name}: {outcome(reading, file.name)}")
    if reading.quarantined:
        level = "warning" if level == "ok" else "problem"
        yield Finding(level, f"{name}: quarantined: {reasons(reading)}")
    if reading.incomplete:
        yield Finding("warning", f"{name}: values that cannot be read are null: {with_counts(reading.unreadable)}")


def _wrong_format(reading: SampleReading, best: SampleReading, file: LogFile) -> str:
    found = f"reads less of {counted(reading.calls, 'call')}" if reading.calls else "reads no call"
    return (
        f"the format `{reading.format}` {found} in {counted(reading.records, 'record')} of {plain(file.name)};"
        f" `{best.format}` reads {counted(best.calls, 'call')}: write `format: {best.format}`"
    )


def outcome(reading: SampleReading, file: str) -> str:
    """What became of the sample of a file, in one line."""
    counts = outcome_counts(
        (reading.calls, "call"),
        (reading.duplicates, "duplicate"),
        (reading.feedback, "feedback signal"),
        (reading.other, "other"),
        (reading.quarantined, "quarantined"),
    )
    about = [listed("route", reading.routes or ("default",)), listed("model", reading.models), shown_days(reading.days)]
    newest = f"{counted(reading.records, 'record')} of {plain(file)}: {counts}"
    return "; ".join([newest, *(part for part in about if part and reading.calls)])


def reasons(reading: SampleReading) -> str:
    """Why records were quarantined, the most frequent reasons first."""
    shown = [f"{plain(reason)[:160]} ({counted(count, 'record')})" for reason, count in reading.reasons[:_SHOWN]]
    more = len(reading.reasons) - _SHOWN
    return "; ".join([*shown, *([f"and {more} more reasons"] if more > 0 else [])])
