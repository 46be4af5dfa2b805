"""A temporary Prefect server in genchi's own process, and what can be saved because it ends with the process.

If `PREFECT_API_URL` names a server, none is started.
"""

import importlib
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

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
    from prefect.server.api.server import SubprocessASGIServer  # noqa: PLC0415 - as above; a thread must not import it

    starting = threading.Thread(target=_start, args=(SubprocessASGIServer(),), name="prefect-server")
    starting.start()
    for name in needed:
        importlib.import_module(name)
    starting.join()
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def _start(own: "SubprocessASGIServer") -> None:
    try:
        own.start()
    except Exception as error:  # the first flow tries again, and reports the error
        log.debug("Prefect's own server did not start: %s", error)
