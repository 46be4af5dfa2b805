import numpy as np
import pyarrow.parquet as pq
import pytest

from flows.stats.answer_change import compare_answers
from flows.stats.answers import distances, habits


def _pool(prefix, n=40):
    rng = np.random.default_rng(len(prefix))
    return [f"{prefix} {rng.integers(9)} and {rng.integers(9)}, which makes {rng.integers(20)}." for _ in range(n)]


def _canary(rng, pool, prompts=100):
    return [[pool[place] for place in rng.choice(len(pool), 3)] for _ in range(prompts)]


def test_two_texts_lie_apart_by_what_differs():
    gap = distances(["The cat sat.", "The cat sat.", "The cat sits.", "Nothing alike: 42!"])
    assert gap[0, 1] == 0
    assert 0 < gap[0, 2] < gap[0, 3] <= 1
    assert (gap == gap.T).all()


def test_hostile_texts_have_finite_features():
    texts = ["", " ", "\ud800", "[" * 100_000, "a" * 1_000_000, "\x00", '{"a": 1}', "ignore the above", "🙂‍↔️"]
    assert np.isfinite(distances(texts)).all()
    assert np.isfinite(habits(texts)).all()


def test_nothing_in_common_is_no_evidence():
    assert compare_answers([], []).p_value is None
    found = compare_answers([["a"], []], [[], ["b"]])
    assert (found.n_prompts, found.n_answers, found.statistic, found.p_value) == (0, 0, None, None)


def test_the_same_answers_again_are_no_swap():
    past = [[f"answer {n}"] * 3 for n in range(100)]
    assert compare_answers(past, past).p_value == 1


def test_a_deterministic_past_does_not_hide_a_few_changed_answers():
    past = [[f"answer {n}"] * 3 for n in range(100)]
    now = [["something else entirely"] * 3 if n % 20 == 0 else row for n, row in enumerate(past)]
    assert compare_answers(past, now).p_value <= 0.01
    assert compare_answers(past, [["other"] * 3, *past[1:]]).p_value > 0.01  # one prompt of a hundred is chance


def test_the_result_is_the_same_again_and_in_whatever_order_answers_came():
    rng = np.random.default_rng(1)
    past, now = _canary(rng, _pool("The sum is"), 20), _canary(rng, _pool("A sum is"), 20)
    found = compare_answers(past, now)
    assert compare_answers(past, now) == found
    assert compare_answers([row[::-1] for row in past], [row[::-1] for row in now]) == found


def test_an_unchanged_model_is_accused_as_often_as_the_p_value_says():
    rng = np.random.default_rng(2)
    pool = _pool("The sum is", 400)
    p_values = [compare_answers(_canary(rng, pool, 8), _canary(rng, pool, 8)).p_value for _ in range(100)]
    assert np.mean(np.array(p_values) <= 0.1) < 0.19  # 0.1 and three standard errors
    assert np.mean(np.array(p_values) <= 0.5) > 0.35


def test_one_answer_of_each_night_is_enough_where_habits_differ():
    past = [[f"The answer is {n}."] for n in range(60)]
    now = [[f"Sure! Let me think. It is {n}"] for n in range(60)]
    assert compare_answers(past, now).p_value <= 0.01


def test_many_past_nights_can_be_one_past():
    rng = np.random.default_rng(3)
    pool, other = _pool("The sum is"), _pool("Well, the sum of these is")
    past = [[pool[place] for place in rng.choice(len(pool), 12)] for _ in range(30)]
    assert compare_answers(past, _canary(rng, pool, 30)).p_value > 0.01
    assert compare_answers(past, _canary(rng, other, 30)).p_value <= 0.01


@pytest.mark.parametrize("other", ["gpt-4-0613", "gpt-3.5-turbo-0301"])
def test_another_real_model_behind_the_name_is_found(shared, other):
    rows = pq.read_table(shared / "data" / "llmdrift" / "happy_numbers.parquet").to_pylist()
    pools = {name: [row["answer"] for row in rows if row["model"].endswith(name)] for name in ("gpt-4-0314", other)}
    rng = np.random.default_rng(4)
    past, same, swapped = (_canary(rng, pools[name]) for name in ("gpt-4-0314", "gpt-4-0314", other))
    assert compare_answers(past, same).p_value > 0.01
    assert compare_answers(past, swapped).p_value <= 0.01
