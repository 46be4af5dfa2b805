"""Tasks on a Ray cluster, by Ray's own functions: genchi runs without Prefect where no server is configured.

`ray://host:10001` is Ray's client server, for a run outside the cluster; `host:6379` is the cluster itself, for a run
on one of its nodes. A process talks to one Ray cluster at a time.
"""

import logging
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Self, TypeVar

from flows.cluster import patience
from flows.cluster.same_packages import Work, asked, done, packages
from flows.errors import ConfigError, RunError, in_one_line

Item = TypeVar("Item")
Result = TypeVar("Result")

# As often as Dask does a task again whose worker was lost.
_TRIES_AGAIN = 3

log = logging.getLogger("genchi")


class RayTasks:
    """The tasks of one run on the cluster with this address; see `Tasks`.

    Raises RunError if no cluster answers, ConfigError if Ray is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray  # noqa: PLC0415 - imported late: an extra, and most runs do not need it
        except ImportError:
            raise ConfigError("`engine.tasks: ray` needs an extra: run `pip install 'genchi[ray]'`") from None
        self._ray: Any = ray
        self._address = address
        host, _, port = address.removeprefix("ray://").rpartition(":")
        try:
            # Ray itself waits for five minutes.
            with socket.create_connection((host, int(port)), timeout=patience.CONNECT_S):
                pass
            with _our_signals():
                ray.init(address, namespace="genchi", configure_logging=False, log_to_driver=False)
        except (OSError, TimeoutError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
            log.debug("%s: %s", address, in_one_line(error))
            raise RunError(
                f"{address}: no Ray cluster answers; start it (`ray start --head`), or correct `engine.address`"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def map(self, function: Callable[..., Result], items: Iterable[Item], *common: Any) -> Iterator[Result]:
        """See `Tasks.map`."""
        task = self._ray.remote(max_retries=_TRIES_AGAIN)(done)
        given = [self._ray.put(value) for value in common]
        waiting = deque(task.remote(Work(function, item, packages()), *given) for item in items)
        try:
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for left in waiting:
                self._ray.cancel(left)

    def on_each(self, function: Callable[[Item], Result], item: Item, patience_s: float) -> dict[str, Result | str]:
        """See `Tasks.on_each`. A worker is a node of the cluster that has processors."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - see above

        answers = {}
        for node in sorted(self._nodes(), key=lambda one: str(one["NodeID"])):
            only_there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = self._ray.remote(scheduling_strategy=only_there, max_retries=0)(asked)
            name = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
            answers[name] = task.remote(Work(function, item, packages()))
        waiting = {name: partial(self._answer, answer) for name, answer in answers.items()}
        return patience.answers_of(waiting, patience_s, self._ray.exceptions.GetTimeoutError)

    def _answer(self, answer: Any, timeout_s: float) -> Any:
        return self._ray.get(answer, timeout=timeout_s)

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]

    def _result(self, answer: Any) -> Any:
        errors = self._ray.exceptions
        waiting = patience.Patience("Ray", self._address)
        while True:
            try:
                return self._ray.get(answer, timeout=patience.LOOK_S)
            except errors.GetTimeoutError:
                waiting.look(has_workers=bool(self._nodes()))
            except errors.RayTaskError as error:
                # Ray's own error is of the task's type too, with the worker's traceback as its message.
                raise error.cause from None
            except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError):
                raise patience.lost_with_task(self._address) from None
            except (errors.RaySystemError, ConnectionError) as error:
                log.debug("%s: %s", self._address, in_one_line(error))
                raise RunError(f"{self._address}: the connection to the Ray cluster was lost; run it again") from None


@contextmanager
def _our_signals() -> Iterator[None]:
    """Ray gives the process a handler of SIGTERM, or warns where it cannot; a run has its own."""
    is_main, before = threading.current_thread() is threading.main_thread(), signal.getsignal(signal.SIGTERM)
    level = (ray_log := logging.getLogger("ray")).level
    ray_log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray_log.setLevel(level)
        if is_main:
            signal.signal(signal.SIGTERM, before)
