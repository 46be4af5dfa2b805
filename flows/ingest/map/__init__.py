"""Records to canonical rows: a SELECT for each log format, casts, prices, and rejects with their reason."""

from flows.ingest.map.casting_sql import TABLES, key_of
from flows.ingest.map.idle_mappers import MapperOf
from flows.ingest.map.mapper import KEYS, TIMES, Mapped, Mapper
from flows.ingest.map.workers import Workers

__all__ = ["KEYS", "TABLES", "TIMES", "Mapped", "Mapper", "MapperOf", "Workers", "key_of"]
