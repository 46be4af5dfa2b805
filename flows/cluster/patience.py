"""How long a run waits for a cluster, and what it says where workers are lost: the same for each kind of cluster."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from flows.errors import RunError, in_one_line

Result = TypeVar("Result")

CONNECT_S = 20
LOOK_S = 10
# A cluster that scales itself needs some minutes for its first worker.
WITHOUT_WORKERS_S = 300


class Patience:
    """The wait for one task on the cluster of this kind ("Dask") and address."""

    def __init__(self, kind: str, address: str) -> None:
        self._kind, self._address = kind, address
        self._seen = time.monotonic()

    def look(self, *, has_workers: bool) -> None:
        """To be called while the task has no result. Raises RunError where workers have been missing for too long."""
        now = time.monotonic()
        if has_workers:
            self._seen = now
        elif now - self._seen > WITHOUT_WORKERS_S:
            raise RunError(f"{self._address}: the {self._kind} cluster has no workers; start some") from None


def lost_with_task(address: str) -> RunError:
    """Each worker that took one task was lost."""
    return RunError(
        f"{address}: several workers were lost with the same task; look at their logs, and give them more memory"
    )


def answers_of(
    waiting: Mapping[str, Callable[[float], Result]], patience_s: float, late: type[Exception]
) -> dict[str, Result | str]:
    """What each worker answers within `patience_s` seconds, by its name, or in words why it does not.

    Each of `waiting` waits for an answer so many seconds, and raises `late` if there is none by then.
    """
    until = time.monotonic() + patience_s
    found: dict[str, Result | str] = {}
    for worker, wait in waiting.items():
        try:
            found[worker] = wait(max(0.1, until - time.monotonic()))
        except late:
            found[worker] = f"has not answered within {patience_s:g} s"
        except Exception as error:  # whatever a worker says
            found[worker] = in_one_line(getattr(error, "cause", None) or error)  # Ray has what was raised in `cause`
    return found
