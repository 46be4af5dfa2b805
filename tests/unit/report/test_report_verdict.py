"""The order in which things become the night's word."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from flows.report import breach_pictures, cards, tables
from flows.report.breach_kinds import breach_kinds
from flows.report.evaluation_rows import Comparison, Score
from flows.report.incident_rows import Incident, in_order
from flows.report.night_verdict import answers, night_verdict
from flows.report.rows import Breach, Expectation, Facts, Rejected
from flows.stats.proportions import pass_rate

DAY = date(2024, 5, 14)
SCORE = Score(DAY, "pinned", "pinned", "triage", "correct", 300, 1, 0, 0.9, 0.88, 0.92, 0.8)
HEALTHY = Facts("app", DAY, 28, calls=1204, compared=46, scores=(SCORE,))


def breach(kind: str, severity: str = "critical", subject: str = "triage/correct", **evidence: Any) -> Breach:
    return Breach(kind, subject, severity, f"{kind} found.", evidence, DAY, 1)


def incident(severity: str = "critical", state: str = "open", name: str = "a", **given: Any) -> Incident:
    told = {"need": "reliability", "title": f"{name} happened", "summary": "", "cause_kind": "unknown", "cause": None}
    rest = {"routes": ("triage",), "first_seen": DAY, "nights": 1, "state": state}
    return Incident(name, severity, **{**told, **rest, **given})


def failed(severity: str, suite: str = "landed_logs", need: str = "reliability") -> Expectation:
    evidence = json.dumps({"need": need})
    return Expectation(suite, "share_quarantined", "gateway", False, severity, "3%", "at most 1%", evidence)


def comparison(verdict: str, criterion: str = "correct", part: str = "*") -> Comparison:
    numbers = (-0.1, -0.2, 0.0, 0.01, 0.02, 0.03)
    return Comparison("pinned", "small", "triage", criterion, "critical", *numbers, verdict, 3, 1, 300, 0, part)


def test_a_night_that_was_compared_and_held_still_works() -> None:
    verdict = night_verdict(HEALTHY)
    assert (verdict.status, verdict.word) == ("healthy", "Still works")
    assert verdict.sentence.startswith(
        "No significant change in 46 features of 1,204 calls (their lengths, formats, languages, errors and so on);"
        " 1 model evaluated"
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"calls": 0, "compared": 0, "scores": ()}, "No calls were logged, and no model was evaluated."),
        (
            {"compared": 0, "scores": ()},
            "1,204 calls logged, but there is no reference yet to compare them with, and no model was evaluated.",
        ),
        (
            {"calls": 0, "compared": 0, "scores": (replace(SCORE, pass_rate=None),)},
            "No calls were logged, and no answer of a model was scored.",
        ),
        (
            {"calls": 0, "compared": 0, "scores": (replace(SCORE, day=date(2024, 5, 13)),)},
            "No calls were logged, and no model was evaluated.",
        ),
    ],
)
def test_no_evidence_is_never_a_pass(change: dict[str, Any], sentence: str) -> None:
    verdict = night_verdict(replace(HEALTHY, **change))
    assert (verdict.status, verdict.word, verdict.sentence) == ("unknown", "Cannot tell", sentence)


def test_a_rate_that_is_just_what_is_asked_for_is_not_drawn_as_too_low() -> None:
    just = pass_rate([[1.0] * 3] * 7 + [[1.0, 0.0, 0.0]] * 3).rate  # 24 of 30
    (drawn,) = tables.rates(replace(HEALTHY, scores=(replace(SCORE, pass_rate=just),)))
    assert 'class="estimate same"' in drawn.picture
    (drawn,) = tables.rates(replace(HEALTHY, scores=(replace(SCORE, pass_rate=0.79),)))
    assert 'class="estimate worse"' in drawn.picture


def test_what_was_not_scored_is_said_even_on_a_good_night() -> None:
    assert night_verdict(replace(HEALTHY, scores=(replace(SCORE, n_unscored=12),))).sentence.endswith(", 12 unscored.")


def test_a_missing_day_names_the_failed_check_and_cannot_tell() -> None:
    verdict = night_verdict(Facts("app", DAY, 28, expectations=(failed("critical"),)))
    assert verdict.word == "Cannot tell"
    assert verdict.sentence.endswith("1 critical check failed.")


@pytest.mark.parametrize(
    ("incidents", "expectations", "word", "status"),
    [
        ([incident()], [], "Broken", "critical"),
        ([incident(state="ongoing")], [], "Broken", "critical"),
        ([incident("info"), incident()], [failed("critical")], "Broken", "critical"),
        ([incident(state="recovered"), incident("warning", "settled")], [], "Still works", "healthy"),
        ([incident("info")], [], "Still works", "healthy"),
        ([], [failed("critical")], "Checks failed", "critical"),
        ([incident("warning"), incident("warning", name="b")], [failed("warning")], "Look at 2 incidents", "warning"),
        ([incident("warning")], [failed("warning", "verdicts")], "Look at 1 incident", "warning"),
        ([], [failed("warning")], "Look at 1 check", "warning"),
        ([incident("info")], [failed("info")], "Still works", "healthy"),
    ],
)
def test_the_worst_thing_decides(incidents: Any, expectations: Any, word: str, status: str) -> None:
    verdict = night_verdict(replace(HEALTHY, incidents=tuple(incidents), expectations=tuple(expectations)))
    assert (verdict.word, verdict.status) == (word, status)


def test_the_headline_is_the_title_of_the_first_incident_and_the_others_are_counted() -> None:
    found = (incident("warning", name="b"), incident("critical", "ongoing", "c"), incident("critical", name="d"))
    verdict = night_verdict(replace(HEALTHY, incidents=found, expectations=(failed("warning"),)))
    assert verdict.headline == "Broken: d happened. 2 more incidents and 1 failed check."


def test_a_broken_need_ends_the_verdict_and_what_belongs_to_later_needs_waits() -> None:
    useful = incident("critical", name="useless", need="usefulness", n_breaches=9)
    found = (
        useful,
        incident("critical", "ongoing", "unreliable"),
        incident("warning", name="slow", need="scalability"),
    )
    verdict = night_verdict(replace(HEALTHY, incidents=found, expectations=(failed("warning", need="usefulness"),)))
    assert verdict.headline == (
        "Broken: unreliable happened. Not reliable: the rest waits, 2 incidents and 1 failed check."
    )
    verdict = night_verdict(replace(HEALTHY, incidents=(useful,), expectations=(failed("critical"),)))
    assert (verdict.word, verdict.status) == ("Checks failed", "critical")
    assert verdict.sentence.endswith("Not reliable: the rest waits, 1 incident.")
    verdict = night_verdict(replace(HEALTHY, incidents=(useful,), expectations=(failed("warning"),)))
    assert verdict.sentence == "useless happened. 1 failed check."


def test_a_warning_breaks_no_need_and_nothing_waits_for_it() -> None:
    found = (incident("warning", name="useless", need="usefulness"), incident("warning", name="unreliable"))
    verdict = night_verdict(replace(HEALTHY, incidents=found))
    assert verdict.headline == "Look at 2 incidents: unreliable happened. 1 more incident."


def test_a_night_without_calls_of_a_route_tells_the_incident_that_says_so() -> None:
    silent = Facts("app", DAY, 28, incidents=(incident("warning", name="No calls of triage"),))
    assert night_verdict(silent).sentence == "No calls of triage happened."


def test_where_the_incidents_were_not_built_nothing_is_healthy() -> None:
    verdict = night_verdict(replace(HEALTHY, missing=("fct_incidents",)))
    assert verdict.headline == "Cannot tell: The incidents of the night were not built."


def test_incidents_are_told_by_severity_then_need_then_the_new_ones_then_those_that_moved_most() -> None:
    useless = incident("warning", name="useless", need="usefulness", n_breaches=9)
    small = incident("warning", name="small")
    large = incident("warning", name="large", n_breaches=2)
    old = incident("warning", "ongoing", "old", n_breaches=3)
    worst = incident("critical", "ongoing", "worst")
    found = in_order([useless, old, small, worst, large])
    assert [one.incident_id for one in found] == ["worst", "large", "small", "old", "useless"]


def test_every_kind_can_be_drawn_and_a_breach_of_no_incident_is_only_information() -> None:
    assert {kind.picture for kind in breach_kinds().values()} == set(breach_pictures.PICTURES)
    unknown = breach("older", "info")
    known = tuple(breach(name, "info", subject=name) for name in breach_kinds())
    found = cards.cards(replace(HEALTHY, breaches=(unknown, *known)))
    assert (found.told, found.info) == ((), ())
    assert [row.kind for row in found.loose] == [*breach_kinds(), "older"]


def test_records_that_could_not_be_read_are_the_reason_that_there_are_no_calls() -> None:
    unread = Facts(
        "app", DAY, 28, quarantined=(Rejected("no JSON", 40, "a", 1), Rejected("call_id is missing", 10, "a", 2))
    )
    assert night_verdict(unread).sentence == (
        "No calls were logged: 50 records could not be read (no JSON), and no model was evaluated."
    )


@pytest.mark.parametrize(
    ("verdicts", "slices", "word", "sentence"),
    [
        (["not_worse"], [], "Yes", "Not worse than the pinned model on any criterion."),
        (["better"], [], "Yes", "Not worse than the pinned model on any criterion. Better on triage/c0."),
        (["not_worse", "worse"], [], "No", "Worse on triage/c1."),
        (["not_worse", "insufficient"], [], "Cannot tell", "Too little evidence on triage/c1."),
        (["not_worse"], ["worse"], "Not for every slice", "Not worse overall, but worse on c on slice language=de."),
        (["not_worse"], ["insufficient"], "Yes", "Not worse than the pinned model on any criterion."),
    ],
)
def test_may_we_switch(verdicts: list[str], slices: list[str], word: str, sentence: str) -> None:
    comparisons = tuple(comparison(verdict, f"c{n}") for n, verdict in enumerate(verdicts))
    parts = tuple(comparison(verdict, "c", "language=de") for verdict in slices)
    (answer,) = answers(replace(HEALTHY, comparisons=comparisons, slices=parts))
    assert (answer.word, answer.sentence) == (word, sentence)


def test_answers_without_their_wrapping_do_not_answer_the_question_but_are_told() -> None:
    rows = (comparison("not_worse"), comparison("worse", "correct:unwrapped"), comparison("better", "c:unwrapped"))
    parts = (comparison("worse", "correct:unwrapped", "language=de"),)
    (answer,) = answers(replace(HEALTHY, comparisons=rows, slices=parts))
    assert answer.word == "Yes"
    assert answer.sentence.endswith("Better on triage/c:unwrapped.")


def test_too_little_evidence_says_how_much_would_be_enough_where_all_of_it_is_known() -> None:
    unclear = [
        replace(comparison("insufficient", f"c{n}"), examples_enough=size, repeats_enough=repeats)
        for n, (size, repeats) in enumerate([(700, 9), (1200, 5)])
    ]
    told = "Too little evidence on triage/c0, triage/c1 (about 1,200 examples, or 9 answers to each, would be enough)."
    (answer,) = answers(replace(HEALTHY, comparisons=tuple(unclear)))
    assert answer.sentence == told
    (answer,) = answers(replace(HEALTHY, comparisons=(unclear[0], replace(unclear[1], repeats_enough=None))))
    assert answer.sentence.endswith("(about 1,200 examples would be enough).")
    (answer,) = answers(replace(HEALTHY, comparisons=(unclear[0], comparison("insufficient", "c2"))))
    assert answer.sentence == "Too little evidence on triage/c0, triage/c2."


def test_a_card_has_the_breaches_of_its_incident_in_the_order_of_its_evidence() -> None:
    mine = [replace(breach("drift", subject=name), incident_id="a") for name in ("x", "y", "z")]
    found = incident(breach_names=("drift z", "drift x"))
    (card,) = cards.cards(replace(HEALTHY, incidents=(found,), breaches=(*mine, breach("drift", subject="w")))).told
    assert ([row.subject for row in card.breaches], card.picture, card.age) == (["z", "x", "y"], "", "new")


def test_the_age_of_an_incident_counts_its_nights_with_calls() -> None:
    since = date(2024, 4, 30)
    assert cards.age(incident(state="ongoing", nights=9, first_seen=since)) == "night 9, since 30 April"
