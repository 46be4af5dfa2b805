"""What is marked in a text, and what a card says to do next."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.report.incident_rows import Change, Incident
from flows.report.next_steps import STEPS, Words, next_step
from flows.text_marks import pieces


def new(text: str, before: str | None) -> list[str]:
    return [piece.text for piece in pieces(text, before) if piece.is_new]


@pytest.mark.parametrize(
    ("text", "before", "marked"),
    [
        ("Sure! It is in Graz.", "It is in Linz.", ["Sure!", "Graz"]),
        ('{"kind": "bill", "urgent": true}', '{"kind": "bill"}', [', "urgent": true']),
        ('Sure! It is:\n{"kind": "bill"}', '{"kind": "bill"}', ["Sure! It is:"]),
        ("It is in Linz.", "It is in Linz.", []),
        ("It is in Linz.", None, []),
        ("It is in a long text about sums, of which no word but these is there.", "It is in Linz.", []),
        ("Request timed out.", "The paper proves a bound on the rank of sums.", []),
        ("你的包裹在林茨", "你的包裹在格拉茨", ["林"]),
        ("", "It is in Linz.", []),
    ],
)
def test_words_that_the_other_text_does_not_have_are_marked_where_the_two_are_alike(
    text: str, before: str | None, marked: list[str]
) -> None:
    assert new(text, before) == marked


@given(st.text(max_size=80), st.text(max_size=80))
def test_the_pieces_are_the_text_whatever_it_is_compared_with(text: str, before: str) -> None:
    assert "".join(piece.text for piece in pieces(text, before)) == text
    assert new(text, text) == []


KINDS = (
    "release", "prompt_version", "model_name", "model_under_name", "pinned_model", "language", "topic", "user",
    "log_format", "outage", "canned_answer", "volume", "criterion", "cost", "latency", "candidate", "end_of_life",
    "unknown",
)  # fmt: skip


def incident(kind: str, cause: str | None = None, routes: tuple[str, ...] = ()) -> Incident:
    return Incident("i", "warning", "cost", "It rose", "", kind, cause, routes, date(2024, 5, 14), 1, "open")


def test_every_kind_of_cause_has_a_line_and_an_older_or_newer_kind_has_that_of_an_unknown_cause() -> None:
    assert set(STEPS) == {*KINDS, "language:output", "model_under_name:dated"}
    for kind in KINDS:
        line = "".join(part.text for part in next_step(incident(kind)))
        assert line.endswith(".")
        assert "{" not in line
    assert next_step(incident("weather")) == next_step(incident("unknown"))


@pytest.mark.parametrize(
    ("model", "is_dated"),
    [
        ("gpt-4.1-mini-2025-04-14", True),
        ("gpt-4-0613", True),
        ("claude-3-5-sonnet-20241022", True),
        ("mistral-large-2407", True),
        ("gpt-4.1-mini", False),
        ("gpt-4-32768", False),
        ("command-r-plus", False),
    ],
)
def test_a_name_with_a_date_is_not_told_to_be_pinned(model: str, is_dated: bool) -> None:
    line = "".join(part.text for part in next_step(incident("model_under_name", model)))
    assert ("pin a dated model name" in line) is not is_dated


def test_only_where_a_route_is_evaluated_the_step_is_to_evaluate_it() -> None:
    found = incident("model_under_name", "gpt-4o", ("triage",))
    assert Words("genchi evaluate", is_code=True) in next_step(found, {"triage", "reply"})
    line = "".join(part.text for part in next_step(found, {"reply"}))
    assert "genchi evaluate" not in line
    assert "A holdout and criteria for triage in genchi.yaml would say" in line


def test_answers_in_another_language_ask_for_another_step_than_questions_in_one() -> None:
    moved = [Change("outputs in German", "r", side, "language:de", 0.1, 0.9, "") for side in ("input", "output")]
    asked, answered = (next_step(replace(incident("language"), changes=(change,))) for change in moved)
    assert "holdout" in asked[0].text
    assert "prompt" in answered[0].text


def test_a_name_in_the_line_is_text_whatever_is_in_it() -> None:
    line = next_step(incident("prompt_version", "`{routes}` 7", ("r",)), {"r"})
    assert [part.text for part in line if part.is_code] == ["genchi evaluate"]
    assert "`{routes}` 7" in line[0].text
    assert "The users of a, b and c had" in next_step(incident("outage", None, ("a", "b", "c")))[0].text
    assert Words("genchi compare", True) in next_step(incident("model_name"))
