"""dbt's parsing of the project, by a process of its own (flows/cli/parse_process.py) while the first logs are read.

It leaves what it has parsed where the first build of the workspace finds it (parsed_project.py).
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from flows.child_processes import start_child
from flows.config import Config
from flows.transform import parsed_project
from flows.transform.build import variables
from flows.transform.dbt_runner import NOTHING_WRITTEN, run_dbt
from flows.transform.spark_session import is_on_spark


@contextmanager
def parsing_ahead(config: Config) -> "Iterator[subprocess.Popen[bytes] | None]":
    """Parse in the block what the first build of a workspace needs; what is not parsed at its end is left to the build.

    Yields None where it is parsed already, or where there is only one processor to do it.
    """
    if config.engine.processors == 1 or is_on_spark(config) or parsed_project.is_there(config, variables(config)):
        yield None
        return
    command = [sys.executable, "-P", "-m", "flows.cli.parse_process", str(config.path)]
    process = start_child(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait()


def parse_for_later(config: Config) -> None:
    """Parse the project for the settings of a workspace, and leave its folders as they are."""
    with TemporaryDirectory() as folder:
        run_dbt(config, ["parse", NOTHING_WRITTEN], variables(config), {"DBT_TARGET_PATH": folder})
