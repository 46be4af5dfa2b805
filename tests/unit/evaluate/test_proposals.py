"""What is proposed and why: traits, gaps, picks, and the anchor of a version."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from flows.evaluate.propose.anchor_examples import anchor_of
from flows.evaluate.propose.described import Described
from flows.evaluate.propose.new_examples import example_of, lacks_expected
from flows.evaluate.propose.picks import pick
from flows.evaluate.propose.pool import Call, Known
from flows.evaluate.propose.traits import Gap, asked_text, lacking, structure_of, typos_of


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def call(number: int) -> Call:
    return Call(f"c{number:03d}", (user(f"question {number}"),), f"question {number}", f"answer {number}")


@pytest.mark.parametrize(
    ("messages", "kind", "value"),
    [
        ([user("a"), {"role": "assistant", "content": "b"}, user("c")], "turns of the user", "2 or 3"),
        ([user("a")] * 4, "turns of the user", "4 or more"),
        ([user("x" * 201)], "characters", "201 to 1,000"),
        ([user("x" * 5001)], "characters", "more than 5,000"),
        ([user('{"a": [1]}')], "JSON input", "yes"),
        ([user("{not json")], "JSON input", "no"),
        ([user("[" * 100_000)], "JSON input", "no"),
        ([user("a\nb")], "lines", "several"),
        ([user([{"type": "image_url", "image_url": {}}, {"type": "text", "text": "a"}])], "files or images", "yes"),
        ([user("a"), {"role": "assistant", "tool_calls": [{}]}, user("b")], "tools used before", "yes"),
        ([user(None), user(7)], "characters", "up to 50"),
    ],
)
def test_structure_is_read_from_the_messages(messages: list[dict[str, Any]], kind: str, value: str) -> None:
    assert structure_of(messages)[kind] == value


def test_what_is_asked_is_all_that_the_user_says() -> None:
    assert asked_text([{"role": "system", "content": "s"}, user("a"), user([{"type": "text", "text": "b"}])]) == "a\nb"
    assert asked_text([{"role": "system", "content": "s"}]) == "s"
    assert asked_text([]) == ""


def test_typos_are_a_share_of_the_words_that_were_checked() -> None:
    assert [typos_of(*counts) for counts in ((10, 9), (20, 19), (3, 0), (0, 0), (9, 9))] == [
        "yes", "no", "no", "no", "no",
    ]  # fmt: skip


def test_a_trait_is_lacking_where_the_holdout_has_less_than_a_quarter_of_its_share() -> None:
    calls = [{"language": "de"}] * 20 + [{"language": "en"}] * 80 + [{"language": "fr"}] * 4
    gaps = lacking(calls, [{"language": "de"}] * 4 + [{"language": "en"}] * 96)
    assert [(gap.value, gap.n_calls, gap.n_examples) for gap in gaps] == [("de", 20, 4)]
    assert gaps[0].reason == "language"
    assert gaps[0].explanation == (
        "language de: 19.2 % of production's calls (20 of 104), 4 of 100 examples of the holdout"
    )
    assert lacking(calls, [{"language": "de"}] * 5 + [{"language": "en"}] * 95) == []
    assert lacking(calls, [{}]) == []  # nothing is known of the holdout


def test_each_kind_of_reason_has_its_share_and_what_one_leaves_others_take() -> None:
    calls = [call(n) for n in range(60)]
    ids = [one.call_id for one in calls]
    known = Known(
        failure_modes=dict.fromkeys(ids[:8], "rude") | dict.fromkeys(ids[8:10], "a promise"),
        edits={ids[10]: "another answer", ids[11]: "answer 11"},
    )
    gap = Gap("topic", "lawns", 40, 60, 0, 9)
    picks = pick(calls, known, [(gap, calls[20:])], Described(), Described(), limit=12)
    assert Counter(one.reason for one in picks) == {"edited": 1, "failure_mode": 4, "topic": 7}
    modes = [known.failure_modes[one.call.call_id] for one in picks if one.reason == "failure_mode"]
    assert Counter(modes) == {"rude": 2, "a promise": 2}
    assert picks == pick(calls[::-1], known, [(gap, calls[:19:-1])], Described(), Described(), limit=12)
    assert len({one.call.call_id for one in picks}) == len(picks)
    alone = pick(calls, known, [], Described(), Described(), limit=12)
    assert Counter(one.reason for one in alone) == {"edited": 1, "failure_mode": 10}


def test_a_failed_answer_alone_is_no_reason() -> None:
    assert pick([call(1)], Known(), [], Described(), Described(), limit=5) == []


def test_of_a_trait_the_calls_are_picked_that_stand_for_the_others_and_not_for_the_holdout() -> None:
    calls = [call(n) for n in range(30)]
    angles = [0.02 * n if n < 10 else 1.5 + 0.001 * n for n in range(30)]
    vectors = {one.call_id: np.array([np.cos(a), np.sin(a)]) for one, a in zip(calls, angles, strict=True)}
    gap = Gap("topic", "lawns", 30, 30, 0, 9)
    there = Described(vectors={"e": np.array([np.cos(1.51), np.sin(1.51)])})
    (first,) = pick(calls, Known(), [(gap, calls)], Described(vectors=vectors), there, limit=1)
    assert int(first.call.call_id[1:]) < 10
    (other,) = pick(calls, Known(), [(gap, calls)], Described(vectors=vectors), Described(), limit=1)
    assert int(other.call.call_id[1:]) >= 10


@pytest.mark.parametrize(("old", "new", "size"), [(60, 90, 60), (200, 220, 100), (1000, 1200, 240), (1000, 501, 101)])
def test_the_anchor_has_100_examples_or_a_fifth_and_all_where_there_are_fewer(old: int, new: int, size: int) -> None:
    ids = [str(n) for n in range(old)]
    strata = {one: f"{int(one) % 4}" for one in ids}
    anchor = anchor_of(ids, new, strata, [])
    assert len(anchor) == len(set(anchor)) == size
    assert set(anchor) <= set(ids)
    assert all(abs(count - size / 4) < 1 for count in Counter(strata[one] for one in anchor).values())
    assert anchor_of(ids[::-1], new, strata, []) == anchor
    kept = anchor_of(ids, new, strata, ids[:40])
    assert len(set(kept) & set(ids[:40])) == min(40, size)


PROPOSAL = {
    "proposal_id": "p-1", "route": "r", "reason": "topic", "expected_text": '{"category": "x"}',
    "messages_json": json.dumps([{"role": "system", "content": "s"}, user("a")]),
}  # fmt: skip


def test_a_new_example_has_the_form_of_the_others() -> None:
    plain = example_of(PROPOSAL, None, [{"example_id": "1", "input": "b", "expected": "c"}], is_shared=False)
    assert plain == {
        "example_id": "p-1", "input": "a", "expected": '{"category": "x"}', "tags": {"proposed": "topic"},
    }  # fmt: skip
    other = {
        "example_id": "1",
        "messages": [{"role": "system", "content": "t"}, user("b")],
        "expected": {"category": 1},
    }
    whole = example_of(PROPOSAL, None, [other], is_shared=True)
    assert whole["messages"] == [{"role": "system", "content": "s"}, user("a")]
    assert whole["expected"] == {"category": "x"}
    assert whole["route"] == "r"
    assert example_of(PROPOSAL, {"category": "y"}, [other], is_shared=False)["expected"] == {"category": "y"}
    empty = example_of({**PROPOSAL, "expected_text": None}, None, [other], is_shared=False)
    assert lacks_expected(empty, [other])
    assert not lacks_expected(empty, [other, {"example_id": "2", "input": "c"}])
