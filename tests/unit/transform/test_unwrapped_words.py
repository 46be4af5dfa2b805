"""What a breach says of answers without their wrapping, and that those alone are no breach."""

from typing import Any

import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.stats.proportions import pass_rate
from flows.transform.build import build
from flows.warehouse import query
from tests.unit.transform.test_transform_build import LAST, comparison, workspace

BARE = "Without code fences and text around them, answers"
BETTER = {"delta": 0.2, "ci_low": 0.1, "ci_high": 0.3}
AT_THE_BOUND = pass_rate([[1.0] * 3] * 7 + [[1.0, 0.0, 0.0]] * 3).rate or 0.0  # 24 of 30: no breach of 0.8
UNCLEAR = {"delta": -0.03, "ci_high": 0.02, "q_value": 0.6}


def estimate(criterion: str, rate: float, **changes: Any) -> dict[str, Any]:
    row = {
        "run_id": f"nightly-{LAST}", "route": "triage", "model": "old", "arm": "pinned", "slice": "*",
        "n_examples": 500, "n_repeats": 1, "n_unscored": 0, "criterion": criterion, "severity": "info",
        "pass_rate": rate, "ci_low": rate, "ci_high": rate,
    }  # fmt: skip
    return {**row, **changes}


def compared(candidate: str, raw: dict[str, Any], bare: dict[str, Any]) -> list[dict[str, Any]]:
    own = {"run_id": f"nightly-{LAST}"}
    return [
        comparison(candidate, "*", **own, **raw),
        comparison(candidate, "*", **own, criterion="correct:unwrapped", severity="info", **bare),
    ]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The summaries of the night's breaches, by subject."""
    config: Config = workspace(tmp_path_factory.mktemp("wrapped"))
    lake = Lake(config.lake)
    rows = [
        *compared("wrapped", {}, BETTER),
        *compared("wrong", {}, {}),
        *compared("unclear", {}, UNCLEAR),
        *compared("odd", BETTER, {}),
        comparison("plain", "*", run_id=f"nightly-{LAST}"),
    ]
    lake.write("comparisons", LAST, from_rows(rows, "comparisons"), "nightly")
    bound = {"min_pass_rate": 0.8, "severity": "critical"}
    rates = [
        estimate("json", 0.6, **bound), estimate("json:unwrapped", 0.9),
        estimate("code", 0.6, **bound), estimate("code:unwrapped", 0.7),
        estimate("free", 0.6, **bound),
        estimate("just", AT_THE_BOUND, **bound),
    ]  # fmt: skip
    lake.write("estimates", LAST, from_rows(rates, "estimates"), "nightly")
    build(config, LAST, LAST)
    return {row["subject"]: row["summary"] for row in query(config.warehouse, "select * from marts.fct_breaches")}


def test_answers_without_their_wrapping_are_no_breach_of_their_own(said: dict[str, str]) -> None:
    assert set(said) == {
        *(f"triage/correct/{name}" for name in ("wrapped", "wrong", "unclear", "plain")),
        *(f"triage/{name}" for name in ("json", "code", "free")),
    }


def test_a_worse_candidate_is_said_to_be_wrapped_wrongly_or_to_be_wrong(said: dict[str, str]) -> None:
    more, less = f"{BARE} pass 20.0 percentage points more", f"{BARE} pass 10.0 percentage points less"
    endings = {
        "wrapped": f"{more} often: only the formatting is worse.",
        "wrong": f"{less} often: the answers are worse, too.",
        "unclear": f"{BARE} pass 3.0 percentage points less often: it is not clear whether the answers are worse, too.",
        "plain": "500 examples).",
    }
    for name, ending in endings.items():
        assert said[f"triage/correct/{name}"].endswith(ending), name


def test_a_low_pass_rate_is_told_with_that_of_the_bare_answers(said: dict[str, str]) -> None:
    below = "below the required 80.0 %."
    assert said["triage/json"].endswith(f"{below} {BARE} pass in 90.0 %: only the formatting is wrong.")
    assert said["triage/code"].endswith(f"{below} {BARE} pass in 70.0 %.")
    assert said["triage/free"].endswith(below)
