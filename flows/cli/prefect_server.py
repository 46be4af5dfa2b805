"""Prefect's own server, for a command on a machine where no other is named.

Belongs here: what a single process may save because its server lives and dies with it. Where `PREFECT_API_URL` names
a server, nothing of this happens.
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
    """Have a server for the flows of the block, and the modules `needed` by them imported.

    Prefect starts its own at the first flow and waits for it, on one core; here the modules are imported meanwhile.
    Flows send no heartbeats: a server within the command cannot outlive it to miss them, and to stop them costs a
    second at the end of every flow. A server that does not start is left to the first flow, which says so.
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
    except Exception as error:  # whatever it is, the first flow tries again and says what is wrong
        log.debug("Prefect's own server did not start: %s", error)
