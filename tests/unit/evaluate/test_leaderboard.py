"""How an variant stands on a route, of the scores that landed."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.config.load import Route
from flows.config.model_variants import ModelVariant
from flows.evaluate.criteria import criteria_file
from flows.evaluate.score import leaderboard
from flows.evaluate.setup.task import EvalTask
from flows.evaluate.setup.variants import Variant
from flows.lake.lake import Lake, from_rows
from flows.llm import price_table

DAY, RUN = date(2026, 5, 4), "nightly-2026-05-04"


def task(folder: Path, text: str) -> EvalTask:
    (folder / "c.yaml").write_text(text, encoding="utf-8")
    old = ModelVariant(model="openai/old", name="old", base="old", arm="pinned")
    arms = [Variant(old), Variant(ModelVariant(model="openai/gpt-4-0613", name="gpt-4-0613", base="gpt-4-0613"))]
    return EvalTask("triage", Route(repeats=2), [], criteria_file.load_criteria(folder / "c.yaml", folder), arms)


def land(folder: Path, text: str, passed: dict[tuple[str, int], list[bool | None]]) -> dict[str, dict[str, Any]]:
    """The landed rows by model; `passed` has, for each example and repeat of old, the criteria a, b and c."""
    scores = [
        {"run_id": RUN, "model": "old", "route": "triage", "example_id": example, "repeat": repeat}
        | {"criterion": criterion, "passed": one}
        for (example, repeat), found in passed.items()
        for criterion, one in zip("abc", found, strict=True)
    ]
    lake = Lake(folder / "lake")
    lake.write("scores", DAY, from_rows(scores, "scores"), RUN)
    leaderboard.land_leaderboard(lake, DAY, RUN, [task(folder, text)])
    return {row["model"]: row for row in lake.read("model_variants", DAY, RUN).to_pylist()}


CRITICAL = (
    "- {name: a, kind: json_valid, severity: critical}\n- {name: b, kind: exact, severity: critical}\n"
    "- {name: c, kind: length, max_chars: 9}\n"
)
PASSED: dict[tuple[str, int], list[bool | None]] = {
    ("1", 0): [True, True, False],
    ("1", 1): [True, False, True],
    ("2", 0): [None, False, True],  # a failure is one, whatever else is not known
    ("2", 1): [None, True, True],  # and this is unscored
    ("3", 0): [None, None, True],
}


def test_an_answer_passes_that_passes_all_that_is_critical(tmp_path: Path) -> None:
    rows = land(tmp_path, CRITICAL, PASSED)
    assert (rows["old"]["pass_rate"], rows["old"]["n_examples"], rows["old"]["n_unscored"]) == (0.25, 2, 2)
    assert rows["old"]["ci_low"] < 0.25 < rows["old"]["ci_high"]
    assert (rows["old"]["arm"], rows["gpt-4-0613"]["arm"], rows["old"]["n_repeats"]) == ("pinned", "candidate", 2)


def test_where_nothing_is_critical_all_counts(tmp_path: Path) -> None:
    rows = land(tmp_path, CRITICAL.replace(", severity: critical", ""), PASSED)
    assert (rows["old"]["pass_rate"], rows["old"]["n_examples"], rows["old"]["n_unscored"]) == (0, 2, 2)


def test_who_answered_nothing_has_no_rate_and_its_end_is_known(tmp_path: Path) -> None:
    silent = land(tmp_path, CRITICAL, PASSED)["gpt-4-0613"]
    assert (silent["pass_rate"], silent["ci_low"], silent["n_examples"], silent["n_unscored"]) == (None, None, 0, 0)
    assert silent["ends_on"] == price_table.ends_on("openai/gpt-4-0613") is not None


@pytest.mark.parametrize(
    ("model", "table", "day"),
    [
        ("openai/gpt-x", {"gpt-x": ("openai", "2026-10-23")}, date(2026, 10, 23)),
        ("gpt-x", {"gpt-x": ("openai", "2026-10-23")}, date(2026, 10, 23)),
        ("azure/gpt-x", {"gpt-x": ("openai", "2026-10-23")}, None),
        ("azure/gpt-x", {"gpt-x": ("openai", "2026-10-23"), "azure/gpt-x": ("azure", "2027-01-01")}, date(2027, 1, 1)),
        ("openai/gpt-x", {"gpt-x": ("openai", "when it is done")}, None),
        ("openai/gpt-y", {}, None),
    ],
)
def test_the_end_of_a_model_is_its_own_providers(
    monkeypatch: pytest.MonkeyPatch, model: str, table: dict[str, tuple[str, str]], day: date | None
) -> None:
    known = {key: {"litellm_provider": by, "deprecation_date": end} for key, (by, end) in table.items()}
    monkeypatch.setattr(price_table, "price_table_entries", lambda: known)
    assert price_table.ends_on(model) == day
