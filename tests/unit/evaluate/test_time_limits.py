"""Patterns and functions that never end, that spoil what they get, or that end their process."""

import json
import os
import time

import pytest

from flows.evaluate.criteria import criteria_file, time_limit
from flows.evaluate.criteria.scorers import Response, score
from flows.evaluate.criteria.time_limit import MOST_TIMEOUTS, search
from flows.evaluate.examples.frozen_holdout import Example
from flows.functions import PythonFile, TimeLimitError, UnusableFunctionError

NEVER_ENDS, HARD_TEXT = r"(a|aa)+$", "a" * 60 + "!"


def make(folder, **definition):
    path = folder / "criteria.yaml"
    path.write_text(json.dumps([{"name": "it", **definition}]))
    return criteria_file.load_criteria(path, folder)[0]


def written(folder, text, **limits):
    (folder / "checks.py").write_text(text)
    return PythonFile(folder / "checks.py", **limits)


def test_a_pattern_that_backtracks_for_ever_is_stopped():
    begun = time.monotonic()
    with pytest.raises(TimeLimitError, match=r"took longer than 0\.1 s"):
        search(NEVER_ENDS, HARD_TEXT, limit_s=0.1)
    assert time.monotonic() - begun < 30  # without a limit it never ends


@pytest.mark.parametrize(
    "definition", [{"kind": "regex", "pattern": NEVER_ENDS}, {"kind": "exact", "extract": NEVER_ENDS}]
)
def test_a_criterion_that_reaches_its_limit_is_unscored_and_given_up_after_some_answers(tmp_path, definition):
    criterion, example = make(tmp_path, **definition), Example("1", "v", (), "x")
    begun = time.monotonic()
    found = [score(criterion, example, Response(HARD_TEXT)) for _ in range(MOST_TIMEOUTS + 50)]
    assert time.monotonic() - begun < MOST_TIMEOUTS * time_limit.PATTERN_S + 30
    assert {one.passed for one in found} == {None}
    assert "took longer than 1 s" in found[0].reason
    assert "not applied any more" in found[-1].reason


@pytest.mark.parametrize("pattern", [r"^(\w+\s?)*$", r"^(?!.*sorry)", r"boxed{([^}]*)}", r"\[(Yes|No)\]", r"^\p{L}+$"])
def test_patterns_in_the_syntax_of_python_and_unicode_properties_are_understood(tmp_path, pattern):
    assert make(tmp_path, kind="regex", pattern=pattern).definition.pattern == pattern


def test_a_function_that_never_returns_is_ended_and_the_next_call_works(tmp_path):
    file = written(
        tmp_path,
        "import re, time\n"
        "def waits(example, answer):\n    time.sleep(60)\n"
        "def spins(example, answer):\n    re.search(r'(a+)+$', 'a' * 60 + '!')\n"  # holds the interpreter's lock
        "def fine(example, answer):\n    return True\n",
        call_s=0.3,
    )
    assert file.call("fine", ({}, "")) is True
    for name in ("waits", "spins"):
        begun = time.monotonic()
        with pytest.raises(TimeLimitError, match=r"the function took longer than 0\.3 s"):
            file.call(name, ({}, ""))
        assert time.monotonic() - begun < 30  # without a limit it never ends
    assert file.call("fine", ({}, "")) is True
    file.end()


def test_a_file_that_never_ends_to_load_is_ended(tmp_path):
    file = written(tmp_path, "while True:\n    pass\n", import_s=0.3)
    with pytest.raises(UnusableFunctionError, match="fails to load: it took longer"):
        file.check("f", 2)


def test_a_function_may_change_its_example_print_and_read_without_effect_on_others(tmp_path, capfd):
    written(
        tmp_path,
        "import sys\n"
        "def spoils(example, answer):\n"
        "    example['tags'].clear()\n    example['expected'] = answer\n    print('hello')\n"
        "    return sys.stdin.read() == ''\n",
    )
    example = Example("1", "v", (), row={"tags": {"a": "b"}, "expected": "x"})
    found = score(make(tmp_path, kind="python", function="checks:spoils"), example, Response("y"))
    assert (found.passed, example.row) == (True, {"tags": {"a": "b"}, "expected": "x"})
    assert "hello" not in capfd.readouterr().out


def test_a_function_that_ends_its_process_is_unscored_and_the_next_answer_scored(tmp_path):
    written(tmp_path, "import os\ndef f(example, answer):\n    return answer == 'a' or os._exit(7)\n")
    criterion, example = make(tmp_path, kind="python", function="checks:f"), Example("1", "v", ())
    assert score(criterion, example, Response("b")).reason == "the function ended its process (exit code 7)"
    assert score(criterion, example, Response("a")).passed is True


def test_args_are_passed_by_name_and_change_the_version(tmp_path):
    written(tmp_path, "def f(example, answer, words=(), least=1):\n    return sum(w in answer for w in words) >= least")
    plain = {"kind": "python", "function": "checks:f"}
    two = make(tmp_path, **plain, args={"words": ["a", "b", "c"], "least": 2})
    example = Example("1", "v", ())
    assert [score(two, example, Response(text)).passed for text in ("a b", "a")] == [True, False]
    assert (
        len({two.version, make(tmp_path, **plain, args={"words": ["a"]}).version, make(tmp_path, **plain).version}) == 3
    )


@pytest.mark.parametrize(
    ("returns", "found"),
    [
        ("np.bool_(True)", 1.0),
        ("np.bool_(False)", 0.0),
        ("np.float32(0.25)", 0.25),
        ("np.int64(1)", 1.0),
        ("np.array(0.5)", 0.5),
        ("Decimal('0.5')", 0.5),
        ("Fraction(1, 4)", 0.25),
        ("np.array([0.5])", None),
        ("float('nan')", None),
        ("1.5", None),
        ("None", None),
    ],
)
def test_every_bool_and_every_number_is_a_score(tmp_path, returns, found):
    imports = "import numpy as np\nfrom decimal import Decimal\nfrom fractions import Fraction\n"
    written(tmp_path, f"{imports}def f(example, answer):\n    return {returns}\n")
    criterion = make(tmp_path, kind="python", function="checks:f")
    assert score(criterion, Example("1", "v", ()), Response("x")).score == found


def test_long_and_odd_texts_reach_a_function_whole(tmp_path):
    file = written(tmp_path, "def f(example, answer):\n    return len(answer) + len(example['input']) == 600_000\n")
    assert file.call("f", ({"input": "\ud83d\n" * 150_000}, "ä\n" * 150_000)) is True
    file.end()


def test_a_worker_ends_with_its_file(tmp_path):
    file = written(tmp_path, "import os\ndef f(example, answer):\n    return repr(os.getpid())\n")
    pid = int(file.call("f", ({}, "")).strip("'"))
    file.end()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
