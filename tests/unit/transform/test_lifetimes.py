"""A pinned model whose provider has announced its end is told in time."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from flows.config.load import Config
from flows.lake.lake import each_day, from_rows
from flows.transform.build import build
from flows.warehouse import query

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)


@pytest.mark.long
def test_the_end_of_a_pinned_model_is_a_warning_from_sixty_days_before_and_of_nobody_else(tmp_path: Path) -> None:
    config = Config(path=tmp_path / "genchi.yaml", app="a", lake=tmp_path / "lake", warehouse=tmp_path / "w.duckdb")
    ends = {"near/model": LAST + timedelta(days=59), "late": LAST + timedelta(days=61), "none": None}
    ends |= {"gone": FIRST + timedelta(days=1)}
    for day in each_day(FIRST, LAST):
        rows = [
            {"run_id": f"nightly-{day}", "route": route, "model": model, "arm": "pinned", "base": model, "shots": 0}
            | {"ends_on": end, "n_examples": 1, "n_repeats": 1, "n_unscored": 0}
            for model, end in ends.items()
            for route in ("triage", "chat")
        ]
        others = [{**rows[0], "model": "new", "arm": "candidate"}, {**rows[0], "model": "x", "run_id": "compare-1"}]
        config.open_lake().write("model_variants", day, from_rows([*rows, *others], "model_variants"))
    build(config, FIRST, LAST)
    found = query(config.warehouse, "select * from marts.fct_breaches order by subject, day")
    assert [(row["subject"], row["day"], row["severity"], row["nights"]) for row in found] == [
        ("gone", FIRST, "warning", 1),
        ("gone", date(2026, 3, 2), "warning", 2),
        ("gone", LAST, "warning", 3),
        ("near%2Fmodel", date(2026, 3, 2), "warning", 1),
        ("near%2Fmodel", LAST, "warning", 2),
    ]
    assert {row["kind"] for row in found} == {"end_of_life"}
    assert found[1]["summary"] == (
        "The pinned model gone was shut down by its provider on 2 March 2026. Night 2, since 1 March."
    )
    assert found[3]["summary"] == (
        "The pinned model near/model will be shut down by its provider on 1 May 2026 (in 60 days)."
    )
    assert json.loads(found[3]["evidence_json"]) == {"model": "near/model", "ends_on": "2026-05-01", "days_left": 60}
