"""The marts as Delta tables, by delta-rs: a commit replaces days, and no server is needed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flows.errors import RunError, in_one_line
from flows.export.table_format import TRIES, conflict, region_of
from flows.lake import Storage, scheme_of

if TYPE_CHECKING:
    from deltalake import DeltaTable

# Bounds of texts in the log would be texts of people that no deletion reaches.
_SETTINGS = {"delta.dataSkippingStatsColumns": "day"}
_TIDIED_EVERY = 20  # versions
_KEPT_H = 7 * 24
_LOG_KEPT = "delta.logRetentionDuration"


class DeltaTables:
    """Delta tables in one folder; see `TableFormat`. Those with days are partitioned by them."""

    def __init__(self, path: Path | str, storage: Storage) -> None:
        self._path, self._options = path, _options(path, storage)

    def version(self, table: str) -> str | None:
        """The table's id and version."""
        found = self._open(table)
        return None if found is None else _version(found)

    def replace(self, table: str, rows: pa.Table, days: Sequence[str] | None) -> str:
        """See `TableFormat`."""
        from deltalake import write_deltalake  # noqa: PLC0415 - an extra

        partitioned = ["day"] if "day" in rows.column_names and pa.types.is_date(rows.schema.field("day").type) else []

        def write() -> None:
            if days is not None:
                among = ", ".join(f"'{day}'" for day in days)
                write_deltalake(
                    self._place(table), rows, mode="overwrite", predicate=f"day in ({among})",
                    storage_options=self._options,
                )  # fmt: skip
            else:
                write_deltalake(
                    self._place(table), rows, mode="overwrite", schema_mode="overwrite", partition_by=partitioned,
                    configuration=_SETTINGS, storage_options=self._options,
                )  # fmt: skip

        self._tried(table, write)
        found = self._open(table)
        assert found is not None
        if found.version() % _TIDIED_EVERY == _TIDIED_EVERY - 1:
            self._tried(table, partial(found.vacuum, _KEPT_H, dry_run=False))
            found = self._open(table) or found
        return _version(found)

    def purge(self, table: str) -> None:
        """See `TableFormat`; of the log only what the newest version needs is left."""
        found = self._open(table)
        if found is None:
            return

        def purge() -> None:
            before = found.metadata().configuration.get(_LOG_KEPT, "interval 30 days")
            found.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
            found.alter.set_table_properties({_LOG_KEPT: "interval 0 days"})
            found.create_checkpoint()
            found.cleanup_metadata()
            found.alter.set_table_properties({_LOG_KEPT: before})

        self._tried(table, purge)

    def rows(self, table: str) -> pa.Table:
        """See `TableFormat`."""
        found = self._open(table)
        return pa.table({}) if found is None else found.to_pyarrow_dataset().to_table()

    def _place(self, table: str) -> str:
        return f"{self._path}/{table}"

    def _open(self, table: str) -> "DeltaTable | None":
        from deltalake import DeltaTable  # noqa: PLC0415 - an extra
        from deltalake.exceptions import TableNotFoundError  # noqa: PLC0415 - an extra

        found: list[DeltaTable] = []
        with suppress(TableNotFoundError):
            self._tried(table, lambda: found.append(DeltaTable(self._place(table), storage_options=self._options)))
        return found[0] if found else None

    def _tried(self, table: str, do: Callable[[], Any]) -> None:
        """Do it, and again where another writer was first. Errors are told in one line, without credentials."""
        from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError  # noqa: PLC0415 - an extra

        for left in reversed(range(TRIES)):
            try:
                do()
            except CommitFailedError as error:
                if not left:
                    raise conflict(self._place(table), error) from None
            except TableNotFoundError:
                raise
            except (DeltaError, OSError) as error:
                told = in_one_line(error)[:300]
                raise RunError(f"{self._place(table)}: cannot be written as a Delta table: {told}") from None
            else:
                return


def _version(table: "DeltaTable") -> str:
    return f"{table.metadata().id}:{table.version()}"


def _options(path: Path | str, storage: Storage) -> dict[str, str]:
    """The credentials of `storage` as delta-rs takes them; what is missing it looks for in the environment."""
    if isinstance(path, Path):
        return {}
    scheme = scheme_of(path)
    given: dict[str, str | None] = {}
    if scheme == "s3":
        given = {
            "aws_access_key_id": storage.key,
            "aws_secret_access_key": storage.secret,
            "aws_session_token": storage.token,
            "aws_endpoint_url": storage.endpoint_url,
            "aws_region": region_of(storage),
            "aws_skip_signature": "true" if storage.anon else None,
            "aws_conditional_put": "etag",
        }
    elif scheme == "az":
        given = {
            "azure_storage_account_name": storage.key,
            "azure_storage_account_key": storage.secret,
            "azure_storage_endpoint": storage.endpoint_url,
        }
    if (storage.endpoint_url or "").startswith("http://"):
        given["allow_http"] = "true"
    return {name: value for name, value in given.items() if value is not None}
