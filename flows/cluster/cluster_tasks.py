"""What a stage asks of a cluster, whatever kind it is.

Belongs here: the interface, and which module is meant. Does not belong here: what a task does (its stage knows), nor
how a cluster is talked to (`dask_tasks.py`, `ray_tasks.py`). One process never imports either of them.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Tasks(Protocol):
    """The tasks of one run on one cluster; to be closed by leaving its block."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def map(self, function: Callable[..., Result], items: Iterable[Item], *common: Any) -> Iterator[Result]:
        """The results of `function(item, *common)` for each item, in the order of the items.

        The function is one of a module that the workers have too; `common` is sent once, whatever the number of items.
        A task whose worker is lost is done again by another. Raises what a task raises, and RunError where no worker is
        left, each that takes a task is lost, or one has other packages than this process (same_packages.py).
        """
        ...

    def on_each(self, function: Callable[[Item], Result], item: Item, patience_s: float) -> dict[str, Result | str]:
        """What the function gives on each worker, by the worker's address; or why it gives nothing, in one line.

        Empty where the cluster has no workers.
        """
        ...


def open_tasks(kind: Literal["threads", "dask", "ray"], address: str | None) -> AbstractContextManager[Tasks | None]:
    """The cluster of `engine.tasks` and `engine.address`; None for `threads`.

    Raises ConfigError where the library of this kind is not installed, and RunError where no cluster answers.
    """
    if kind == "dask":
        from flows.cluster.dask_tasks import DaskTasks  # noqa: PLC0415 - an extra, which one process does not need

        return DaskTasks(address or "")
    if kind == "ray":
        from flows.cluster.ray_tasks import RayTasks  # noqa: PLC0415 - an extra, which one process does not need

        return RayTasks(address or "")
    return nullcontext()
