"""Records to canonical rows: runs a format's SELECT, casts what it returns, and accepts or rejects each record.

A format's SELECT (`sources/<format>.sql`) reads the view `records` (file, line, raw: a JSON object) and returns
`file`, `line` and any of the canonical columns, as texts; it may also give `target` (interaction, feedback or
other), `problem`, `updated_at` (which of two versions of a record is the newer), `price_tier` (batch, flex or
priority, where a call is not billed as usual), and `one_call` with `logged_as` or `parent_id`, by which records of one
call under different ids are known (see write/call_records.py). Where one line holds several records (a batch of spans,
a trace with its observations) it gives a row for each, with the record's own JSON as `unit`; a line for which it gives
no row is refused. Here each column is cast to its type in the lake. A record without an id or a time goes to
quarantine with the column and the value named; any other value that cannot be cast is null, and the record is counted
as incomplete. A SELECT may name columns that it could not read itself in `unreadable`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.config import did_you_mean, format_file
from flows.errors import ConfigError, RunError
from flows.ingest.map import pricing
from flows.ingest.map.casting_sql import TABLES, canonical_columns, casting_sql, columns_to_cast, latest_time_macro
from flows.ingest.map.derived_ids import with_ids
from flows.ingest.map.functions import add_functions
from flows.ingest.map.line_parts import line_parts
from flows.ingest.map.rejects import complaint, one_each, refused_of, refusing, unread
from flows.ingest.map.route_field import Steps, with_field_routes
from flows.ingest.map.row_places import are_known, in_order, without_row
from flows.ingest.map.surrogates import with_whole_characters
from flows.ingest.read import RECORDS, Batch
from flows.ingest.redact import user_key_macro, without_users
from flows.lake import SCHEMAS
from flows.llm import common_reason
from flows.project import LOG_FORMATS

KEYS = {"interactions": ("call_id",), "feedback": ("call_id", "kind", "at")}
TIMES = {"interactions": "started_at", "feedback": "at"}
# Macros that the formats share, each file after those that it uses.
_MACROS = ("macros", *(f"macros/{name}" for name in ("litellm", "frameworks", "messages", "otlp", "events")))
# The position and version of a record, in addition to the lake's columns.
PLACE = ("file", "line", "updated_at", "key")
# What a call shares with other records of it, in addition.
SHARED = ("one_call", "logged_as", "parent_id")
# What a SELECT says about a record, in addition.
_HELPERS = ("target", "problem", "unit", "unreadable", "price_tier")


@dataclass(frozen=True)
class Mapped:
    """The result of a batch. The rows of the first two have the columns of PLACE and those of the lake; calls also have
    those of SHARED.
    """

    interactions: pa.Table
    feedback: pa.Table
    refused: pa.Table  # REFUSED: file, line, reason, raw
    other: pa.Table  # file, line
    incomplete: pa.Table  # file, line, unreadable: the columns of a call or signal, by spaces, that are null for it


class _Prepared:
    """A prepared statement over one Arrow table, planned once and run on many: planning a format's SELECT takes longer
    than running it on some thousand records.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str, sql: str, rows: pa.Table) -> None:
        self._connection, self._name, self._rows = connection, name, rows
        connection.register(name, self)
        connection.execute(f"prepare on_{name} as {sql}")

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The current rows; DuckDB calls this at every run."""
        return self._rows.__arrow_c_stream__(requested_schema)

    def run(self, rows: pa.Table) -> pa.Table:
        """The result of the statement for rows with the columns that it was planned for."""
        self._rows = rows
        try:
            return self._connection.sql(f"execute on_{self._name}").to_arrow_table()
        finally:
            self._rows = rows.slice(0, 0)


class Mapper:
    """Maps batches of one format, with a separate DuckDB connection of one thread. Not thread-safe.

    `workspace` is the folder with formats of a user's own. Raises ConfigError, which names the file, if a format's
    SELECT is not valid.
    """

    def __init__(self, log_format: str, user_key_secret: bytes = b"", workspace: Path | None = None) -> None:
        self._connection = duckdb.connect()
        self._place = format_file(log_format, workspace)
        try:
            self._plan(user_key_secret)
        except (duckdb.Error, ConfigError, OSError, UnicodeDecodeError) as error:
            self._connection.close()
            if isinstance(error, ConfigError):
                raise
            why = "DuckDB cannot run it" if isinstance(error, duckdb.Error) else "cannot be read"
            raise ConfigError(f"{self._place}: {why}: {' '.join(str(error).split())[:300]}") from None

    def _plan(self, user_key_secret: bytes) -> None:
        self._connection.execute("set threads = 1")
        self._connection.execute("set timezone = 'UTC'")
        self._connection.execute("set enable_progress_bar = false")  # a worker of a cluster has no terminal
        add_functions(self._connection)
        self._connection.execute(latest_time_macro(datetime.now(UTC)))
        for name in _MACROS:
            self._connection.execute(_sql(LOG_FORMATS / f"{name}.sql"))
        self._connection.execute(user_key_macro(user_key_secret))
        none = RECORDS.empty_table()
        self._connection.register("records", none)
        select = _sql(self._place)
        statements = duckdb.extract_statements(select)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            what = f"has {len(statements)} statements" if len(statements) != 1 else "is no SELECT"
            raise ConfigError(f"{self._place}: {what}; a format must be one SELECT")
        extracting = f"select file, line, cast(columns(* exclude (file, line)) as varchar) from (\n{select}\n)"
        try:
            self._extracting = _Prepared(self._connection, "records", extracting, none)
        except duckdb.BinderException:  # as it also is where the SELECT has no file or no line
            self._require_known(row[0] for row in self._connection.execute(f"describe {select}").fetchall())
            raise
        empty = self._extracting.run(none)
        self._require_known(given := empty.column_names)
        self._narrow = columns_to_cast(given)
        self._casting = _Prepared(self._connection, "extracted", casting_sql(given), empty.select(self._narrow))

    def _require_known(self, names: Iterable[str]) -> None:
        """Raise ConfigError where a SELECT lacks a column that it must give, or gives one that is not known."""
        given, known = set(names), {*PLACE, *SHARED, *canonical_columns(), *_HELPERS} - {"key"}
        if lacking := sorted({"file", "line", "call_id"} - given):
            raise ConfigError(f"{self._place}: the SELECT lacks the columns {', '.join(lacking)}; add them")
        if unknown := sorted(given - known):
            hint = did_you_mean(unknown[0], known)
            raise ConfigError(f"{self._place}: unknown column `{unknown[0]}`; {hint}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its DuckDB connection."""
        self._connection.close()

    def map(self, batch: Batch, route_path: Steps | None = None) -> Mapped:
        """Map a batch. Every record is in exactly one of the first four tables; a line can have several records.

        `route_path` is the path of the field that names a call's route, instead of the format's own.
        """
        refused = [batch.refused]
        parts = list(self._extracted(batch.records, refused))
        extracted = pa.concat_tables(parts) if parts else self._extracting.run(RECORDS.empty_table())
        extracted = with_ids(in_order(extracted))
        if route_path and "route" in extracted.column_names:
            extracted = with_field_routes(extracted, batch.records, route_path)
        cast = self._casting.run(extracted.select(self._narrow))
        rows = extracted.drop_columns([name for name in cast.column_names if name in extracted.column_names])
        for name in cast.column_names:
            rows = rows.append_column(name, cast.column(name))
        rows = _with_common_reasons(rows)
        refused += refused_of(batch.records, rows)
        targets = pc.if_else(pc.is_null(rows.column("reason")), rows.column("target"), "refused")
        tables = {table: _canonical(_where(rows, targets, target), table) for target, table in TABLES.items()}
        return Mapped(
            interactions=without_users(self._priced(tables["interactions"], _tiers(rows, targets))),
            feedback=tables["feedback"],
            refused=one_each(pa.concat_tables(refused).combine_chunks()),
            other=_where(rows.select(["file", "line"]), targets, "other"),
            incomplete=_incomplete(rows, targets),
        )

    def _extracted(self, records: pa.Table, refused: list[pa.Table], *, is_sifted: bool = False) -> Iterator[pa.Table]:
        """The result of the SELECT. Unreadable records are only searched for if there are any."""
        try:
            if len(records):
                rows = self._extracting.run(records)
                if not are_known(rows, records):
                    raise RunError(f"{self._place}: returns a file and line that `records` does not have")
                if lost := without_row(records, rows):
                    others = records.take(lost)
                    refused.append(refusing(others, [unread(raw) for raw in others.column("raw").to_pylist()]))
                yield rows
        except duckdb.Error as error:
            if not is_sifted:
                records = self._mended(records)
                valid = self._valid(records)
                bad = records.filter(pc.invert(valid))
                refused.append(refusing(bad, [complaint(raw) for raw in bad.column("raw").to_pylist()]))
                yield from self._extracted(records.filter(valid), refused, is_sifted=True)
            elif len(records) == 1:
                yield from self._parts_of(records, refused, error)
            else:
                half = len(records) // 2
                yield from self._extracted(records.slice(0, half), refused, is_sifted=True)
                yield from self._extracted(records.slice(half), refused, is_sifted=True)

    def _parts_of(self, record: pa.Table, refused: list[pa.Table], error: duckdb.Error) -> Iterator[pa.Table]:
        """The result of the SELECT for the parts of one record that DuckDB cannot map as a whole."""
        lost = []
        for part in (parts := line_parts(record.column("raw")[0].as_py())):
            try:
                yield self._extracting.run(_with_raw(record, part))
            except duckdb.Error as of_part:
                error = of_part
                lost.append(part)
        if lost or not parts:
            rest = _with_raw(record, lost[0] if len(lost) == 1 else f"[{','.join(lost)}]") if lost else record
            refused.append(refusing(rest, [f"cannot be mapped: {str(error).splitlines()[0][:200]}"]))

    def _mended(self, records: pa.Table) -> pa.Table:
        """The records with half characters replaced in those that are not valid JSON for them."""
        bad = pc.invert(self._valid(records)).combine_chunks()
        raw = [with_whole_characters(text) for text in records.filter(bad).column("raw").to_pylist()]
        mended = pc.replace_with_mask(records.column("raw").combine_chunks(), bad, pa.array(raw, pa.string()))
        return records.set_column(records.column_names.index("raw"), "raw", mended)

    def _priced(self, calls: pa.Table, tiers: pa.ChunkedArray) -> pa.Table:
        """The calls with prices where the log has no cost; `tiers` are their billing tiers."""
        unpriced = pc.is_null(calls.column("cost_usd")).combine_chunks()
        if not unpriced.true_count:
            return calls
        places = pa.array(np.arange(len(calls)))
        needed = calls.select(pricing.NEEDED).append_column("price_tier", tiers).append_column("place", places)
        self._connection.register("calls", needed.filter(unpriced))
        try:
            sql = f"select cost_usd, cost_source from ({pricing.priced(self._connection, 'calls')}) order by place"
            found = self._connection.sql(sql).to_arrow_table()
        finally:
            self._connection.unregister("calls")
        for name in ("cost_usd", "cost_source"):
            old = calls.column(name).combine_chunks()
            new = pc.replace_with_mask(old, unpriced, found.column(name).combine_chunks())
            calls = calls.set_column(calls.column_names.index(name), name, new)
        return calls

    def _valid(self, records: pa.Table) -> pa.ChunkedArray:
        self._connection.register("checked_records", records)
        try:
            valid = self._connection.sql("select json_valid(raw) as valid from checked_records")
            return valid.to_arrow_table().column("valid")
        finally:
            self._connection.unregister("checked_records")


def _sql(file: Path) -> str:
    return file.read_text(encoding="utf-8").rstrip().rstrip(";")


def _with_raw(record: pa.Table, raw: str) -> pa.Table:
    return record.set_column(record.column_names.index("raw"), "raw", pa.array([raw], pa.string()))


def _where(rows: pa.Table, targets: pa.ChunkedArray, target: str) -> pa.Table:
    chosen = pc.equal(targets, target)
    return rows if pc.all(chosen).as_py() and len(rows) else rows.filter(chosen)


def _incomplete(rows: pa.Table, targets: pa.ChunkedArray) -> pa.Table:
    """The place and the unreadable columns of each landed record that has some."""
    is_landed = pc.is_in(targets, value_set=pa.array(list(TABLES)))
    return rows.select(["file", "line", "unreadable"]).filter(
        pc.and_(is_landed, pc.is_valid(rows.column("unreadable")))
    )


def _with_common_reasons(rows: pa.Table) -> pa.Table:
    """The rows with each provider's finish reason as one of the known values (flows/llm/finish_reasons.py)."""
    if "finish_reason" not in rows.column_names:
        return rows
    given = rows.column("finish_reason").combine_chunks().dictionary_encode()
    common = pa.array([common_reason(word) for word in given.dictionary.to_pylist()], pa.string())
    return rows.set_column(rows.column_names.index("finish_reason"), "finish_reason", common.take(given.indices))


def _tiers(rows: pa.Table, targets: pa.ChunkedArray) -> pa.ChunkedArray:
    """The billing tier of each interaction; null if the format has none."""
    has_tiers = "price_tier" in rows.column_names
    tiers = rows.column("price_tier") if has_tiers else pa.nulls(len(rows), pa.string())
    return _where(pa.table({"price_tier": tiers}), targets, "interaction").column("price_tier")


def _canonical(rows: pa.Table, table: str) -> pa.Table:
    """The columns of PLACE and those of the lake's table, in its types; a column that the format lacks is null."""
    columns = {name: rows.column(name) for name in PLACE}
    for name in SHARED if table == "interactions" else ():
        columns[name] = rows.column(name) if name in rows.column_names else pa.nulls(len(rows), pa.string())
    for field in SCHEMAS[table]:
        given = field.name in rows.column_names
        columns[field.name] = rows.column(field.name).cast(field.type) if given else pa.nulls(len(rows), field.type)
    return pa.table(columns)
