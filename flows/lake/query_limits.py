"""What the queries of a run may take of the machine."""

from dataclasses import dataclass
from typing import Any

_MIB = 1 << 20


@dataclass(frozen=True)
class QueryLimits:
    """The threads of each query, and the bytes that DuckDB may hold in memory before it writes to disk.

    DuckDB's own default where one is None.
    """

    threads: int | None = None
    memory_bytes: int | None = None

    def apply_to(self, connection: Any) -> None:
        """Set them for a DuckDB connection."""
        if self.threads is not None:
            connection.execute(f"set threads = {self.threads}")
        if self.memory_bytes is not None:
            connection.execute(f"set memory_limit = '{max(1, self.memory_bytes // _MIB)}MiB'")
