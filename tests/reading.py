"""How tests read and map logs: the two steps that a night takes, without a lake."""

import hmac
import io
import json
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows.ingest.map.mapper import Mapped, Mapper
from flows.ingest.read import RECORDS, REFUSED, Batch, reader

GOLDEN = Path(__file__).resolve().parent / "golden"
CASES = sorted(path.parent for path in GOLDEN.glob("*/input.jsonl"))


def format_of(case: Path) -> str:
    """The format of a golden case's log: the first word of the case's name."""
    return case.name.split("_")[0]


def mapped_bytes(log_format: str, content: bytes, name: str = "log.jsonl", workspace: Path | None = None) -> Mapped:
    """What becomes of a file of that content."""
    return _mapped(log_format, [reader.LogFile("test", name, lambda: io.BytesIO(content))], workspace)


@cache
def _mapper(log_format: str, workspace: Path | None) -> Mapper:
    """One for all tests: to plan a format's SELECT takes as long as to run it on thousands of records."""
    return Mapper(log_format, workspace=workspace)


def _mapped(log_format: str, files: list[reader.LogFile], workspace: Path | None = None) -> Mapped:
    mapper = _mapper(log_format, workspace)
    parts = [mapper.map(batch) for batch in reader.read_files(files)] or [
        mapper.map(Batch(RECORDS.empty_table(), REFUSED.empty_table()))
    ]
    names = ("interactions", "feedback", "refused", "other", "incomplete")
    return Mapped(**{name: pa.concat_tables([getattr(part, name) for part in parts]) for name in names})


def mapped_files(log_format: str, *paths: Path) -> Mapped:
    """What becomes of files that are read together."""
    return _mapped(log_format, [reader.LogFile("test", path.name, partial(path.open, "rb")) for path in paths])


def mapped_rows(log_format: str, tables: Iterable[pa.Table]) -> Mapped:
    """What becomes of the rows of a database: tables of line, raw and problem."""
    return _mapped(log_format, [reader.LogFile("test", "db", rows=lambda: iter(tables))])


def user_key(user: str | None) -> str | None:
    """What stands for a user's id where tests map without a secret."""
    return hmac.new(b"", user.encode(), "sha256").hexdigest()[:16] if user else None


def mapped(log_format: str, *records: Any, workspace: Path | None = None) -> Mapped:
    """What becomes of some records: objects, or lines as they stand in a log. `workspace` may have the format."""
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    return mapped_bytes(log_format, "\n".join(lines).encode(), workspace=workspace)
