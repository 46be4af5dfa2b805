"""A temporary Prefect server, and what can be saved because it ends with genchi.

If `PREFECT_API_URL` names a server, none is started.
"""

import importlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.child_processes import start_child
from flows.cli import server_process

if TYPE_CHECKING:
    from prefect.server.api.server import SubprocessASGIServer

log = logging.getLogger(__name__)

DBT = ("flows.nightly", "dbt.cli.main", "dbt.adapters.duckdb")
EVERYTHING = (*DBT, "expectations.validate")


@contextmanager
def server(needed: Sequence[str] = DBT) -> Iterator[None]:
    """Run a server for the flows of the block, and import the modules `needed` by them while it starts.

    Prefect alone would start it at the first flow and wait. Heartbeats of flows are off: a server that ends with the
    process cannot miss them, and stopping them takes a second at the end of each flow. If the server does not start,
    the first flow starts one and raises the error.
    """
    from prefect.settings import (  # noqa: PLC0415 - imported late: costs 2 s
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    if PREFECT_API_URL.value():
        yield
        return
    starting = threading.Thread(target=_start, args=(_own_server(),), name="prefect-server", daemon=True)
    starting.start()
    for name in needed:
        importlib.import_module(name)
    starting.join()
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def _own_server() -> "SubprocessASGIServer":
    """Prefect's only instance of its temporary server, whose process is one of `flows.child_processes`.

    Prefect's own process would hold genchi's stdout and stderr, and would outlive a genchi that is killed: who reads
    the output through a pipe would wait for it.
    """
    from prefect.server.api.server import SubprocessASGIServer  # noqa: PLC0415 - a thread must not import it
    from prefect.settings import get_current_settings  # noqa: PLC0415 - as above

    class OwnServer(SubprocessASGIServer):
        def _run_uvicorn_command(self) -> "subprocess.Popen[bytes]":
            environment = {
                **os.environ,
                **{"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"},
                **get_current_settings().to_environment_variables(exclude_unset=True),
            }
            command = [sys.executable, "-P", server_process.__file__, str(self.port)]
            nowhere = subprocess.DEVNULL
            return start_child(command, stdout=nowhere, stderr=nowhere, environment=environment)

    return OwnServer()


def _start(own: "SubprocessASGIServer") -> None:
    try:
        own.start()
    except Exception as error:  # the first flow tries again, and reports the error
        log.debug("Prefect's own server did not start: %s", error)
