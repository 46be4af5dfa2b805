"""A temporary Prefect server, for alerts that go through Prefect's notification blocks where no server is configured.

Runs need none: see `flows/prefect_run.py`.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.child_processes import start_child
from flows.cli import server_process
from flows.config import Config
from flows.prefect_run import is_used

if TYPE_CHECKING:
    from prefect.server.api.server import SubprocessASGIServer

log = logging.getLogger(__name__)


@contextmanager
def server_of_blocks(config: Config) -> Iterator[None]:
    """Run a server within the block, if alerts need one and `PREFECT_API_URL` names none.

    Prefect alone would start it too, but it would hold genchi's output. If the server does not start, the alert starts
    one and reports the error.
    """
    if not is_used() and any(alert.kind == "prefect" for alert in config.alerts):
        try:
            _own_server().start()
        except Exception as error:  # Prefect tries again when a block is loaded, and the alert reports the error
            log.debug("Prefect's own server did not start: %s", error)
    yield


def _own_server() -> "SubprocessASGIServer":
    """Prefect's only instance of its temporary server, whose process is one of `flows.child_processes`.

    Prefect's own process would hold genchi's stdout and stderr, and would outlive a genchi that is killed: who reads
    the output through a pipe would wait for it.
    """
    from prefect.server.api.server import SubprocessASGIServer  # noqa: PLC0415 - imported late: costs a second
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
