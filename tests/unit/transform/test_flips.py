"""Which examples flipped under a pairwise judge, and that answers without their wrapping flip nothing."""

from datetime import timedelta
from typing import Any

import pytest

from flows.cli import compare_report
from flows.config.load import Config
from flows.evaluate.criteria.judge_scores import AGAINST_ITSELF
from flows.evaluate.criteria.scorers import PASSED, Score, failed
from flows.lake.lake import Lake, from_rows
from flows.transform.build import COMPARISON, build
from flows.warehouse import query
from tests.unit.transform.test_transform_build import LAST, comparison, workspace
from tests.unit.transform.test_unwrapped_words import estimate

RUN = "compare-1"
WON, TIED, LOST = PASSED, Score(0.5, True, "a tie"), failed("the pinned model's answer is better: kinder")
FAILED = failed("no valid JSON")
# criterion: by example what the pinned model's answers score, and the candidate's.
SCORES: dict[str, dict[str, tuple[list[Score], list[Score]]]] = {
    "better": {
        "won": ([AGAINST_ITSELF] * 3, [WON, TIED, TIED]),
        "tied": ([AGAINST_ITSELF] * 3, [TIED] * 3),
        "evened": ([AGAINST_ITSELF] * 3, [WON, TIED, LOST]),
        "lost": ([AGAINST_ITSELF] * 3, [TIED, TIED, LOST]),
        "not judged": ([AGAINST_ITSELF] * 3, [Score(None, None, "not judged: the judge was not asked")] * 3),
    },
    "grade": {
        "lower": ([Score(0.9, True)], [Score(0.6, True)]),
        "higher": ([Score(0.2, False)], [Score(0.4, False)]),
        "equal": ([PASSED], [PASSED]),
    },
    "json": {"fenced": ([FAILED] * 3, [FAILED, PASSED, PASSED])},
    # These land for answers alone that have a wrapping: one of three of either side.
    "json:unwrapped": {"fenced": ([PASSED], [failed("without its code fence: no valid JSON")])},
}


def write(lake: Lake) -> None:
    answers, scores = [], []
    for criterion, examples in SCORES.items():
        for example, sides in examples.items():
            for model, found in zip(("old", "new"), sides, strict=True):
                for repeat, one in enumerate(found):
                    place = {"run_id": RUN, "model": model, "route": "triage", "example_id": example, "repeat": repeat}
                    told = {"output_text": f"{model} {repeat}", "arm": "pinned" if model == "old" else "candidate"}
                    mark = {"score": one.score, "passed": one.passed, "reason": one.reason, "subject": "completion"}
                    answers += [] if criterion.endswith(":unwrapped") else [{**place, **told}]
                    scores.append({**place, **mark, "criterion": criterion})
    rates = [estimate(one, 0.5, run_id=RUN, model=model) for one in SCORES for model in ("old", "new")]
    compared = [comparison("new", "*", run_id=RUN, criterion=one) for one in SCORES]
    for table, rows in (
        ("completions", answers),
        ("scores", scores),
        ("estimates", rates),
        ("comparisons", compared),
    ):
        lake.write(table, LAST, from_rows(rows, table), RUN)


def write_versions(lake: Lake) -> None:
    """Two nights of a pinned model: what passed fails, by one criterion that changed meanwhile and one that did not."""
    before = LAST - timedelta(days=1)
    for day, passed in ((before, True), (LAST, False)):
        run_id = f"nightly-{day}"
        place = {"run_id": run_id, "model": "old", "route": "triage", "example_id": "e", "repeat": 0}
        scores = [
            {**place, "subject": "completion", "criterion": name, "criterion_version": version, "passed": passed}
            | {"score": float(passed)}
            for name, version in (("same", "1"), ("changed", str(day)))
        ]
        rows = [estimate(name, 0.5, run_id=run_id, model="old") for name in ("same", "changed")]
        lake.write("completions", day, from_rows([{**place, "arm": "pinned"}], "completions"), run_id)
        lake.write("scores", day, from_rows(scores, "scores"), run_id)
        lake.write("estimates", day, from_rows(rows, "estimates"), run_id)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    config = workspace(tmp_path_factory.mktemp("flips"))
    write(Lake(config.lake))
    write_versions(Lake(config.lake))
    build(config, LAST, LAST, COMPARISON)
    return config


def test_what_a_changed_criterion_says_is_no_change_of_the_example(config: Config) -> None:
    sql = "select criterion, changed_from from marts.fct_example_flips where run_id = ?"
    rows = query(config.warehouse, sql, [f"nightly-{LAST}"])
    assert {row["criterion"]: row["changed_from"] for row in rows} == {"same": "pass", "changed": None}


def flips(config: Config, criterion: str) -> dict[str, Any]:
    sql = "select example_id, flip from marts.fct_example_flips where arm = 'candidate' and criterion = ?"
    return {row["example_id"]: row["flip"] for row in query(config.warehouse, sql, [criterion])}


def test_who_wins_more_than_it_loses_by_a_pairwise_judge_has_repaired_and_the_reverse(config: Config) -> None:
    assert flips(config, "better") == {
        **{"won": "repaired", "lost": "regressed"},
        **{"tied": None, "evened": None, "not judged": None},
    }


def test_scores_between_0_and_1_flip_by_their_mean_though_they_pass_or_fail_alike(config: Config) -> None:
    assert flips(config, "grade") == {"lower": "regressed", "higher": "repaired", "equal": None}


def test_the_few_answers_that_have_a_wrapping_flip_nothing(config: Config) -> None:
    assert flips(config, "json") == {"fenced": "repaired"}
    assert flips(config, "json:unwrapped") == {}


def test_a_comparison_lists_what_regressed_of_the_answers_as_they_came(config: Config) -> None:
    assert compare_report.read(config, LAST, RUN).regressed == {"better": ["lost"], "grade": ["lower"]}
