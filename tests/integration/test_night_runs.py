"""What a night says of its own running, after nights in Prefect: the lake, the mart, and the page."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from flows.config import load_config
from flows.lake.lake import Lake
from flows.warehouse import query
from tests.integration.in_process import genchi

pytestmark = pytest.mark.long
DAY = date(2026, 3, 2)
NEXT = DAY + timedelta(days=1)


def test_each_stage_of_a_night_is_recorded_and_shown(tmp_path: Path, prefect_server: None) -> None:
    (tmp_path / "logs").mkdir()
    for day in (DAY, NEXT):
        rows = [{"call_id": f"{day}-{n}", "started_at": f"{day}T10:00:0{n}Z", "input_text": "hi", "output_text": "ho"}
                for n in range(3)]  # fmt: skip
        (tmp_path / "logs" / f"{day}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    path = tmp_path / "genchi.yaml"
    path.write_text(
        "app: a\nlake: lake\nsources: [{name: s, format: genchi, path: 'logs/{day}.jsonl'}]\n", encoding="utf-8"
    )
    config = load_config(path)
    genchi("nightly", "--config", str(path), "--day", str(DAY))
    first = {row["stage"]: row for row in Lake(tmp_path / "lake").read("night_runs", DAY).to_pylist()}
    assert list(first) == [
        *("labels", "ingest", "semantics", "production", "transform", "evaluate", "review"),
        *("rates", "export", "check", "report", "alert"),
    ]
    assert {row["state"] for row in first.values()} == {"ok"}
    assert first["ingest"]["rows"] >= 3  # the calls, their records and the manifest
    assert first["ingest"]["bytes"] > 0
    assert first["semantics"]["rows"] > 0
    assert all(row["seconds"] > 0 and row["peak_memory_bytes"] > 10_000_000 for row in first.values())

    genchi("nightly", "--config", str(path), "--day", str(NEXT))
    known = query(config.warehouse, "select day, stage, seconds from marts.fct_night_runs order by day, position")
    assert [row["stage"] for row in known if row["day"] == DAY] == list(first)
    assert [row["stage"] for row in known if row["day"] == NEXT] == ["labels", "ingest", "semantics", "production"]
    page = (config.reports / str(NEXT) / "index.html").read_text(encoding="utf-8")
    assert "How the night went" in page
    assert "seconds of semantics" in page
