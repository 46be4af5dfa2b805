"""How long a run waits for a cluster, and what it says where workers are lost: the same for each kind of cluster."""

import time

from flows.errors import RunError

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
