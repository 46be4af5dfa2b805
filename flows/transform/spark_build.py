"""What a build on Spark does beside dbt: it publishes the marts in the lake, where readers find them."""

from datetime import date

from flows.config import Config
from flows.errors import ConfigError
from flows.marts import Keeping, Published, publish
from flows.retention import FirstKept, first_kept
from flows.transform.spark_session import session_of
from flows.transform.spark_tables import SparkTables


def require_for_spark(config: Config) -> None:
    """Raise ConfigError for what a workspace has and Spark cannot compute yet."""
    if "://" in str(config.lake):
        raise ConfigError(
            f"{config.path}: lake: {config.lake} is in an object store, which `warehouse: spark` cannot read"
            " yet; use a folder that the server sees by the same path, or `warehouse: duckdb`"
        )


def publish_built(config: Config, first: date, last: date) -> Published:
    """Publish the marts, built for the days from `first` to `last`. The caller is a run.

    All appear together. Raises RunError where Spark or the lake cannot be read or written.
    """
    with session_of(config) as session:
        return publish(config.open_lake(), SparkTables(session), Keeping(first, last, first_kept(config, last).of))


def expire_spark_days(config: Config, kept: FirstKept, *, is_dry: bool) -> int:
    """Drop the days of Spark's tables that are older than `kept`, and return how many there were."""
    dropped = 0
    with session_of(config) as session:
        for schema in ("intermediate", "marts"):
            if not session.catalog.databaseExists(schema):
                continue
            for row in session.sql(f"show tables in {schema}").collect():
                table = f"{schema}.{row['tableName']}"
                oldest = kept.of(table)
                # Tables that are not partitions of days are computed anew by each build.
                if oldest is None or not _is_by_day(session.sql(f"describe {table}").collect()):
                    continue
                days = [one["day"] for one in session.sql(f"select distinct day from {table}").collect()]
                old = [f"partition (day = date '{day}')" for day in days if day is not None and day < oldest]
                dropped += len(old)
                if old and not is_dry:
                    session.sql(f"alter table {table} drop if exists {', '.join(old)}")
    return dropped


def _is_by_day(described: list[dict[str, str]]) -> bool:
    """Whether `describe` tells of partitions by day: it names the column a second time, below its heading."""
    names = [row["col_name"] for row in described]
    return "# Partition Information" in names and "day" in names[names.index("# Partition Information") :]
