"""Checks that everything a night needs can be reached and written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx

from flows.config import BASELINE, Config, Model, Source
from flows.errors import ConfigError, RunError
from flows.ingest import count_rows, describe_example_sets, shown_dsn, unreadable
from flows.lake import find_files
from flows.llm import is_local
from flows.outgoing import without_credentials

# So many files or folders that cannot be read are named.
_TOLD = 10


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    fine: bool
    text: str


def examine(config: Config, day: date) -> list[Finding]:
    """Look at the lake, the sources (for `day`), test sets, models and alerts. Spends no tokens."""
    findings = [Finding(True, f"configuration: {config.path}"), _lake(config)]
    findings += _sources(config, day)
    findings += _test_sets(config)
    findings += [_model(model) for model in config.models.written()] if config.models else []
    if not config.alerts:
        findings.append(Finding(True, "alerts: none configured; failures show in the report and the exit code"))
    return findings


def _lake(config: Config) -> Finding:
    try:
        config.open_lake().probe()
    except RunError as error:
        return Finding(False, f"lake: {error}")
    except OSError as error:
        return Finding(False, f"lake: {config.lake}: {error.strerror} while writing; check its permissions")
    is_new = isinstance(config.lake, Path) and not config.lake.exists()
    state = "does not exist yet; the first run creates it" if is_new else "can be listed and written"
    return Finding(True, f"lake: {config.lake} {state}; the warehouse is {config.warehouse}")


def _sources(config: Config, day: date) -> Iterator[Finding]:
    if not config.sources:
        yield Finding(True, "sources: none configured; no logs are read")
    for source in config.sources:
        if source.dsn:
            yield _database(source, source.dsn, day)
            continue
        where = source.path.replace("{day}", day.isoformat())
        try:
            found, unread = find_files(where, config.storage), unreadable(config, source, day)
        except RunError as error:
            yield Finding(False, f"source {source.name}: {error}")
            continue
        yield Finding(bool(found), f"source {source.name}: {_count(len(found), 'file')} for {day} at {where}")
        for one in unread[:_TOLD]:
            yield Finding(False, f"source {source.name}: {one.name}: {one.why}")
        if len(unread) > _TOLD:
            more = len(unread) - _TOLD
            yield Finding(False, f"source {source.name}: {more:,} more files or folders that cannot be read")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _database(source: Source, dsn: str, day: date) -> Finding:
    try:
        found = count_rows(dsn, source.query, day)
    except RunError as error:
        return Finding(False, f"source {source.name}: {error}")
    return Finding(bool(found), f"source {source.name}: {_count(found, 'row')} for {day} at {shown_dsn(dsn)}")


def _test_sets(config: Config) -> Iterator[Finding]:
    try:
        for line in describe_example_sets(config):
            yield Finding(True, line)
    except ConfigError as error:
        yield Finding(False, str(error))


def _model(model: Model) -> Finding:
    if model.api_base:
        try:
            headers = {"Authorization": f"Bearer {model.api_key}"} if model.api_key else {}
            answer = httpx.get(f"{model.api_base.rstrip('/')}/models", timeout=10, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # its message may hold the key
            problem = f"no response: {type(error).__name__}; check `api_base` and the network"
            return Finding(False, f"model {model.name}: {without_credentials(model.api_base)}: {problem}")
        return Finding(
            answer.status_code < 400,
            f"model {model.name}: {without_credentials(model.api_base)} answers with status {answer.status_code}",
        )
    if model.model.startswith(BASELINE):
        return Finding(True, f"model {model.name}: trained on the labelled examples, in this process")
    if is_local(model.model):
        return Finding(True, f"model {model.name}: runs in this process")
    from litellm import validate_environment  # noqa: PLC0415 - imported late: litellm takes seconds

    missing = validate_environment(model.model, api_key=model.api_key)["missing_keys"] if not model.api_key else []
    return Finding(
        not missing,
        f"model {model.name}: "
        + (f"missing environment variables: {', '.join(missing)}" if missing else "its key is set"),
    )
