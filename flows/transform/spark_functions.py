"""The functions that genchi adds to a Spark session: the language of texts, and a workspace's own features.

Both run on the executors, on batches of rows, and need nothing of genchi there: the one py3langid, the other DuckDB,
whose SQL the expressions of `features.csv` are.
"""

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flows.config import CALL_COLUMNS, TEXT_COLUMNS, Config, WorkspaceFeature, workspace_features
from flows.transform import language

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

_TYPES = {"share": "boolean", "number": "double"}


def add_functions(session: "SparkSession", config: Config) -> None:
    """Add `language_of`, and a function `own__<feature>` for each of the workspace's own features.

    Raises ConfigError for a wrong features.csv.
    """
    from pyspark import cloudpickle  # noqa: PLC0415 - imported late: not every workspace has it
    from pyspark.sql.functions import arrow_udf  # noqa: PLC0415 - as above

    for name in (language.__name__, __name__):
        cloudpickle.register_pickle_by_value(sys.modules[name])
    session.udf.register("language_of", arrow_udf(_languages, "string"))
    for feature in workspace_features(config.workspace):
        session.udf.register(f"own__{feature.feature}", arrow_udf(_computed(feature), _TYPES[feature.kind]))


def columns_of(feature: WorkspaceFeature) -> list[str]:
    """The columns that a feature's expression may read: those whose names are words of it, and at least one."""
    known = CALL_COLUMNS if feature.side == "pair" else TEXT_COLUMNS
    words = {word.lower() for word in re.findall(r"\w+", feature.expression)}
    return [name for name in known if name in words] or ["route"]


def _languages(texts: pa.Array) -> pa.Array:
    return pa.array(language.languages_of(texts.to_pylist()), pa.string())


def _computed(feature: WorkspaceFeature) -> Callable[..., pa.Array]:
    """A function of a batch's columns, in the order of `columns_of`; DuckDB computes it as in a warehouse."""
    names = columns_of(feature)
    known = CALL_COLUMNS if feature.side == "pair" else TEXT_COLUMNS
    typed = ", ".join(f"cast({name} as {known[name]}) as {name}" for name in names)
    kind = _TYPES[feature.kind]
    sql = f"select try(cast((\n{feature.expression}\n) as {kind})) as value from (select {typed} from given)"

    def of_batch(*columns: pa.Array) -> pa.Array:
        import duckdb  # noqa: PLC0415 - imported where it runs

        opened: Any = duckdb.connect(config={"threads": 1})
        with opened as connection:
            connection.execute("set timezone = 'UTC'")
            if "language_of" in sql.lower():
                connection.create_function(
                    "language_of", _languages, ["VARCHAR"], "VARCHAR", type="arrow", null_handling="special"
                )
            connection.register("given", pa.table(list(columns), names=names))
            values: pa.Array = connection.sql(sql).to_arrow_table()["value"].combine_chunks()
        return values

    return of_batch
