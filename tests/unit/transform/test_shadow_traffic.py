"""Mirrored traffic, as gateways log it beside production, never counts as production."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.config.load import Config
from flows.lake.lake import each_day, from_rows
from flows.transform.build import build
from flows.warehouse import query

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)


def call(day: date, number: int, **changes: Any) -> dict[str, Any]:
    row = {
        **{"call_id": f"{day}-{number}", "route": "triage", "model_served": "steady", "prompt_version": "v1"},
        **{"input_text": "Where is my refund?", "output_text": '{"a": 1}', "status": "success", "latency_ms": 10.0},
        **{"started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC), "cost_usd": 0.1},
    }
    return {**row, **changes}


def marts(folder: Path, mirrored: bool) -> dict[str, list[dict[str, Any]]]:
    """All rows of all marts, of three days with or without mirrored calls that are unlike production's."""
    config = Config(path=folder / "genchi.yaml", app="a", lake=folder / "lake", warehouse=folder / "w.duckdb")
    for day in each_day(FIRST, LAST):
        rows = [call(day, number) for number in range(40)]
        if mirrored:
            other = {"is_shadow": True, "model_served": "new", "prompt_version": "v9", "route": "triage"}
            rows += [call(day, 100 + n, **other, output_text="I cannot help.", cost_usd=9.0) for n in range(80)]
            rows += [call(day, 200 + n, **other | {"route": "only_shadow"}) for n in range(40)]
        config.open_lake().write("interactions", day, from_rows(rows, "interactions"))
    build(config, FIRST, LAST)
    names = query(
        config.warehouse, "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
    )
    return {
        row["table_name"]: query(config.warehouse, f"select * from marts.{row['table_name']} order by all")
        for row in names
    }


@pytest.mark.long
def test_the_marts_are_the_same_with_and_without_mirrored_traffic(tmp_path: Path) -> None:
    without, beside = (marts(tmp_path / name, name == "beside") for name in ("without", "beside"))
    assert without["fct_usage_daily"]
    assert without["fct_feature_skew_daily"]
    assert beside == without
