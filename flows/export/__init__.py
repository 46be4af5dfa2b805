"""The export stage: the marts as Parquet in the lake, and as tables that other engines read.

Belongs here: bringing tables of Delta, Iceberg or plain Parquet in line with what is published in the lake. Does not
belong here: what a mart is (`dbt_project`), and the lake's own copy of them (`flows/marts`).
"""

from flows.export.exporting import Exported, export_tables, purge_tables, rewrite_tables, rows_of_tables
from flows.export.published_rows import publish_marts

__all__ = ["Exported", "export_tables", "publish_marts", "purge_tables", "rewrite_tables", "rows_of_tables"]
