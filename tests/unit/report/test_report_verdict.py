"""The order in which things become the night's word."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from flows.report import cards, tables
from flows.report.evaluation_rows import Comparison, Score
from flows.report.finding_kinds import breach_kinds
from flows.report.night_verdict import answers, findings, night_verdict
from flows.report.rows import Breach, Expectation, Facts
from flows.stats.proportions import pass_rate

DAY = date(2024, 5, 14)
SCORE = Score(DAY, "pinned", "pinned", "triage", "correct", 300, 1, 0, 0.9, 0.88, 0.92, 0.8)
HEALTHY = Facts("app", DAY, 28, calls=1204, compared=46, scores=(SCORE,))


def breach(kind: str, severity: str = "critical", subject: str = "triage/correct", **evidence: Any) -> Breach:
    return Breach(kind, subject, severity, f"{kind} found.", evidence, DAY, 1)


def failed(severity: str, suite: str = "landed_logs") -> Expectation:
    return Expectation(suite, "share_quarantined", "gateway", False, severity, "3%", "at most 1%")


def comparison(verdict: str, criterion: str = "correct", part: str = "*") -> Comparison:
    numbers = (-0.1, -0.2, 0.0, 0.01, 0.02, 0.03)
    return Comparison("pinned", "small", "triage", criterion, "critical", *numbers, verdict, 3, 1, 300, 0, part)


def test_a_night_that_was_compared_and_held_still_works() -> None:
    verdict = night_verdict(HEALTHY)
    assert (verdict.status, verdict.word) == ("healthy", "Still works")
    assert verdict.sentence.startswith("46 features over 1,204 calls: no significant change; 1 model evaluated")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"calls": 0, "compared": 0, "scores": ()}, "No calls were logged, and nothing was evaluated."),
        (
            {"compared": 0, "scores": ()},
            "1,204 calls logged, but there is no reference yet to compare them with, and nothing was evaluated.",
        ),
        (
            {"calls": 0, "compared": 0, "scores": (replace(SCORE, pass_rate=None),)},
            "No calls were logged, and nothing was scored in an evaluation.",
        ),
        (
            {"calls": 0, "compared": 0, "scores": (replace(SCORE, day=date(2024, 5, 13)),)},
            "No calls were logged, and nothing was evaluated.",
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
    ("breaches", "expectations", "word", "status"),
    [
        ([breach("drift")], [], "Broken", "critical"),
        ([breach("pass_rate")], [], "Broken", "critical"),
        ([breach("worse"), breach("drift")], [], "Broken", "critical"),
        ([breach("worse")], [], "Do not switch", "critical"),
        ([breach("worse")], [failed("critical", "verdicts")], "Do not switch", "critical"),
        ([], [failed("critical")], "Checks failed", "critical"),
        ([breach("drift", "warning")], [failed("warning")], "Look at 2 findings", "warning"),
        ([breach("drift", "warning")], [failed("warning", "verdicts")], "Look at 1 finding", "warning"),
        ([breach("drift", "info")], [failed("info")], "Still works", "healthy"),
    ],
)
def test_the_worst_thing_decides(breaches: Any, expectations: Any, word: str, status: str) -> None:
    verdict = night_verdict(replace(HEALTHY, breaches=tuple(breaches), expectations=tuple(expectations)))
    assert (verdict.word, verdict.status) == (word, status)


def test_every_kind_can_be_drawn_and_a_kind_that_is_not_known_comes_last() -> None:
    assert {kind.picture for kind in breach_kinds().values()} == set(cards.PICTURES)
    unknown = breach("older")
    known = tuple(breach(name, subject=name) for name in breach_kinds())
    assert [group[0].kind for group in findings((unknown, *known))] == [*breach_kinds(), "older"]
    assert cards.cards(replace(HEALTHY, breaches=(unknown,)))[0].picture == ""


def test_records_that_could_not_be_read_are_the_reason_that_there_are_no_calls() -> None:
    unread = Facts("app", DAY, 28, quarantined=(("no JSON", 40), ("call_id is missing", 10)))
    assert night_verdict(unread).sentence == (
        "No calls were logged: 50 records could not be read (no JSON), and nothing was evaluated."
    )


def test_what_else_was_found_is_counted_once() -> None:
    about = {"route": "triage", "side": "output", "feature": "words"}
    breaches = (
        breach("drift", subject="triage/output/words", **about, reference="trailing"),
        breach("skew", subject="triage/output/words", **about, reference="dev"),
        breach("worse", "warning"),
        breach("pass_rate"),
    )
    assert night_verdict(replace(HEALTHY, breaches=breaches)).sentence == "drift found. 1 more critical and 1 warning."
    assert [[found.kind for found in group] for group in findings(breaches)] == [
        ["drift", "skew"],
        ["pass_rate"],
        ["worse"],
    ]


def moved(feature: str, cause: str | None, severity: str = "warning", route: str = "triage") -> Breach:
    return breach("drift", severity, f"{route}/{feature}", route=route, side="input", feature=feature, cause=cause)


RELEASE = "release mobile-4.0.0"


@pytest.mark.parametrize(
    ("breaches", "sentence"),
    [
        (
            [moved("a", RELEASE), moved("b", RELEASE), moved("c", None), breach("worse", "warning")],
            "3 findings in the traffic of route triage; 2 of them coincide with release mobile-4.0.0.",
        ),
        (
            [moved("a", RELEASE), moved("b", RELEASE), moved("c", None, route="write")],
            "2 findings in the traffic of route triage; all of them coincide with release mobile-4.0.0.",
        ),
        (
            [moved("a", None), moved("b", RELEASE), moved("c", RELEASE)],
            "drift found. 3 findings in the traffic of route triage; 2 of them coincide with release mobile-4.0.0.",
        ),
        (
            [moved("a", RELEASE, "critical"), moved("b", RELEASE)],
            "drift found. 1 warning. 2 findings in the traffic of route triage;"
            " all of them coincide with release mobile-4.0.0.",
        ),
        ([moved("a", RELEASE), moved("b", "model new")], "drift found."),
        ([moved("a", RELEASE), moved("b", RELEASE, route="reply")], "drift found."),
        ([moved("a", RELEASE), moved("b", RELEASE, "info")], "drift found."),
        (
            [moved("a", "x"), moved("b", "x"), moved("c", "y"), moved("d", "y"), moved("e", "y")],
            "drift found. 5 findings in the traffic of route triage; 3 of them coincide with y.",
        ),
    ],
)
def test_what_several_things_coincide_with_is_said_once(breaches: list[Breach], sentence: str) -> None:
    assert night_verdict(replace(HEALTHY, breaches=tuple(breaches))).sentence == sentence


def test_a_thing_held_against_two_references_is_one_of_those_that_coincide() -> None:
    dev = replace(moved("a", None), kind="skew")
    sentence = night_verdict(replace(HEALTHY, breaches=(moved("a", RELEASE), dev, moved("b", RELEASE)))).sentence
    assert sentence == "2 findings in the traffic of route triage; all of them coincide with release mobile-4.0.0."


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


def test_a_pinned_model_that_changed_breaks_the_night() -> None:
    changed = breach("pin_changed", subject="old", p_value=0.0005)
    assert night_verdict(replace(HEALTHY, breaches=(changed,))).word == "Broken"
    (card,) = cards.cards(replace(HEALTHY, breaches=(changed,)))
    assert (card.title, card.picture) == ("old", "")
