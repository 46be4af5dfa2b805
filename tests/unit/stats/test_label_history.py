"""Which of the labels of one answer decides, and whether the judge may be compared with it."""

from datetime import date
from typing import Any

from flows.stats.label_history import Answer, histories

DAY = date(2026, 3, 3)


def answer(*labels: dict[str, Any]) -> Answer:
    """The answer of these labels, of which each is by default a blind one that passes and was drawn."""
    rows = [
        {"route": "r", "criterion": "c", "criterion_version": "v", "subject": "interaction", "subject_id": "a",
         "day": DAY, "judge": "j", "is_failed": False, "is_failed_by_judge": False, "is_drawn": True,
         "is_imported": False, "is_blind": True, "is_held_out": True, "draw": "random", "stratum": "plain:pass",
         "inclusion_probability": 0.1, "nth": nth, **label}
        for nth, label in enumerate(labels, 1)
    ]  # fmt: skip
    (found,) = histories(rows, [])["r", "c"].answers
    return found


FAILED = {"is_failed": True}
THIRD = {"is_failed": True, "is_drawn": False, "is_blind": False, "draw": "disagreement"}


def test_a_third_judgement_decides_and_is_no_measure_of_the_judge_where_it_was_not_blind() -> None:
    found = answer({}, FAILED, THIRD)
    assert (found.is_failed, found.is_held_out, found.pair) == (True, False, (False, True))
    assert answer({}, FAILED, THIRD | {"is_blind": True}).is_held_out


def test_a_third_judgement_decides_nothing_once_people_agree() -> None:
    found = answer({}, {}, THIRD)  # the second person has corrected the label since
    assert (found.is_failed, found.is_held_out) == (False, True)
    assert not answer({}, THIRD).is_failed  # or has taken it back


def test_a_first_judgement_that_was_not_blind_is_no_measure_of_the_judge() -> None:
    assert not answer({"is_blind": False}, {}).is_held_out
    assert answer({}, {"is_blind": False}).is_held_out
