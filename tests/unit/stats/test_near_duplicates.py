"""Near-duplicates and leaks among made-up texts."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.stats.character_grams import fold, grams
from flows.stats.containment import contained, containing
from flows.stats.near_duplicates import nearest, repeats

PROMPT = (
    "You are the assistant of a shop for garden tools. Answer in one sentence. Never promise a date. Example: a"
    " customer asks whether the green hose of ten metres fits the old tap, and you answer that it does."
)
EDITS = {
    "case": "WHERE IS THE PARCEL THAT I ORDERED last week?",
    "typo": "where is the parcel that I ordred last week?",
    "space": "  where is\tthe parcel that\nI ordered last   week?",
    "left out": "where is the parcel I ordered last week?",
    "invisible": "where is the par\u200bcel that I ordered last week?",
    "politeness": "where is the parcel that I ordered last week please?",
}


def jaccard(one: str, other: str) -> float:
    left, right = (set(grams(fold(text)).tolist()) for text in (one, other))
    return len(left & right) / len(left | right) if left | right else 0.0


@pytest.mark.parametrize("exact_up_to", [20_000, 0])
@pytest.mark.parametrize("edited", EDITS.values(), ids=EDITS)
def test_an_edited_text_is_found_and_another_question_is_not(edited: str, exact_up_to: int) -> None:
    known = ["can I return a lamp that I bought in march?", "where is the parcel that I ordered last week?"]
    (found,) = nearest([edited], known, exact_up_to=exact_up_to)
    assert found
    assert found.place == 1
    assert nearest(["how do I pay by bank transfer?"], known, exact_up_to=exact_up_to) == [None]


def test_texts_that_differ_in_numbers_only_are_the_same() -> None:
    (found,) = nearest(["where is order 17?"], ["where is order 4711?"])
    assert found
    assert found.similarity == 1


@pytest.mark.parametrize("exact_up_to", [20_000, 0])
def test_of_texts_that_repeat_each_other_the_first_is_kept(exact_up_to: int) -> None:
    texts = ["where is my parcel", "how do I pay", "Where is my parcel?", "how do I pay", "", "", "where is my parcel!"]
    found = repeats(texts, exact_up_to=exact_up_to)
    assert [one.place if one else None for one in found] == [None, None, 0, 1, None, None, 0]


TEXTS = st.lists(st.text(alphabet="abc 1é\u200b", max_size=30), max_size=12)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS)
def test_the_exact_search_finds_what_a_comparison_of_all_pairs_finds(texts: list[str], others: list[str]) -> None:
    for text, found in zip(texts, nearest(texts, others), strict=True):
        best = max((jaccard(text, other) for other in others), default=0.0)
        assert (found.similarity if found else 0.0) == pytest.approx(best if best >= 0.6 else 0.0)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_what_is_kept_has_no_near_duplicate_and_what_is_not_has_one_that_is_kept(texts: list[str]) -> None:
    found = repeats(texts)
    kept = [place for place, one in enumerate(found) if one is None]
    for place, one in enumerate(found):
        if one is None:
            assert all(jaccard(texts[place], texts[other]) < 0.6 for other in kept if other != place)
        else:
            assert one.place in kept
            assert one.place < place
            assert jaccard(texts[place], texts[one.place]) == pytest.approx(one.similarity)


def test_many_texts_of_one_template_take_little_memory_and_time() -> None:
    chance = random.Random(1)
    texts = [f"the customer {chance.random():.9f} of plan {n % 7} asks for a refund of the order" for n in range(9000)]
    assert sum(one is None for one in repeats(texts)) == 1


@pytest.mark.parametrize(
    ("text", "is_leak"),
    [
        ("a customer asks whether the green hose of ten metres fits the old tap", True),
        ("A customer asks whether the gren hose of ten metres fits the old tap", True),
        ("does the red wheelbarrow come with a spare wheel", False),
        ("of ten", True),
        ("in", True),
        ("ive ten", False),
        ("os", False),  # in the middle of a word
        (PROMPT, True),
        ("", False),
    ],
)
def test_a_text_that_is_in_a_prompt_is_a_leak(text: str, is_leak: bool) -> None:
    (found,) = contained([text], ["other", PROMPT])
    assert bool(found) == is_leak
    if found:
        assert (found.place, found.is_whole) == (1, "gren" not in text)


def test_a_short_text_is_a_leak_of_an_equal_one() -> None:
    (found,) = contained(["Hi  there"], ["hello", "hi there"])
    assert found
    assert (found.place, found.is_whole) == (1, True)


def test_a_short_source_is_in_a_text_only_where_it_equals_it() -> None:
    assert contained(["hi"], ["hi, where is my parcel"])[0]
    assert contained(["hi"], ["hi, where is my parcel"], short=False) == [None]
    assert contained(["hi"], ["Hi"], short=False)[0]


def test_a_long_source_that_has_the_grams_far_apart_is_no_leak() -> None:
    """All 4-grams of the text are in the source, a few here and a few there."""
    text = "please cancel the second order of the blue chair"
    pieces = [text[at : at + 9] for at in range(0, len(text), 3)]
    source = (" and then a long passage about something that has nothing to do with it ").join(pieces)
    assert contained([text], [source]) == [None]
    assert contained([text], [source + text])[0]


def test_texts_of_odd_characters_are_compared_and_not_refused() -> None:
    odd = ["\ud800half", "\x00\x1b[31m", "🧑‍🌾" * 5, "a" * 100_000, "ﷺ" * 50]
    assert [one.place if one else None for one in nearest(odd, odd)] == [0, 1, 2, 3, 4]
    assert all(contained(odd, odd))


def test_each_text_that_contains_a_source_is_found() -> None:
    example = "my neighbour borrowed the hedge trimmer and broke it"
    texts = [f"hello, {example}, what now?", "does the trimmer have a cable", f"{example} again", "hi"]
    found = containing(texts, ["hello", example])
    assert [one.place if one else None for one in found] == [1, None, 1, None]
