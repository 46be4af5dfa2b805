"""What the README of the dbt project promises: a feature is one expression and one row, genchi's and a workspace's."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flows.config import load
from flows.lake import lake
from flows.lake.lake import Lake
from flows.project import DBT_PROJECT
from flows.report.facts import read_facts
from flows.report.page import Links, render
from flows.transform import build, built_before, dbt_runner
from flows.warehouse import query

LAST = date(2026, 3, 4)


@pytest.mark.long
def test_a_new_feature_is_in_skew_and_breaches_after_one_expression_and_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "genchi.yaml").write_text("app: a\nlake: lake\n", encoding="utf-8")
    settings = load.load_config(tmp_path / "genchi.yaml")
    days = [LAST - timedelta(days=n) for n in range(5)]
    for day in days:
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        mark = "!" if day == LAST else "."
        rows = [
            {"call_id": f"{day}-{n}", "route": "r", "input_text": f"Hello there, number {n}{mark}", "output_text": "ok",
             "started_at": at, "status": "success"}
            for n in range(40)
        ]  # fmt: skip
        Lake(settings.lake).write("interactions", day, lake.from_rows(rows, "interactions"))
    build.build(settings, days[-1], LAST)

    project = tmp_path / "dbt_project"
    shutil.copytree(DBT_PROJECT, project)
    model = project / "models" / "intermediate" / "int_text_features.sql"
    text = model.read_text(encoding="utf-8")
    anchor = " as code_fence"
    assert text.count(anchor) == 1
    model.write_text(text.replace(anchor, f"{anchor},\n    text_value like '%!%' as exclamation"), encoding="utf-8")
    seed = project / "seeds" / "features.csv"
    seed.write_text(
        seed.read_text(encoding="utf-8")
        + "exclamation,share,flag,both,false,warning,with an exclamation mark,usefulness\n",
        encoding="utf-8",
    )
    (tmp_path / "features.csv").write_text(
        "feature,side,kind,expression,description\nshouts,both,share,text_value like '%!%',that shout\n",
        encoding="utf-8",
    )
    for one in (dbt_runner, built_before):
        monkeypatch.setattr(one, "DBT_PROJECT", project)
    build.build(settings, LAST, LAST)  # the next night has it, without a past
    build.build(settings, days[-1], LAST)  # a backfill gives it one

    page = render(read_facts(settings, LAST), Links())
    for feature, words in (("exclamation", "with an exclamation mark"), ("shouts", "that shout")):
        (row,) = query(
            settings.warehouse,
            "select value_reference, value_current from marts.fct_feature_skew_daily"
            " where day = ? and feature = ? and side = 'input'"
            " and model_served = '*' and prompt_version = '*' and reference = 'trailing'",
            [LAST, feature],
        )
        assert (row["value_reference"], row["value_current"]) == (0, 1)
        (breach,) = query(
            settings.warehouse, "select summary from marts.fct_breaches where subject = ?", [f"r/input/{feature}"]
        )
        assert breach["summary"].startswith(f"On route r, inputs {words} rose from 0.0 % (previous 28 days)")
        assert f"inputs {words}" in page
    drawn = query(
        settings.warehouse, "select shouts from marts.fct_text_samples where day = ? and side = 'input'", [LAST]
    )
    assert {row["shouts"] for row in drawn} == {True}
