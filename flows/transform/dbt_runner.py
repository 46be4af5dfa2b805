"""One dbt command in this process, by dbt's runner, without its output in the night's log.

dbt's parsed project and its log are kept in `<lake>/_dbt`, or in `.genchi/_dbt` of the workspace if the lake is in an
object store.
"""

import glob
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flows import progress
from flows.config import Config
from flows.errors import ConfigError, RunError
from flows.lake import scratch_prefix
from flows.project import DBT_PROJECT
from flows.transform import dbt_events, ephemeral_models, parsed_project, spark_models
from flows.transform.dictionary import write_words
from flows.transform.spark_build import require_for_spark
from flows.transform.spark_session import is_on_spark, session_of
from flows.transform.workspace_package import FOLDER, PACKAGES

# For a night, whose manifest and its like nobody reads; dbt takes half a second to write them.
NOTHING_WRITTEN = "--no-write-json"
_LEVELS = {"info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_NODE_STARTS = "LogStartLine"
_LOG_BYTES = 10 << 20
_SHOWN_SQL = re.compile(r"\s*^[ \t]*LINE (\d+):.*(?:\n[ \t]*\^+[ \t]*$)?", re.MULTILINE)
_SPARKS_PLAN = re.compile(r"(?<=SQLSTATE: \w{5})[;\n].*", re.DOTALL)
_FAILED = ("error", "fail", "runtime error")


@dataclass(frozen=True)
class Node:
    """One node that a command ran: its type (model, seed, test, unit_test), name, file, status and message."""

    kind: str
    name: str
    file: str
    status: str
    message: str


def run_dbt(
    config: Config, arguments: list[str], variables: Mapping[str, object], environment: Mapping[str, str]
) -> list[Node]:
    """Run `dbt <arguments>` on the workspace's warehouse and return the nodes that it ran.

    dbt prints nothing, unless `environment` sets DBT_LOG_LEVEL. Afterwards the warehouse is closed. Raises RunError,
    in one line, if a node or dbt itself fails, and ConfigError if dbt cannot read the models of the workspace.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - imported late: costs seconds

    target = Path(environment.get("DBT_TARGET_PATH", config.state / "_dbt" / "target"))
    parsed_project.drop_if_moved(target, environment.get(PACKAGES, ""))
    parsed = nullcontext() if PACKAGES in environment else parsed_project.shared(config, variables, target)
    quiet = nullcontext() if "DBT_LOG_LEVEL" in environment else dbt_events.without_debugging()
    with opened_for_dbt(config, {"DBT_LOG_LEVEL": "none", **environment}) as note, parsed, quiet:
        outcome = dbtRunner(callbacks=[note]).invoke([*arguments, "--vars", json.dumps(dict(variables))])
        nodes = _nodes(outcome)
    if isinstance(outcome.exception, Exception):
        is_of_workspace = PACKAGES in environment and _is_wrong_code(outcome.exception)
        told = _refusal(config, outcome.exception) or _where(outcome.exception) + _cause(str(outcome.exception))
        raise (ConfigError if is_of_workspace else RunError)(f"dbt: {told}") from None
    if outcome.exception is not None:  # dbt catches Ctrl-C, too
        raise outcome.exception
    failed = [node for node in nodes if node.status in _FAILED]
    if NOTHING_WRITTEN in arguments:
        _keep_results(outcome, target / "run_results.json", is_failed=bool(failed))
    if failed:
        raise RunError(f"dbt: {_failure(failed, on_spark=is_on_spark(config))}")
    return nodes


def _keep_results(outcome: Any, place: Path, *, is_failed: bool) -> None:
    """Keep what `genchi dbt retry` reads, of a run that failed alone."""
    if not is_failed:
        place.unlink(missing_ok=True)
        return
    with suppress(OSError):  # a full disk: the failure itself is told
        outcome.result.write(str(place))


def _failure(failed: list[Node], *, on_spark: bool = False) -> str:
    """The first node that failed, with its file where it is the workspace's own, and how many others did."""
    first = failed[0]
    is_own = first.file.startswith(f"{FOLDER}/")
    where = f"{first.file}: " if is_own else ""
    hint = "; on Spark: say what only one engine knows in a macro that dispatches" if is_own and on_spark else ""
    others = f"; {len(failed) - 1:,} more failed: {', '.join(node.name for node in failed[1:])}" if failed[1:] else ""
    return f"{where}the {first.kind} {first.name} failed: {_cause(first.message)}{hint}{others}"


@contextmanager
def opened_for_dbt(config: Config, environment: Mapping[str, str]) -> Iterator[Callable[[Any], None]]:
    """Set up dbt's project, the warehouse, access to the lake and these environment variables for the block.

    Yields the callback for dbt's runner that writes dbt's log. Afterwards everything is closed. Paths are escaped,
    because they are read as glob patterns. Writes the dictionary if it is missing.
    """
    kept = config.state / "_dbt"
    config.warehouse.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "GENCHI_WAREHOUSE": str(config.warehouse),
        "GENCHI_LAKE": glob.escape(str(config.lake)) if isinstance(config.lake, Path) else config.lake,
        "GENCHI_WORDS": glob.escape(str(write_words(config.open_lake()))),
        "GENCHI_THREADS": str(config.engine.processors),
        "DBT_PROJECT_DIR": str(DBT_PROJECT),
        "DBT_PROFILES_DIR": str(DBT_PROJECT),
        "DBT_TARGET_PATH": str(kept / "target"),
        "DBT_LOG_PATH": str(kept / "logs"),
        "DBT_LOG_LEVEL_FILE": "none",  # dbt does not close its log file, so `_log_in` writes it
        **environment,
    }
    ephemeral_models.install()
    parsed_project.install()
    if is_on_spark(config):
        require_for_spark(config)
        spark_models.install()
        settings |= {"GENCHI_TARGET": "spark", "SPARK_REMOTE": str(config.engine.remote)}
    with (
        _scratch(config) as scratch,
        _environment({"GENCHI_SCRATCH": scratch, **settings}),
        _log_in(kept / "logs") as note,
        _closing_afterwards(),
        _open_to_dbt(config),
    ):
        yield note


def _scratch(config: Config) -> AbstractContextManager[str]:
    """A folder for files that will be moved to the lake, beside it; or uploaded, if it is in a store."""
    kept = config.state / "_dbt"
    kept.mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(prefix=scratch_prefix(), dir=kept if isinstance(config.lake, Path) else None)


def _open_to_dbt(config: Config) -> AbstractContextManager[object]:
    if is_on_spark(config):
        return session_of(config)
    from flows.transform import store_plugin  # noqa: PLC0415 - imported late with dbt

    return store_plugin.opened(config.open_lake())


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _log_in(folder: Path) -> Iterator[Callable[[Any], None]]:
    """A callback for dbt's events: those above debug are written to `dbt.log`, and who waits sees how far it is."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(folder / "dbt.log", maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s [%(levelname)-5s] %(message)s"))
    lines = logging.Logger("dbt")  # a logger outside the process's logger tree: its lines only go to this file
    lines.addHandler(handler)

    def note(event: Any) -> None:
        if event.info.name == _NODE_STARTS:
            progress.reached("models and tests", event.data.index - 1, event.data.total)
        if event.info.level in _LEVELS:
            lines.log(_LEVELS[event.info.level], "%s", event.info.msg)

    try:
        yield note
    finally:
        lines.disabled = True  # dbt keeps its callbacks, and a closed handler would open its file again
        handler.close()


@contextmanager
def _closing_afterwards() -> Iterator[None]:
    """Close dbt's connections, which it keeps open between commands: they would lock the warehouse."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - imported late with dbt
    from dbt.adapters.factory import reset_adapters  # noqa: PLC0415 - imported late with dbt

    try:
        yield
    finally:
        reset_adapters()  # type: ignore[no-untyped-call]  # dbt's own
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # dbt's own


def _refusal(config: Config, error: BaseException | None) -> str:
    """What the disk refused to dbt, with the place, which dbt does not always tell; empty for other errors."""
    while error is not None and not (isinstance(error, OSError) and error.strerror):
        error = error.__cause__ or error.__context__
    if error is None:
        return ""
    place = error.filename or config.state / "_dbt"
    return f"{place}: {error.strerror}; free space or repair the disk, and run the same command again"


def _is_wrong_code(error: Exception) -> bool:
    """Whether dbt could not read what people wrote: their SQL, Jinja or YAML, or a reference to what is not there."""
    from dbt.exceptions import ParsingError  # noqa: PLC0415 - imported late with dbt
    from dbt_common.exceptions import CompilationError, DbtConfigError  # noqa: PLC0415 - as above

    return isinstance(error, CompilationError | ParsingError | DbtConfigError)


def _where(error: Exception) -> str:
    """The workspace's file that dbt's heading names, which `_cause` leaves out."""
    heading, _, rest = str(error).strip().partition("\n")
    found = re.search(rf"\(({FOLDER}/[^()]+)\)", heading)
    return f"{found[1]}: " if found and rest.strip() else ""


def _nodes(outcome: Any) -> list[Node]:
    return [
        Node(
            str(result.node.resource_type),
            result.node.name,
            result.node.original_file_path,
            str(result.status),
            result.message or "",
        )
        for result in getattr(outcome.result, "results", ())
    ]


def _cause(message: str) -> str:
    """A dbt message in one line, without its heading, which contains the node and its file.

    Of the line of SQL that DuckDB shows with carets below, only its number is left; of Spark's stack, nothing.
    """
    heading, _, rest = _SPARKS_PLAN.sub("", message).strip().partition("\n")
    return " ".join(_SHOWN_SQL.sub(r" (line \1 of the SQL that dbt ran)", rest if rest.strip() else heading).split())
