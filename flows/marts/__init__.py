"""The marts, wherever they lie: the one reader of them, and their publication as Parquet in the lake.

Belongs here: reading the marts of a workspace, from the warehouse file or from the lake, and copying them from the one
to the other. Does not belong here: SQL that says what a mart is (`dbt_project` does), and tables for other engines
(`flows/export`).
"""

from flows.marts.built_tables import BESIDE, warehouse_tables
from flows.marts.days_in_lake import expire_days, lake_tables, replace_days
from flows.marts.mart_reader import Marts, built_marts, kept_open, open_marts
from flows.marts.published_days import LAKE_TABLES, WHOLE, Part, PublishedTable, empty_name, name_of, read_published
from flows.marts.published_marts import PublishedMarts
from flows.marts.published_parts import parts_there, read_file, read_part, replace_part, select_published
from flows.marts.publishing import Built, BuiltTable, Keeping, Published, publish

__all__ = [
    "BESIDE",
    "LAKE_TABLES",
    "WHOLE",
    "Built",
    "BuiltTable",
    "Keeping",
    "Marts",
    "Part",
    "Published",
    "PublishedMarts",
    "PublishedTable",
    "built_marts",
    "empty_name",
    "expire_days",
    "kept_open",
    "lake_tables",
    "name_of",
    "open_marts",
    "parts_there",
    "publish",
    "read_file",
    "read_part",
    "read_published",
    "replace_days",
    "replace_part",
    "select_published",
    "warehouse_tables",
]
