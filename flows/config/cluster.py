"""The keys of `engine` in genchi.yaml that say where tasks run: in this process, or on a cluster."""

import re
from contextlib import AbstractContextManager
from typing import Literal, Self

from pydantic import model_validator

from flows.cluster import Tasks, open_tasks
from flows.config.sections import Section

_ADDRESSES = {
    "dask": (re.compile(r"(tcp|tls|ws|wss|ucx)://[^@\s]+"), "tcp://scheduler:8786"),
    "ray": (re.compile(r"(ray://)?[^@\s/]+:\d+"), "ray://head:10001"),
}


class Cluster(Section):
    """Where the tasks of a run are done."""

    tasks: Literal["threads", "dask", "ray"] = "threads"
    """Who reads logs, works on texts and scores: `threads` of this process, or the workers of a cluster that runs."""
    address: str | None = None
    """Address of the cluster: `tcp://scheduler:8786` of Dask; `ray://head:10001` or `head:6379` of Ray."""

    @model_validator(mode="after")
    def _has_address(self) -> Self:
        if self.tasks == "threads":
            if self.address is not None:
                raise ValueError("`address` is for `tasks: dask` or `tasks: ray`; give both, or neither")
            return self
        known, example = _ADDRESSES[self.tasks]
        if not known.fullmatch(self.address or ""):
            raise ValueError(f"`tasks: {self.tasks}` needs `address`, without a password, such as {example}")
        return self

    def open_tasks(self) -> AbstractContextManager[Tasks | None]:
        """The cluster, or None where there is none. Raises ConfigError and RunError as `flows.cluster.open_tasks`."""
        return open_tasks(self.tasks, self.address)
