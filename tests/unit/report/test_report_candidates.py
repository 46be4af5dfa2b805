"""The frontier, the flipped examples and the pin on the page."""

from dataclasses import replace
from datetime import date, timedelta

from flows.report import candidates
from flows.report.evaluation_rows import Comparison, Flip, FrontierRow, Pin
from flows.report.evidence import FLIPPED
from flows.report.facts import read_facts
from flows.report.page import Links, render
from flows.report.rows import Facts
from tests.unit.report import synthetic

HOSTILE = "<script>alert(1)</script>"


def entrant(model, arm="candidate", *, smallest=False, sufficient=True, dominated=False, rate=0.9):
    low, high = (None, None) if rate is None else (rate - 0.03, rate + 0.03)
    return FrontierRow(
        model,
        arm,
        "triage",
        300,
        rate,
        low,
        high,
        0.12,
        67.0,
        1204.0,
        dominated,
        sufficient or arm == "pinned",
        smallest,
    )


def flip(n, what="regressed", model="new"):
    state = "flaky" if what == "flaky" else "fail"
    return Flip(
        model, "candidate", "triage", "right", f"e{n:02}", 0, 3, state, None if what == "flaky" else what,
        f"{HOSTILE}{n}", "expected 'a'", "a",
    )  # fmt: skip


FACTS = Facts(
    app="desk",
    day=date(2026, 5, 4),
    window_days=28,
    frontier=(
        entrant("new", smallest=True),
        entrant("old", "pinned", dominated=True),
        entrant("poor", sufficient=False),
    ),
    flips=(*map(flip, range(12)), flip(1, "repaired"), flip(2, "flaky")),
)
WORSE = Comparison(
    "old", "new", "triage", "right", "critical", -0.3, -0.5, -0.2, 0.001, 0.02, 0.1, "worse", 9, 0, 43, 0, "language=de"
)


def test_the_smallest_that_suffices_is_named_and_what_is_worse_on_a_slice_is_not_praised():
    (frontier,) = candidates.frontiers(FACTS)
    assert [(place.row.model, place.note) for place in frontier.places] == [
        ("new", "cheapest that is good enough"), ("old", "dominated"), ("poor", "not enough evidence"),
    ]  # fmt: skip
    (frontier,) = candidates.frontiers(replace(FACTS, slices=(WORSE,)))
    assert (frontier.places[0].note, frontier.places[0].tone) == (
        "cheapest that is good enough, except on slices",
        "unclear",
    )


def test_what_is_worse_on_another_route_or_once_unwrapped_takes_nothing_from_the_smallest():
    for slices in ((replace(WORSE, route="chat"),), (replace(WORSE, criterion="right:unwrapped"),)):
        (frontier,) = candidates.frontiers(replace(FACTS, slices=slices))
        assert frontier.places[0].note == "cheapest that is good enough"
    others = tuple(replace(row, route="chat") for row in FACTS.frontier)
    chat, triage = candidates.frontiers(replace(FACTS, frontier=(*others, *FACTS.frontier), slices=(WORSE,)))
    assert [one.places[0].note for one in (chat, triage)] == [
        "cheapest that is good enough", "cheapest that is good enough, except on slices",
    ]  # fmt: skip


def test_a_pinned_model_alone_has_no_frontier_and_what_is_not_known_is_said():
    assert candidates.frontiers(replace(FACTS, frontier=(entrant("old", "pinned"),))) == ()
    (frontier,) = candidates.frontiers(replace(FACTS, frontier=(entrant("old", "pinned"), entrant("new", rate=None))))
    assert frontier.places[1].rate == "not scored"


def test_flipped_examples_are_sorted_counted_and_cut():
    found = candidates.flips_of(FACTS, "new")
    assert [(one.what, one.total, len(one.rows)) for one in found] == [
        ("regressed", 12, FLIPPED), ("repaired", 1, 1), ("flaky", 1, 1),
    ]  # fmt: skip
    assert len(candidates.cut("x" * 5000)) == candidates.LONGEST + 1


def test_the_pin_is_told_in_a_sentence():
    same = Pin("old", ["old-1"], ["old-1"], 100, 0.4, False)
    assert candidates.pin_sentence(same) == (
        "old shows no change: its answers to 100 prompts were compared with earlier nights (p = 0.4)."
        " It is served as old-1."
    )
    changed = replace(same, p_value=0.00002, is_changed=True)
    assert "old appears to have changed" in candidates.pin_sentence(changed)
    renamed = replace(same, p_value=None, is_changed=True)
    assert "could not be compared with earlier nights" in candidates.pin_sentence(renamed)
    assert "no earlier nights yet" in candidates.pin_sentence(replace(same, p_value=None, is_changed=None))


def test_a_pinned_model_that_does_not_answer_tonight_is_not_said_to_have_no_past(tmp_path):
    config, day = synthetic.config(tmp_path), synthetic.DAY
    first, down = {"served_names": ["old-1"], "n_prompts": 0}, {"served_names": [], "n_prompts": 0}
    nights = [
        {"day": day - timedelta(days=1), "model": "old", **first},
        {"day": day, "model": "old", **down},
        {"day": day, "model": "young", **first},
    ]
    synthetic.write_warehouse(config.warehouse, {"fct_pin_integrity_daily": nights})
    assert [candidates.pin_sentence(pin) for pin in read_facts(config, day).pins] == [
        "old: no answers tonight that can be compared with earlier nights.",
        "young: no earlier nights yet to compare its answers with. It is served as old-1.",
    ]


def test_what_models_wrote_is_text_on_the_page():
    compared = replace(WORSE, slice="*")
    page = render(replace(FACTS, comparisons=(compared,), pins=(Pin(HOSTILE, [], None, 0, None, None),)), Links())
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= FLIPPED
    assert "and 2 more in marts.fct_example_flips" in page
    assert "cheapest that is good enough" in page
