"""What the formats of exported tables have in common."""

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from flows.errors import RunError
from flows.lake import Storage

TRIES = 3
"""How often a commit is tried that another writer's came before."""


class TableFormat(Protocol):
    """Tables of one format in one folder, by the names of marts. Methods raise RunError."""

    def version(self, table: str) -> str | None:
        """What changes with every write of a table, whoever writes; None where there is no table."""

    def replace(self, table: str, rows: pa.Table, days: Sequence[str] | None) -> str:
        """Let these days of a table have these rows and no others, in one commit; returns the new version.

        With None the whole table is replaced, its columns too, and created where it does not exist. Days are in ISO
        format.
        """

    def purge(self, table: str) -> None:
        """Delete all versions of a table but the newest, with their files."""

    def rows(self, table: str) -> pa.Table:
        """All rows as other readers see them."""


def region_of(storage: Storage) -> str | None:
    """The region of S3, which libraries want for a server that has none, too; None leaves it to the environment."""
    return storage.region or ("us-east-1" if storage.endpoint_url else None)


def conflict(place: str, error: Exception) -> RunError:
    """Another writer was in the way each time."""
    return RunError(
        f"{place}: another writer changes the table at the same time ({type(error).__name__}); only genchi may write"
        " it: stop the other one, and run the same command again"
    )
