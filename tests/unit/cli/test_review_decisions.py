"""What the page's decisions do to the workspace."""

from pathlib import Path

from flows.cli.review_command import suggest
from flows.evaluate import read_suggestions
from flows.evaluate.setup import read_setup
from tests.unit.evaluate.labelling import land, workspace


def test_a_failure_mode_that_became_a_criterion_waits_for_no_decision(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    land(config)
    told = suggest(config, "ada", "r", "competitor")
    assert "was added" in told
    assert len(read_setup(config).criteria["r"]) == 2
    lake = config.open_lake()
    assert read_suggestions(lake) == []
    (day,) = lake.days("review_decisions")
    (decision,) = lake.read("review_decisions", day).to_pylist()
    assert (decision["annotator"], decision["accepted"]) == ("ada", True)
