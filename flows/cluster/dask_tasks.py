"""Tasks on a Dask cluster, by Dask's own client: genchi runs without Prefect where no server is configured."""

import logging
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

from flows.cluster import patience
from flows.cluster.same_packages import Work, asked, done, packages
from flows.errors import ConfigError, RunError, in_one_line

Item = TypeVar("Item")
Result = TypeVar("Result")

log = logging.getLogger("genchi")


class DaskTasks:
    """The tasks of one run on the cluster whose scheduler has this address; see `Tasks`.

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
                address, timeout=patience.CONNECT_S, set_as_default=False, name="genchi"
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

    def map(self, function: Callable[..., Result], items: Iterable[Item], *common: Any) -> Iterator[Result]:
        """See `Tasks.map`."""
        name = f"genchi-{uuid.uuid4().hex}"
        # Results of tasks, and not scattered data: what a lost worker held of it is made again.
        given = [
            self._submitted(_same, value, key=f"{name}-common-{number}", pure=False)
            for number, value in enumerate(common)
        ]
        futures = deque(
            self._submitted(done, Work(function, item, packages()), *given, key=f"{name}-{number}", pure=False)
            for number, item in enumerate(items)
        )
        try:
            while futures:
                yield self._result(futures.popleft())
        finally:
            if futures:
                self._client.cancel(list(futures))

    def on_each(self, function: Callable[[Item], Result], item: Item, patience_s: float) -> dict[str, Result | str]:
        """See `Tasks.on_each`."""
        name, work = f"genchi-{uuid.uuid4().hex}", Work(function, item, packages())
        futures = {
            worker: self._submitted(asked, work, workers=[worker], key=f"{name}-{number}", pure=False)
            for number, worker in enumerate(sorted(self._workers()))
        }
        waiting = {worker: future.result for worker, future in futures.items()}
        found = patience.answers_of(waiting, patience_s, TimeoutError)
        self._client.cancel(list(futures.values()))
        return found

    def _submitted(self, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with warnings.catch_warnings():
            # It advises to scatter what is large; see `map`.
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            return self._client.submit(function, *given, **named)

    def _workers(self) -> list[str]:
        return list(self._client.scheduler_info(n_workers=-1)["workers"])

    def _result(self, future: Any) -> Any:
        from distributed import KilledWorker  # noqa: PLC0415 - see above
        from distributed.client import FutureCancelledError  # noqa: PLC0415 - see above

        waiting = patience.Patience("Dask", self._address)
        while True:
            try:
                return future.result(timeout=patience.LOOK_S)
            except FutureCancelledError:
                raise RunError(
                    f"{self._address}: the connection to the Dask scheduler was lost; run it again"
                ) from None
            except KilledWorker:
                raise patience.lost_with_task(self._address) from None
            except TimeoutError:
                waiting.look(has_workers=bool(self._workers()))


def _same(value: Any) -> Any:
    return value
