"""The marts as Iceberg tables, by pyiceberg: in a catalogue of their own, or one that is configured."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flows.errors import RunError, in_one_line
from flows.export.table_format import TRIES, conflict, region_of
from flows.lake import Storage, open_backend, scheme_of

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

_NAMESPACE = "marts"
# Bounds of texts in the manifests would be texts of people that no deletion reaches.
_SETTINGS = {
    "write.metadata.metrics.default": "none",
    "write.metadata.metrics.column.day": "full",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "10",
}
_TIDIED_FROM = 30  # snapshots
_KEPT = timedelta(days=7)


class IcebergTables:
    """Iceberg tables `marts.<mart>` in one folder; see `TableFormat`. Those with days are partitioned by them.

    Without a configured `catalog` it is an SQLite file: beside the tables, or in `state` where they are in a store.
    """

    def __init__(self, path: Path | str, storage: Storage, catalog: Mapping[str, str], state: Path) -> None:
        self._path, self._storage = path, storage
        self._root = f"file://{path}" if isinstance(path, Path) else path
        file = (path if isinstance(path, Path) else state) / "iceberg.db"
        own = {"type": "sql", "uri": f"sqlite:///{file}", "warehouse": self._root}
        self._properties = _options(path, storage) | dict(catalog or own)
        self._file = None if catalog else file
        self._catalog: Catalog | None = None

    def version(self, table: str) -> str | None:
        """The table's id and snapshot."""
        found = self._open(table)
        return None if found is None else _version(found)

    def replace(self, table: str, rows: pa.Table, days: Sequence[str] | None) -> str:
        """See `TableFormat`."""
        from pyiceberg.expressions import AlwaysTrue, BooleanExpression, In  # noqa: PLC0415 - an extra

        condition: BooleanExpression = AlwaysTrue()
        if days is not None:
            condition = In(term="day", literals=set(days))

        def write() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that there was nothing to delete
                found = self._open(table) or self._create(table, rows.schema)
                if days is None:
                    found = self._with_columns(found, table, rows.schema)
                found.overwrite(rows, overwrite_filter=condition)

        self._tried(table, write)
        found = self._open(table)
        assert found is not None
        if len(found.snapshots()) >= _TIDIED_FROM:
            self._forget_before(table, datetime.now(UTC) - _KEPT)
            self._delete_unused(table)
            found = self._open(table) or found
        return _version(found)

    def purge(self, table: str) -> None:
        """See `TableFormat`: files that pyiceberg leaves when snapshots expire are deleted."""
        if self._open(table) is not None:
            self._forget_before(table, datetime.now(UTC))
            self._delete_unused(table)

    def rows(self, table: str) -> pa.Table:
        """See `TableFormat`."""
        found = self._open(table)
        return pa.table({}) if found is None else found.scan().to_arrow()

    def _forget_before(self, table: str, moment: datetime) -> None:
        def expire() -> None:
            found = self._open(table)
            current = found.current_snapshot() if found else None
            if found is None or current is None:
                return
            old = [
                one.snapshot_id for one in found.snapshots()
                if one.snapshot_id != current.snapshot_id and one.timestamp_ms < moment.timestamp() * 1000
            ]  # fmt: skip
            if old:
                found.maintenance.expire_snapshots().by_ids(old).commit()

        self._tried(table, expire)

    def _delete_unused(self, table: str) -> None:
        """Delete the files in the table's folder that neither its metadata nor a snapshot names."""
        found = self._open(table)
        assert found is not None
        io = found.io
        used = {found.metadata_location, *(one.metadata_file for one in found.metadata.metadata_log)}
        for snapshot in found.snapshots():
            used.add(snapshot.manifest_list)
            for manifest in snapshot.manifests(io):
                used.add(manifest.manifest_path)
                used |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(io)}
        kept = {place.removeprefix(f"{self._root}/") for place in used}
        backend = open_backend(self._path, self._storage)
        for pattern in ("data/*/*.parquet", "data/*.parquet", "metadata/*"):
            for name in backend.names(f"{table}/{pattern}"):
                if name not in kept:
                    backend.remove(name)

    def _with_columns(self, found: "Table", table: str, schema: pa.Schema) -> "Table":
        """The table with these columns; one whose columns have other types is made anew."""
        from pyiceberg.exceptions import ValidationError  # noqa: PLC0415 - an extra

        names = set(schema.names)
        try:
            with found.update_schema(allow_incompatible_changes=True) as update:
                for column in found.schema().fields:
                    if column.name not in names:
                        update.delete_column(column.name)
                update.union_by_name(schema)
        except (ValidationError, ValueError, TypeError):
            self._open_catalog().drop_table((_NAMESPACE, table))
            return self._create(table, schema)
        return self._open(table) or found

    def _create(self, table: str, schema: pa.Schema) -> "Table":
        catalog = self._open_catalog()
        catalog.create_namespace_if_not_exists(_NAMESPACE)
        found = catalog.create_table(
            (_NAMESPACE, table), schema=schema, location=f"{self._root}/{table}", properties=_SETTINGS
        )
        if "day" in schema.names and pa.types.is_date(schema.field("day").type):
            with found.update_spec() as update:
                update.add_identity("day")
        return found

    def _open(self, table: str) -> "Table | None":
        from pyiceberg.exceptions import NoSuchTableError  # noqa: PLC0415 - an extra

        found: list[Table] = []

        def load() -> None:
            try:
                found.append(self._open_catalog().load_table((_NAMESPACE, table)))
            except NoSuchTableError:
                return

        self._tried(table, load)
        return found[0] if found else None

    def _open_catalog(self) -> "Catalog":
        from pyiceberg.catalog import load_catalog  # noqa: PLC0415 - an extra

        if self._catalog is None:
            if self._file:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            self._catalog = load_catalog("genchi", **self._properties)
        return self._catalog

    def _tried(self, table: str, do: Callable[[], Any]) -> None:
        """Do it, and again where another writer was first. Errors are told in one line."""
        from pyiceberg.exceptions import CommitFailedException, ValidationException  # noqa: PLC0415 - an extra

        for left in reversed(range(TRIES)):
            try:
                do()
            except (CommitFailedException, ValidationException) as error:
                if not left:
                    raise conflict(f"{self._path}/{table}", error) from None
            except RunError:
                raise
            except Exception as error:  # of a catalogue, a database, or a store: they have no class in common
                told = f"{type(error).__name__}: {in_one_line(error)[:300]}"
                raise RunError(f"{self._path}/{table}: cannot be written as an Iceberg table: {told}") from None
            else:
                return


def _version(table: "Table") -> str:
    snapshot = table.current_snapshot()
    return f"{table.metadata.table_uuid}:{snapshot.snapshot_id if snapshot else 0}"


def _options(path: Path | str, storage: Storage) -> dict[str, str]:
    """The credentials of `storage` as pyiceberg takes them; what is missing it looks for in the environment."""
    if isinstance(path, Path):
        return {}
    scheme = scheme_of(path)
    given: dict[str, str | None] = {}
    if scheme == "s3":
        given = {
            "s3.access-key-id": storage.key,
            "s3.secret-access-key": storage.secret,
            "s3.session-token": storage.token,
            "s3.endpoint": storage.endpoint_url,
            "s3.region": region_of(storage),
            "s3.anonymous": "true" if storage.anon else None,
        }
    elif scheme == "gs":
        given = {"gcs.oauth2.token": storage.token, "gcs.service.host": storage.endpoint_url}
    return {name: value for name, value in given.items() if value is not None}
