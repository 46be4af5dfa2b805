"""The session with a Spark server, over Spark Connect, that dbt and what is read of its tables share."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flows.config import Config
from flows.errors import ConfigError, RunError, in_one_line
from flows.transform import language

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

_NEEDED = ("pyspark", "grpc", "dbt.adapters.spark")


def is_on_spark(config: Config) -> bool:
    """Whether Spark computes this workspace's warehouse."""
    return config.engine.warehouse == "spark"


@contextmanager
def session_of(config: Config) -> "Iterator[SparkSession]":
    """The session of this process with the workspace's server, which knows `language_of`; it ends with the block.

    Raises ConfigError where a package is missing, and RunError, with the address, where the server does not answer.
    """
    if missing := [name for name in _NEEDED if not _is_there(name)]:
        raise ConfigError(
            f"{config.path}: engine: `warehouse: spark` needs {missing[0]}; install it: pip install 'genchi[spark]'"
        )
    from pyspark.sql import SparkSession  # noqa: PLC0415 - imported late: not every workspace has it

    place = str(config.engine.remote).partition("/;")[0]
    try:
        session: Any = SparkSession.builder.remote(str(config.engine.remote)).getOrCreate()
        session.conf.set("spark.sql.session.timeZone", "UTC")
        _add_language(session)
    except Exception as error:  # of gRPC, of the server, of the address: each has classes of its own
        raise RunError(
            f"{config.path}: engine.remote: {place} does not answer ({in_one_line(error)[:200]}); start the Spark"
            " Connect server, and run the same command again"
        ) from None
    try:
        with warnings.catch_warnings():  # dbt-spark asks for Hive's catalogue with each query; the server has its own
            warnings.filterwarnings("ignore", message="Failed to set spark.sql.catalogImplementation")
            yield session
    finally:
        session.stop()


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _add_language(session: "SparkSession") -> None:
    """Add `language_of`, a function of batches of texts. The executors need py3langid, and nothing of genchi."""
    from pyspark import cloudpickle  # noqa: PLC0415 - imported late, as above
    from pyspark.sql.functions import arrow_udf  # noqa: PLC0415 - as above

    module = sys.modules[language.__name__]
    cloudpickle.register_pickle_by_value(module)

    def of_batch(texts: pa.Array) -> pa.Array:
        return pa.array(language.languages_of(texts.to_pylist()), pa.string())

    session.udf.register("language_of", arrow_udf(of_batch, "string"))
