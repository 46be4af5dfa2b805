"""What the page says of unanswered examples, silent slices, unknown costs and refused requests."""

from datetime import date

from flows.report.candidates import frontiers
from flows.report.night_verdict import answers
from flows.report.page import Links, render
from flows.report.rows import Comparison, Facts, Failure, FrontierRow


def compared(**changes):
    row = {
        "pinned": "old", "candidate": "new", "route": "r", "criterion": "right", "severity": "critical", "delta": 0.0,
        "ci_low": -0.01, "ci_high": 0.01, "q_value": 1.0, "margin": 0.02, "minimum_detectable": 0.01,
        "verdict": "not_worse", "n_regressed": 0, "n_repaired": 0, "n_examples": 80, "n_unscored": 0,
    }  # fmt: skip
    return Comparison(**{**row, **changes})


OPEN = compared(verdict="insufficient", open_because="unanswered", n_unanswered=20, ci_low_worst=-0.29)
SILENT = compared(verdict="insufficient", open_because="no_evidence", n_unanswered=12, n_examples=0, slice="long=yes")


def test_unanswered_examples_are_no_yes():
    (answer,) = answers(Facts("app", date(2026, 3, 4), 28, comparisons=(OPEN,)))
    assert (answer.status, answer.word) == ("unknown", "Cannot tell")
    assert "20 of 100" in answer.sentence
    assert "29.0 points" in answer.sentence


def test_a_slice_of_which_nothing_was_answered_is_no_yes():
    (answer,) = answers(Facts("app", date(2026, 3, 4), 28, comparisons=(compared(),), slices=(SILENT,)))
    assert (answer.status, answer.word) == ("unknown", "Cannot tell for every slice")
    assert "Nothing is known of r/long=yes" in answer.sentence


def test_the_page_says_whose_costs_are_not_known_and_what_was_refused():
    place = FrontierRow("new", "candidate", "r", 80, 0.9, 0.8, 1.0, 1.0, 1.0, 1.0, None, True, None, 2, 3)
    facts = Facts(
        "app", date(2026, 3, 4), 28, comparisons=(OPEN,), frontier=(place, place),
        failures=(Failure("new", "r", "refused_request", True, 9, 9, "no <top_k>"),),
    )  # fmt: skip
    assert "3 answers without a known cost and left 2 examples unanswered" in frontiers(facts)[0].why_no_cheapest
    page = render(facts, Links())
    assert "Which is the cheapest is not known" in page
    assert "no &lt;top_k&gt;" in page
    assert "refused_request" in page
