"""The section `engine` of genchi.yaml: who reads the logs, what computes the warehouse, and the machine's share."""

from typing import Literal

from pydantic import Field, model_validator

from flows.config.cluster import Cluster
from flows.config.machine import usable_memory, usable_processors
from flows.lake import QueryLimits


class Engine(Cluster):
    """What a run may take of the machine, and what computes the warehouse. In a container, its limits count."""

    threads: int | None = Field(default=None, ge=1)
    """Threads of ingest, of each query, and of dbt. Default: as many as the process has processors."""
    memory_share: float = Field(default=0.8, gt=0, le=1)
    """Share of the memory that DuckDB may fill before it writes to disk; it bounds what ingest holds in memory, too."""
    warehouse: Literal["duckdb", "spark"] = "duckdb"
    """`duckdb`: in this process. `spark`: on a Spark server (`pip install 'genchi[spark]'`); the marts are fetched."""
    remote: str | None = Field(default=None, repr=False)
    """Address of the server over Spark Connect, such as `sc://spark.example.com:15002`."""

    @model_validator(mode="after")
    def _has_its_server(self) -> "Engine":
        if self.warehouse == "spark" and not (self.remote or "").startswith(("sc://", "${")):
            raise ValueError("`warehouse: spark` needs `remote`, an address such as sc://127.0.0.1:15002")
        if self.warehouse != "spark" and self.remote:
            raise ValueError("`remote` is for `warehouse: spark`")
        return self

    @property
    def processors(self) -> int:
        """The number of threads, at least 1."""
        return self.threads or usable_processors()

    @property
    def memory_bytes(self) -> int:
        """The bytes of memory that the share comes to."""
        return int(usable_memory() * self.memory_share)

    @property
    def limits(self) -> QueryLimits:
        """Both for DuckDB's connections."""
        return QueryLimits(self.processors, self.memory_bytes)
