"""Whether DuckDB understands the expressions of a workspace's `features.csv`, before dbt builds anything."""

from pathlib import Path

import duckdb

from flows.config import CALL_COLUMNS, FEATURES_FILE, TEXT_COLUMNS, WorkspaceFeature, workspace_features
from flows.errors import ConfigError
from flows.transform.spark_functions import columns_of

_TYPES = {"share": "boolean", "number": "double"}


def checked_features(workspace: Path) -> list[dict[str, object]]:
    """The workspace's features, as dbt's var `features` has them: empty where there is no file.

    Raises ConfigError as `workspace_features`, and for an expression that DuckDB cannot bind to the columns of texts or
    of calls, with file, line, feature, and what DuckDB says.
    """
    features = workspace_features(workspace)
    if features:
        with duckdb.connect() as connection:
            connection.execute("create macro language_of(text_value) as cast(null as varchar)")
            for table, columns in (("texts", TEXT_COLUMNS), ("calls", CALL_COLUMNS)):
                described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
                connection.execute(f"create table {table} ({described})")
            for feature in features:
                _check(connection, workspace / FEATURES_FILE, feature)
    return [
        {
            "feature": feature.feature,
            "side": feature.side,
            "kind": feature.kind,
            "grid": feature.grid,
            "severity": feature.severity,
            "need": feature.need,
            "compare_expected": feature.compare_expected,
            "expression": feature.expression,
            "columns": columns_of(feature),
            "description": feature.description,
        }
        for feature in features
    ]


def _check(connection: duckdb.DuckDBPyConnection, path: Path, feature: WorkspaceFeature) -> None:
    """Bind the expression as int_text_features and int_pair_features have it: one value for each row."""
    table = "calls" if feature.side == "pair" else "texts"
    value = f"try(cast((\n{feature.expression}\n) as {_TYPES[feature.kind]}))"
    sql = f"select count({feature.feature}) from (select *, {value} as {feature.feature} from {table})"
    try:
        connection.execute(sql)
    except duckdb.Error as error:
        told = " ".join(str(error).partition("\n\nLINE ")[0].split())
        raise ConfigError(f"{path}:{feature.line}: feature `{feature.feature}`: {told}") from None
