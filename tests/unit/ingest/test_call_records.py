"""Which records tell of one call: what the search for them leaves behind."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.ingest.write.call_records import CallRecords
from flows.lake import Lake


def test_a_run_without_shared_ids_opens_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = duckdb.connect
    opened: list[duckdb.DuckDBPyConnection] = []

    def remembered(*args: Any, **more: Any) -> duckdb.DuckDBPyConnection:
        opened.append(connect(*args, **more))
        return opened[-1]

    monkeypatch.setattr(duckdb, "connect", remembered)
    store = Lake(tmp_path / "lake")
    with store.lock("ingest"), store.staging() as staged:
        assert CallRecords(staged, []).finish(store, []).files == {}
    assert opened == []
