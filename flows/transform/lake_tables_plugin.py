"""A dbt-duckdb plugin: models of the materialization `days_in_lake` are views on files of the lake, which it replaces.

The views are in a database `lake` in memory, so the warehouse file has nothing of them. The profile names this module.
"""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from flows.lake import Lake
from flows.marts import lake_tables, replace_days, select_published
from flows.transform.store_plugin import read_by_dbt

_DATABASE = "lake"


class Plugin(BasePlugin):
    """The plugin class that dbt-duckdb loads from this module."""

    def configure_connection(self, conn: Any) -> None:
        """Called once for each connection that is opened: adds a view for each table that the lake has."""
        conn.execute(f"attach if not exists ':memory:' as {_DATABASE}")
        if lake := read_by_dbt():
            for name, table in lake_tables(lake.backend).items():
                schema = name.split(".")[0]
                conn.execute(f"create schema if not exists {_DATABASE}.{schema}")
                rows = select_published(lake.backend, name, table)
                conn.execute(f"create or replace view {_DATABASE}.{name} as {rows}")

    def store(self, target_config: Any) -> None:
        """Publish the rows of a model that were written to `location.path`, see macros/lake_tables.sql.

        `config` has the `days` of the rows, and may have the days that were `asked` for, the first and the last, as
        YYYY-MM-DD; it gets `rows`, a SELECT of all rows.
        """
        lake, config = read_by_dbt(), target_config.config
        assert isinstance(lake, Lake)
        table = f"{target_config.relation.schema}.{target_config.relation.identifier}"
        columns = {column.name: column.dtype for column in target_config.column_list}
        asked = [date.fromisoformat(day) for day in config["asked"]]
        place = Path(target_config.location.path)
        if len(config["days"]) == 1:
            shutil.rmtree(place, ignore_errors=True)  # of a migration in the same build
            (of_day := place / f"day={config['days'][0]}").mkdir(parents=True)
            place.with_suffix(".parquet").rename(of_day / "data.parquet")
        with lake.run("transform"):
            replace_days(lake, table, columns, place, (asked[0], asked[1]) if asked else None)
        config["rows"] = select_published(lake.backend, table, lake_tables(lake.backend)[table])
