"""One dbt command, in process, through prefect-dbt, without a trace of either in the night's log.

dbt keeps its parsed project and its own log in `<lake>/_dbt`; in `.genchi/_dbt` of the workspace where the lake is in
an object store.
"""

import gc
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flows.config import Config
from flows.errors import RunError
from flows.project import DBT_PROJECT

_FAILED = ("error", "fail", "runtime error")


@dataclass(frozen=True)
class Node:
    """One node that a command ran: its type (model, seed, test, unit_test), name, status and message."""

    kind: str
    name: str
    status: str
    message: str


def run_dbt(
    config: Config, arguments: list[str], variables: Mapping[str, object], environment: Mapping[str, str]
) -> list[Node]:
    """Run `dbt <arguments>` on the workspace's warehouse and return the nodes that it ran.

    Afterwards the warehouse is closed. Raises RunError, in one line, where a node or dbt itself fails.
    """
    kept = config.state / "_dbt"
    with opened_for_dbt(config, environment):
        try:
            outcome = _runner(kept / "target").invoke(
                arguments,
                vars=json.dumps(dict(variables)),
                log_path=str(kept / "logs"),
                log_level_file="info",
            )
        except ValueError as error:  # all that prefect-dbt raises for what dbt raised
            raise RunError(f"dbt: {_cause(str(error).removeprefix(_heading(arguments)))}") from None
        nodes = _nodes(outcome)
    for node in nodes:
        if node.status in _FAILED:
            raise RunError(f"dbt: the {node.kind} {node.name} failed: {_cause(node.message)}")
    return nodes


@contextmanager
def opened_for_dbt(config: Config, environment: Mapping[str, str]) -> Iterator[None]:
    """Let dbt find the warehouse and read the lake, with these variables; afterwards everything is closed."""
    config.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with (
        _environment({**environment, "GENCHI_WAREHOUSE": str(config.warehouse)}),
        _closing_afterwards(),
        _open_to_dbt(config),
    ):
        yield


def _runner(target: Path) -> Any:
    from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings  # noqa: PLC0415 - imported late: costs 5 s

    class Settings(PrefectDbtSettings):  # type: ignore[misc]  # prefect-dbt is not typed
        """Settings for a project whose profile holds no Prefect blocks, to look for which asks a server."""

        log_level: Any = SimpleNamespace(value="none")

        @contextmanager
        def resolve_profiles_yml(self) -> Iterator[str]:
            yield str(self.profiles_dir)

    return PrefectDbtRunner(
        settings=Settings(project_dir=DBT_PROJECT, profiles_dir=DBT_PROJECT, target_path=target),
        raise_on_failure=False,
        client=SimpleNamespace(),  # it is not used, but without one a server would be started
        _disable_callbacks=True,  # with them every node becomes a Prefect task that logs its lines again
    )


def _open_to_dbt(config: Config) -> AbstractContextManager[None]:
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
def _closing_afterwards() -> Iterator[None]:
    """Close what dbt keeps open: its log, and the connection that would lock the warehouse."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - imported late with dbt
    from dbt.adapters.factory import cleanup_connections, reset_adapters  # noqa: PLC0415 - imported late with dbt

    try:
        yield
    finally:
        cleanup_connections()  # type: ignore[no-untyped-call]  # dbt's own
        if DuckDBConnectionManager._ENV is not None:
            DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # dbt's own
        reset_adapters()  # type: ignore[no-untyped-call]  # dbt's own
        for handler in logging.getLogger("file_log").handlers:  # dbt's own name; it never closes its log
            handler.close()
        gc.collect()


def _nodes(outcome: Any) -> list[Node]:
    return [
        Node(str(result.node.resource_type), result.node.name, str(result.status), result.message or "")
        for result in getattr(outcome.result, "results", ())
    ]


def _heading(arguments: list[str]) -> str:
    return f"Failed to invoke dbt command '{' '.join(arguments)}': "


def _cause(message: str) -> str:
    """A message of dbt's in one line, without its heading, which names the node and its file."""
    heading, _, rest = message.strip().partition("\n")
    return " ".join((rest if rest.strip() else heading).split())
