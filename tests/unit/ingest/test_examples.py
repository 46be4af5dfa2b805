"""Test sets are frozen whole, or refused with the line that is wrong."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.config import load
from flows.config.load import Config
from flows.errors import ConfigError
from flows.ingest import example_sets
from flows.ingest.example_sets import describe_example_sets, freeze
from flows.lake.lake import Lake, from_rows

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


def many_routes(folder: Path, examples: str, **more: object) -> Config:
    (folder / "set.jsonl").write_text(examples, encoding="utf-8")
    settings = {"app": "a", "lake": "lake", "path": folder / "genchi.yaml", "dev_set": "set.jsonl", **more}
    return Config.model_validate(settings, context=folder)


def land_calls(config: Config, **calls: int) -> None:
    rows = [
        {"call_id": f"{route}-{n}", "route": route, "started_at": datetime(2026, 3, 1, 10, tzinfo=UTC)}
        for route, count in calls.items()
        for n in range(count)
    ]
    config.open_lake().write("interactions", date(2026, 3, 1), from_rows(rows, "interactions"))


def test_a_dev_set_without_routes_is_refused_where_the_configuration_has_several(tmp_path: Path) -> None:
    some = '{"example_id": "1", "input": "x", "route": "triage"}\n{"example_id": "2", "input": "y"}\n'
    config = many_routes(tmp_path, some, routes={"triage": {}, "summary": {}})
    with pytest.raises(ConfigError) as refused:
        describe_example_sets(config)
    assert str(refused.value).startswith(
        f"{tmp_path}/set.jsonl, example 2 ('2'): has no `route`, and there are several"
    )
    assert '(summary, triage); add "route": "..." to each example' in str(refused.value)
    with pytest.raises(ConfigError, match="has no `route`"):
        freeze(config, date(2026, 3, 2))


def test_a_dev_set_without_routes_is_refused_where_the_logs_have_several(tmp_path: Path) -> None:
    config = many_routes(tmp_path, '{"example_id": "1", "input": "x"}\n')
    assert "1 examples" in describe_example_sets(config)[0]
    land_calls(config, triage=40, stray=2)
    assert "1 examples" in describe_example_sets(config)[0]  # so few calls are compared with nothing
    land_calls(config, triage=40, summary=40)
    with pytest.raises(ConfigError, match=r"there are several \(summary, triage\)"):
        describe_example_sets(config)


def test_a_dev_set_that_names_its_routes_is_taken(tmp_path: Path) -> None:
    every = '{"example_id": "1", "input": "x", "route": "triage"}\n{"example_id": "2", "input": "y", "route": "b"}\n'
    config = many_routes(tmp_path, every, routes={"triage": {}, "summary": {}})
    assert freeze(config, date(2026, 3, 2)).column("route").to_pylist() == ["triage", "b"]


def test_a_holdout_of_several_routes_gives_each_its_own_examples(tmp_path: Path) -> None:
    route = {"holdout": "set.jsonl", "criteria": "c.yaml"}
    both = {"routes": {"a": route, "b": route}, "dev_set": None}
    every = '{"example_id": "1", "input": "x", "route": "a"}\n{"example_id": "2", "input": "y", "route": "b"}\n'
    rows = freeze(many_routes(tmp_path, every, **both), date(2026, 3, 2)).to_pylist()
    assert [(row["route"], row["example_id"]) for row in rows] == [("a", "1"), ("b", "2")]
    with pytest.raises(ConfigError, match=r"there are several \(a, b\)"):
        freeze(many_routes(tmp_path, every.replace(', "route": "b"', ""), **both), date(2026, 3, 2))
    alone = many_routes(tmp_path, every.replace(', "route": "b"', ""), routes={"a": route}, dev_set=None)
    assert len(freeze(alone, date(2026, 3, 2))) == 2
