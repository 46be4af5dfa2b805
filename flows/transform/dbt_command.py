"""`genchi dbt`: any dbt command on a workspace's warehouse, with project, profile and variables set.

dbt prints to stdout, without colours: what it shows of logs is plain text there (`flows/outgoing.py`). It writes its
target and log to the same folders as the nightly build. The user's options come last, so that they override genchi's;
their `--vars` are added to genchi's.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from flows.config import Config
from flows.errors import ConfigError
from flows.transform.build import days_of_build, variables
from flows.transform.dbt_runner import opened_for_dbt
from flows.transform.workspace_package import package_environment

# The commands that write the warehouse; all others leave it as it is.
WRITING = {"build", "run", "seed", "snapshot", "clone", "retry", "run-operation"}


def run_command(
    config: Config, arguments: Sequence[str], first: date, last: date, more_variables: Mapping[str, object]
) -> bool:
    """Run `dbt <arguments>` for the days from `first` to `last`. Returns whether it succeeded.

    A command that writes is a run. Raises ConfigError for an unknown command or option, KeyboardInterrupt if it was
    interrupted, and RunError if the lake cannot be locked.
    """
    if not arguments:
        raise ConfigError("dbt: no command is given; name one, such as build, show or test")
    lake = config.open_lake()
    lake.create()
    known = {**variables(config), **more_variables}
    environment = {"DBT_USE_COLORS": "false", **package_environment(config), **days_of_build(first, last)}
    with (
        lake.run("dbt") if WRITING & set(arguments[:1]) else contextlib.nullcontext(),
        opened_for_dbt(config, environment) as note,
    ):
        outcome = _invoke(list(arguments), known, note)
    return bool(outcome.success)


def _invoke(arguments: list[str], known: dict[str, object], note: Callable[[Any], None]) -> Any:
    from dbt.cli.exceptions import DbtUsageException  # noqa: PLC0415 - imported late: costs seconds
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - as above

    outcome = dbtRunner(callbacks=[note]).invoke(arguments, vars=known)
    if isinstance(outcome.exception, DbtUsageException):
        raise ConfigError(f"dbt: {outcome.exception}")
    if outcome.exception is not None and not isinstance(outcome.exception, Exception):
        raise outcome.exception  # KeyboardInterrupt, which dbt catches too
    return outcome
