"""Every expectation, feature, kind of breach and criterion says what users need that is in question."""

import csv
import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from expectations import eval_outputs, holdout, landed_logs, night_suite, results, reviewing, verdicts
from expectations.checkpoints import new_context, run
from expectations.vocabulary import Words, none
from flows.config import workspace_features
from flows.config.load import Config
from flows.errors import ConfigError
from flows.incidents import NEEDS
from flows.project import DBT_PROJECT

DAY = date(2026, 3, 2)


def test_every_expectation_has_a_need_of_the_order(tmp_path: Path) -> None:
    config = Config(path=tmp_path / "genchi.yaml", app="a", lake=tmp_path / "lake")
    suites = [one.suite(config) for one in (landed_logs, holdout, eval_outputs, verdicts, night_suite, reviewing)]
    needs = {one.meta["name"]: one.meta["need"] for suite in suites for one in suite.expectations}
    assert set(needs.values()) <= set(NEEDS)
    assert (needs["calls_landed"], needs["night_as_fast_as_usual"]) == ("reliability", "scalability")


def test_the_need_of_a_failed_expectation_is_in_its_evidence() -> None:
    import great_expectations as gx

    frame = pd.DataFrame({"subject": ["a"], "rude": [3]})
    words = Words("polite", "no rude answer", "{rude} rude answers", need="harmlessness")
    suite = gx.ExpectationSuite(name="own", expectations=[none("rude", "critical", words)])
    (found,) = results.read("own", frame, run(new_context(), suite, frame))
    assert not found.success
    assert json.loads(found.evidence_json) == {"rude": 3, "need": "harmlessness"}


def test_a_feature_of_a_workspace_may_have_each_need_and_no_other(tmp_path: Path) -> None:
    head = "feature,side,kind,need,expression,description\n"
    rows = [f"mine_{number},input,share,{need},true,that are mine\n" for number, need in enumerate(NEEDS)]
    (tmp_path / "features.csv").write_text("".join([head, *rows]), encoding="utf-8")
    assert tuple(one.need for one in workspace_features(tmp_path)) == NEEDS
    (tmp_path / "features.csv").write_text(f"{head}mine,input,share,speed,true,that are mine\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="unknown need 'speed'"):
        workspace_features(tmp_path)


def test_every_feature_and_every_kind_of_breach_has_a_need() -> None:
    for seed in ("features", "breach_kinds"):
        with (DBT_PROJECT / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        lacking = [row for row in rows if row["need"] not in NEEDS]
        # A drift and a skew are of a feature, and have its need.
        assert {row["kind"] for row in lacking} <= ({"drift", "skew"} if seed == "breach_kinds" else set())
