"""What is wrapping and what is answer, also where the text is made to hurt."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.evaluate.criteria.repair import COMMA, FENCE, PROSE, Repaired, repair_json, repair_text


@pytest.mark.parametrize(
    ("text", "inside", "repairs"),
    [
        ("plain", "plain", ()),
        ("```python\nx = 1\n\ny = 2\n```", "x = 1\n\ny = 2", (FENCE,)),
        ("  ```\r\nx\r\n```\r\n", "x\r", (FENCE,)),
        ("Here it is:\n\n~~~~sql\nselect 1\n~~~~\nGood luck!", "select 1", (FENCE, PROSE)),
        ('```json {"a": 1}```', '{"a": 1}', (FENCE,)),
        ("```\n```", "", (FENCE,)),
    ],
)
def test_one_code_fence_is_taken_off(text, inside, repairs):
    assert repair_text(text) == Repaired(inside, repairs)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nx = 1",
        "```\na\n```\nand\n```\nb\n```",
        "Use ```x``` here",
        "```\na\n~~~",
        "````\n```\ninner\n```\n````",
        "```\na\n```python",
    ],
)
def test_what_is_not_clearly_one_fence_stays(text):
    assert repair_text(text) == Repaired(text)


@pytest.mark.parametrize(
    ("text", "inside", "repairs"),
    [
        (' {"a": [1]} ', ' {"a": [1]} ', ()),
        ('```json\n{"a": 1}\n```', '{"a": 1}', (FENCE,)),
        ('{"a": [1, 2, ], }', '{"a": [1, 2 ] }', (COMMA,)),
        ('{"a": ",]", "b": "\\",}",}', '{"a": ",]", "b": "\\",}"}', (COMMA,)),
        ('Sure! {"a": 1}\nAnything else?', '{"a": 1}', (PROSE,)),
        ('Sure:\n```json\n{"a": 1,}\n```', '{"a": 1}', (FENCE, PROSE, COMMA)),
        ('Sure: {"a": 1,}.', '{"a": 1}', (PROSE, COMMA)),
    ],
)
def test_json_comes_out_of_fences_prose_and_trailing_commas(text, inside, repairs):
    assert repair_json(text) == Repaired(inside, repairs)


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        '{"a": [1, 2], "b": oops}',
        '{"a": 1} or {"a": 2}',
        "[1, 2",
        '{"a": NaN}',
        '{"a": 1,, }',
        '"',
        "{" * 9999,
    ],
)
def test_an_answer_that_is_wrong_is_not_made_right(text):
    assert repair_json(text) == Repaired(text)


@given(st.text(alphabet='{}[]",:\\`~\n 1a'))
def test_without_a_repair_nothing_changes_and_what_is_unwrapped_is_of_the_text(text):
    for found in (repair_text(text), repair_json(text)):
        assert found.repairs or found.text == text
        remaining = iter(text)
        assert all(letter in remaining for letter in found.text)


@pytest.mark.parametrize("part", ['\\"', "```a\n", "[", ",  ", "{", '",', "```\n", "`"])
def test_hostile_texts_cost_no_more_than_their_length(part):
    text = '"' + part * (200_000 // len(part))
    start = time.process_time()
    repair_json(text)
    repair_text(text)
    assert time.process_time() - start < 2
