"""The session with a Spark server, over Spark Connect, that dbt and what is read of its tables share."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from flows.config import Config
from flows.errors import ConfigError, RunError, in_one_line
from flows.transform.spark_functions import add_functions

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

_NEEDED = ("pyspark", "grpc", "dbt.adapters.spark")


def is_on_spark(config: Config) -> bool:
    """Whether Spark computes this workspace's warehouse."""
    return config.engine.warehouse == "spark"


@contextmanager
def session_of(config: Config) -> "Iterator[SparkSession]":
    """The session of this process with the workspace's server, with genchi's functions; it ends with the block.

    Raises ConfigError where a package is missing and for a wrong features.csv, and RunError, with the address, where
    the server does not answer.
    """
    if missing := [name for name in _NEEDED if not _is_there(name)]:
        raise ConfigError(
            f"{config.path}: engine: `warehouse: spark` needs {missing[0]}; install it: pip install 'genchi[spark]'"
        )
    place = str(config.engine.remote).partition("/;")[0]
    try:
        session: Any = _connected(str(config.engine.remote))
        session.conf.set("spark.sql.session.timeZone", "UTC")
        add_functions(session, config)
    except ConfigError:
        raise
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


def _connected(remote: str) -> "SparkSession":
    with warnings.catch_warnings():  # its data frames of pandas: genchi hands Spark nothing but Arrow
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        from pyspark.sql import SparkSession  # noqa: PLC0415 - imported late: not every workspace has it

        session: Any = SparkSession.builder.remote(remote).getOrCreate()
    return session


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
