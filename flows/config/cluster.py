"""The keys of `engine` in genchi.yaml that say where tasks run: in this process, or on a cluster."""

from typing import Literal, Self

from pydantic import Field, model_validator

from flows.config.sections import Section


class Cluster(Section):
    """Where the tasks of a run are done."""

    tasks: Literal["threads", "dask"] = "threads"
    """Who reads the logs: `threads` of this process, or the workers of a Dask cluster that is there already."""
    address: str | None = Field(default=None, pattern=r"^(tcp|tls|ws|wss|ucx)://[^@\s]+$")
    """Address of the scheduler, such as `tcp://scheduler:8786`. Needs `tasks: dask`."""

    @model_validator(mode="after")
    def _has_address(self) -> Self:
        if (self.tasks == "dask") != (self.address is not None):
            raise ValueError("`tasks: dask` and `address` go together; give both, or neither")
        return self
