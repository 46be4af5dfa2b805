"""The night on which a holdout has a new version: both are run, and the series is joined by the anchor."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.config import Config
from flows.config import load as configuration
from flows.evaluate.generate import parent_run_id
from flows.evaluate.generation import generate_night
from flows.evaluate.propose import join_versions, parent_tasks
from flows.evaluate.score import score_tasks
from flows.evaluate.setup import read_setup
from flows.lake.lake import Lake, from_rows, nightly_run_id
from flows.llm.client import Answer, FakeClient
from tests.evaluating import evaluate_night

BEFORE, DAY = date(2026, 5, 4), date(2026, 5, 5)


class Able(FakeClient):
    """Says yes to questions whose number is below a limit, else no."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    async def ask(self, messages: Any, params: Any) -> Answer:
        self.queue.append("yes" if int(messages[-1]["content"][1:]) < self.limit else "no")
        return await super().ask(messages, params)


@pytest.fixture
def workspace(tmp_path: Path) -> Config:
    (tmp_path / "h.jsonl").write_text("{}")
    (tmp_path / "c.yaml").write_text("- {name: right, kind: exact}\n")
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nroutes:\n  yes_no: {holdout: h.jsonl, criteria: c.yaml}\n"
        "models:\n  pinned: {model: openai/old}\n  canary: {prompts: 0}\n"
    )
    return configuration.load_config(tmp_path / "genchi.yaml")


def freeze(config: Config, day: date, version: str, numbers: range) -> None:
    rows = [
        {
            "set": "holdout", "route": "yes_no", "example_id": str(n), "version": version, "input_text": f"q{n}",
            "messages_json": json.dumps([{"role": "user", "content": f"q{n}"}]), "expected_json": '"yes"',
        }
        for n in numbers
    ]  # fmt: skip
    Lake(config.lake).write("examples", day, from_rows(rows, "examples"))


def night(config: Config, day: date, limit: int) -> tuple[list[dict[str, Any]], list[Any]]:
    """A night as the flow composes it: the rows of its join, and what the run of the parent asked."""
    run_id, client, beside = nightly_run_id(day), Able(limit), Able(limit)
    evaluate_night(config, day, run_id, lambda model: client)
    if parents := parent_tasks(read_setup(config), day, run_id):
        parent = parent_run_id(day)
        generate_night(config, day, parent, parents, lambda model: beside, other_nights=True)
        score_tasks(config, day, parent, parents)
    join_versions(config.open_lake(), day, run_id, ["yes_no"])
    return Lake(config.lake).read("holdout_joins", day).to_pylist(), beside.asked


def test_the_step_is_what_the_model_moved_and_what_other_examples_change(workspace: Config) -> None:
    freeze(workspace, BEFORE, "v1", range(120))
    assert night(workspace, BEFORE, 60) == ([], [])  # 60 of 120 pass
    freeze(workspace, DAY, "v2", range(20, 140))  # 0 to 19 are retired, 120 to 139 new
    (row,), asked = night(workspace, DAY, 80)
    assert (row["version"], row["parent"], row["parent_day"]) == ("v2", "v1", BEFORE)
    assert (row["n_examples"], row["n_common"], row["n_anchor"]) == (120, 100, 100)
    assert row["pass_rate_before"] == pytest.approx(60 / 120)
    assert row["pass_rate_parent"] == pytest.approx(80 / 120)
    assert row["pass_rate"] == pytest.approx(60 / 120)
    assert row["composition"] == pytest.approx(-20 / 120)
    assert row["delta"] == pytest.approx(0.2)
    assert 0.1 < row["ci_low"] < 0.2 < row["ci_high"] < 0.3
    assert row["p_value"] < 0.001
    assert asked == []  # the retired examples have stored answers, the others tonight's
    assert night(workspace, DAY, 80) == ([row], [])  # run again, it is the same
    past = Lake(workspace.lake).read("scores", BEFORE, nightly_run_id(BEFORE)).to_pylist()
    assert sum(one["passed"] for one in past) == 60  # history is as it was


def test_a_night_that_runs_again_with_the_old_file_has_no_join_left(workspace: Config) -> None:
    freeze(workspace, BEFORE, "v1", range(30))
    night(workspace, BEFORE, 20)
    freeze(workspace, DAY, "v2", range(31))
    assert len(night(workspace, DAY, 20)[0]) == 1
    freeze(workspace, DAY, "v1", range(30))
    assert night(workspace, DAY, 20)[0] == []


def test_the_anchor_that_was_recorded_is_used(workspace: Config) -> None:
    freeze(workspace, BEFORE, "v1", range(120))
    night(workspace, BEFORE, 60)
    freeze(workspace, DAY, "v2", range(130))
    row = {"route": "yes_no", "version": "v2", "parent": "v1", "anchor_ids": [str(n) for n in range(50)] + ["gone"]}
    Lake(workspace.lake).write("holdout_versions", DAY, from_rows([row], "holdout_versions"))
    (found,), _ = night(workspace, DAY, 60)
    assert (found["n_anchor"], found["n_common"], found["delta"], found["reason"]) == (50, 120, 0, None)


def test_a_criterion_that_changed_gives_no_difference_but_a_reason(workspace: Config) -> None:
    freeze(workspace, BEFORE, "v1", range(30))
    night(workspace, BEFORE, 20)
    freeze(workspace, DAY, "v2", range(31))
    (workspace.workspace / "c.yaml").write_text("- {name: right, kind: exact, strict: true}\n")
    (found,), _ = night(workspace, DAY, 20)
    assert (found["delta"], found["ci_low"], found["n_anchor"]) == (None, None, 0)
    assert found["reason"] == "the criterion itself changed"


def test_nights_of_one_version_and_runs_that_are_no_night_are_not_joined(workspace: Config) -> None:
    freeze(workspace, BEFORE, "v1", range(30))
    night(workspace, BEFORE, 20)
    freeze(workspace, DAY, "v1", range(30))
    assert night(workspace, DAY, 20) == ([], [])
    freeze(workspace, DAY + timedelta(days=1), "v2", range(31))
    lake = workspace.open_lake()
    assert join_versions(lake, DAY + timedelta(days=1), "compare-1", ["yes_no"]) == 0
    assert parent_tasks(read_setup(workspace), DAY + timedelta(days=1), "compare-1") == []


def test_texts_of_examples_are_read_of_routes_with_a_new_version_only(
    workspace: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(workspace, BEFORE, "v1", range(30))
    night(workspace, BEFORE, 20)
    asked: list[list[str] | None] = []
    read = Lake.read

    def recorded(lake: Lake, table: str, day: date, file: str | None = None, columns: Any = None) -> Any:
        if table == "examples":
            asked.append(columns)
        return read(lake, table, day, file, columns)

    lake, setup, run_id = workspace.open_lake(), read_setup(workspace), nightly_run_id(DAY)
    monkeypatch.setattr(Lake, "read", recorded)
    for version, has_texts in (("v1", False), ("v2", True)):
        freeze(workspace, DAY, version, range(30))
        asked.clear()
        assert len(parent_tasks(setup, DAY, run_id)) == has_texts
        join_versions(lake, DAY, run_id, ["yes_no", "another"])
        assert asked
        assert any(columns is None or "messages_json" in columns for columns in asked) == has_texts
