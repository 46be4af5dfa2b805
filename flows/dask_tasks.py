"""Work as tasks on a Dask cluster that runs already: results in order, and what a lost worker had is done again.

Dask's own client, because genchi runs without Prefect where no server is configured. Belongs here: the cluster and its
errors. Does not belong here: what a task does (its stage knows).
"""

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

from flows.errors import ConfigError, RunError, in_one_line

Item = TypeVar("Item")
Result = TypeVar("Result")

_CONNECT_S = 20
_LOOK_S = 10
# A cluster that scales itself needs some minutes for its first worker.
_WITHOUT_WORKERS_S = 300

log = logging.getLogger("genchi")


class DaskTasks:
    """The tasks of one run on the cluster whose scheduler has this address.

    Raises RunError if no scheduler answers, ConfigError if Dask is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed  # noqa: PLC0415 - imported late: an extra, and most runs do not need it
        except ImportError:
            raise ConfigError("`engine.tasks: dask` needs an extra: run `pip install 'genchi[dask]'`") from None
        self._address = address
        try:
            self._client: Any = distributed.Client(  # type: ignore[no-untyped-call]  # Dask has no types
                address, timeout=_CONNECT_S, set_as_default=False, name="genchi"
            )
        except (OSError, TimeoutError, ValueError) as error:
            log.debug("%s: %s", address, in_one_line(error))
            raise RunError(
                f"{address}: no Dask scheduler answers; start it (`dask scheduler`), or correct `engine.address`"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The result of the function for each item, in the order of the items.

        The function is one of a module that the workers have too. A task whose worker is lost is done again by
        another. Raises what a task raises, and RunError where no worker is left or each that takes a task is lost.
        """
        name = f"genchi-{uuid.uuid4().hex}"
        futures = deque(
            self._client.submit(function, item, key=f"{name}-{number}", pure=False) for number, item in enumerate(items)
        )
        try:
            while futures:
                yield self._result(futures.popleft())
        finally:
            if futures:
                self._client.cancel(list(futures))

    def _result(self, future: Any) -> Any:
        from distributed import KilledWorker  # noqa: PLC0415 - see above
        from distributed.client import FutureCancelledError  # noqa: PLC0415 - see above

        seen = time.monotonic()
        while True:
            try:
                return future.result(timeout=_LOOK_S)
            except FutureCancelledError:
                raise RunError(
                    f"{self._address}: the connection to the Dask scheduler was lost; run it again"
                ) from None
            except KilledWorker:
                raise RunError(
                    f"{self._address}: several workers were lost with the same task; look at their logs, and give them"
                    " more memory"
                ) from None
            except TimeoutError:
                if self._client.scheduler_info(n_workers=-1)["workers"]:
                    seen = time.monotonic()
                elif time.monotonic() - seen > _WITHOUT_WORKERS_S:
                    raise RunError(f"{self._address}: the Dask cluster has no workers; start some") from None
