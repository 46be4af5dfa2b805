"""What a stage cost is the sum of what its answers cost, whoever gave them."""

from datetime import date
from pathlib import Path

import pytest

from flows.lake import Lake, from_rows, take_written
from flows.night_runs import cost_of

DAY = date(2026, 3, 2)


@pytest.mark.parametrize("table", ["completions", "judgements", "anchor_grades"])
def test_an_answer_of_any_model_is_counted(tmp_path: Path, table: str) -> None:
    lake = Lake(tmp_path / "lake")
    take_written(lake)
    lake.write(table, DAY, from_rows([{"cost_usd": 0.25}, {"cost_usd": None}, {"cost_usd": 0.5}], table), "nightly")
    assert cost_of(lake, take_written(lake)) == 0.75
