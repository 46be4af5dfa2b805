"""A holdout that is frozen anew between two nights of recorded answers, by the verbs."""

from datetime import date
from pathlib import Path

import pytest

from flows.config import load
from flows.warehouse import query
from tests.integration import in_process
from tests.integration.servers import replayed
from tests.integration.workspaces import happy_numbers

BEFORE, DAY = date(2023, 7, 24), date(2023, 7, 25)
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("prefect_server")]


def test_both_versions_are_run_and_the_mart_joins_them(tmp_path: Path, shared: Path) -> None:
    with replayed(shared, "happy_numbers.parquet") as url:
        path = happy_numbers(tmp_path, shared, url, "gpt-4-0314", "gpt-4-0613", examples=160)
        config, place = load.load_config(path), tmp_path / "happy.jsonl"
        whole = place.read_text("utf-8").splitlines(keepends=True)
        place.write_text("".join(whole[:140]), encoding="utf-8")
        for arguments in (("holdout", "freeze"), ("evaluate", "--day", str(BEFORE))):
            done = in_process.genchi(*arguments, "--config", str(path))
            assert done.returncode in {0, 1}, done.stderr
        place.write_text("".join(whole[20:]), encoding="utf-8")  # 20 retired, 20 added
        done = in_process.genchi("holdout", "freeze", "--config", str(path))
        assert "version" in done.stdout, done.stderr
        assert "added 20: " in done.stdout
        assert "removed 20: " in done.stdout
        assert "anchor of 100" in done.stdout
        done = in_process.genchi("evaluate", "--day", str(DAY), "--config", str(path))
        assert done.returncode in {0, 1}, done.stderr
    versions = query(
        config.warehouse,
        "select *, pass_rate - pass_rate_parent as step from marts.fct_holdout_versions where criterion = 'correct'",
    )
    assert {row["model"] for row in versions} == {"gpt-4-0314", "gpt-4-0613"}
    for row in versions:
        assert (row["day"], row["parent_day"], row["n_anchor"], row["n_common"]) == (DAY, BEFORE, 100, 120)
        assert row["delta"] == 0  # recorded answers do not change
        assert row["ci_low"] < 0 < row["ci_high"]
        assert row["pass_rate_parent"] == row["pass_rate_before"]
        assert row["composition"] == pytest.approx(row["step"])
    runs = query(config.warehouse, "select distinct run_id from marts.fct_eval_scores where day = ?", [DAY])
    assert {row["run_id"] for row in runs} == {f"nightly-{DAY}", f"parent-{DAY}"}
    breaches = query(config.warehouse, "select subject from marts.fct_breaches where day = ?", [DAY])
    assert not [row for row in breaches if "parent" in row["subject"]]
