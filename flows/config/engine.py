"""The section `engine` of genchi.yaml: how much of the machine a run may take, and whether a cluster reads the logs."""

from pydantic import Field

from flows.config.cluster import Cluster
from flows.config.machine import usable_memory, usable_processors
from flows.lake import QueryLimits


class Engine(Cluster):
    """What a run may take of the machine. In a container, its limits count as the machine's."""

    threads: int | None = Field(default=None, ge=1)
    """Threads of ingest, of each query, and of dbt. Default: as many as the process has processors."""
    memory_share: float = Field(default=0.8, gt=0, le=1)
    """Share of the memory that DuckDB may fill before it writes to disk; it bounds what ingest holds in memory, too."""

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
