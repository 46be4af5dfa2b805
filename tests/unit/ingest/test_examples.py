"""Test sets are frozen whole, or refused with the line that is wrong."""

import json
from datetime import date
from pathlib import Path

import pytest

from flows.config import load
from flows.errors import ConfigError
from flows.ingest import example_sets
from flows.lake.lake import Lake

DAY = date(2026, 3, 2)


def test_a_frozen_set_carries_the_hash_of_its_content_whatever_the_order_of_its_lines(tmp_path: Path) -> None:
    lines = [json.dumps({"example_id": n, "input": f"q{n}", "expected": {"a": n}}) for n in range(3)]
    (tmp_path / "one.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "two.jsonl").write_text("\n".join(reversed(lines)), encoding="utf-8")
    (tmp_path / "three.jsonl").write_text("\n".join(lines[:2]), encoding="utf-8")
    one, two, three = (
        example_sets.version_of(list(example_sets.read(tmp_path / f"{n}.jsonl"))) for n in ("one", "two", "three")
    )
    assert one == two
    assert one != three


def test_the_dev_set_and_the_holdouts_land_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "dev.jsonl").write_text('{"example_id": "d", "input": "hi", "expected": "ho"}\n', encoding="utf-8")
    (tmp_path / "h.jsonl").write_text(
        '{"example_id": "h", "messages": [{"role": "user", "content": "hi"}],'
        ' "expected": {"a": 1}, "tags": {"l": "de"}}\n',
        encoding="utf-8",
    )
    (tmp_path / "c.yaml").write_text("[]", encoding="utf-8")
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\ndev_set: dev.jsonl\nroutes: {r: {holdout: h.jsonl, criteria: c.yaml}}\n", encoding="utf-8"
    )
    settings = load.load_config(tmp_path / "genchi.yaml")
    example_sets.freeze(settings, DAY)
    dev, holdout = Lake(settings.lake).read("examples", DAY).to_pylist()
    assert (dev["set"], dev["route"], dev["input_text"], dev["expected_text"]) == ("dev", None, "hi", "ho")
    assert (holdout["set"], holdout["route"], holdout["expected_text"]) == ("holdout", "r", '{"a": 1}')
    assert json.loads(holdout["tags"]) == {"l": "de"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{broken", "not valid JSON"),
        ('{"input": "x"}', "`example_id`"),
        ('{"example_id": 1}', "one of `messages` and `input`"),
        ('{"example_id": 1, "input": "x", "inputs": "y"}', "unknown key `inputs`"),
        ('{"example_id": 1, "input": 5}', "`input` is not a string"),
        ('{"example_id": 1, "messages": ["hi"]}', "`messages` is not a list"),
        ('{"example_id": "0", "input": "x"}', "duplicate example_id '0', first used in line 1"),
    ],
)
def test_a_wrong_line_is_named_with_its_number(tmp_path: Path, line: str, complaint: str) -> None:
    (tmp_path / "h.jsonl").write_text(f'{{"example_id": 0, "input": "x"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="line 2: ") as caught:
        list(example_sets.read(tmp_path / "h.jsonl"))
    assert complaint in str(caught.value)


def test_a_turn_that_calls_tools_needs_no_content(tmp_path: Path) -> None:
    asks: dict[str, object] = {"role": "user", "content": "Where is order 7?"}
    calls = {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}]}
    path = tmp_path / "h.jsonl"
    path.write_text(json.dumps({"example_id": 1, "messages": [asks, calls]}), encoding="utf-8")
    (example,) = example_sets.read(path)
    assert example["messages"] == [asks, calls]
    path.write_text(json.dumps({"example_id": 1, "messages": [asks, {"role": "assistant"}]}), encoding="utf-8")
    with pytest.raises(ConfigError, match="`messages` is not a list"):
        list(example_sets.read(path))
