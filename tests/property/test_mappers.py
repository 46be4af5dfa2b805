"""Mutated logs of every format: whatever a line holds, it is in the account, and its neighbours are as they were."""

import copy
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.ingest.map.mapper import Mapped
from flows.project import log_formats
from tests.reading import mapped_bytes

GOLDEN = Path(__file__).parents[1] / "golden"
HOSTILE: tuple[Any, ...] = (
    None, True, "", "x", " ", 0, -1, 1e308, 10**30, "NaN", [], {}, [[]], [None], [[1]], {"": None}, {"a": {"b": []}},
    "\ud800", "a\x00b", "[", "{", '{"a":1}', "2026-02-30", "9" * 400, ["x"] * 300, {"role": []}, [{"role": {}}],
    [{"role": "user", "content": [{"type": 5, "text": {}}]}], {"content": {"parts": 3}}, [["user", "hi"]],
)  # fmt: skip


def samples(log_format: str) -> list[bytes]:
    """Lines of the format, as its golden cases have them."""
    lines = [line for path in GOLDEN.glob(f"{log_format}_*/input.jsonl") for line in path.read_bytes().splitlines()]
    return [line for line in lines if line.strip() and b"\n" not in line]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in [(value, key), *places(inner)]]


def with_other_values(line: bytes, rng: random.Random) -> bytes:
    """The line with some values exchanged for hostile ones, or taken out."""
    record = json.loads(line)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        found = places(record)
        if not found:
            break
        holder, key = rng.choice(found)
        if rng.random() < 0.2:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(rng.choice(HOSTILE))
    return json.dumps(record).encode()


def with_other_bytes(line: bytes, rng: random.Random) -> bytes:
    """The line with bytes changed, cut out or doubled."""
    data = bytearray(line)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            data[place:place] = bytes([rng.choice((0, 1, 34, 44, 92, 123, 125, 128, 192, 255))])
        elif kind == 1:
            del data[place : place + rng.choice((1, 3, 40))]
        elif kind == 2:
            data[place : place + 1] = bytes([rng.randrange(256)])
        else:
            data[place:place] = data[place : place + 20]
    return bytes(data).replace(b"\n", b" ").replace(b"\r", b" ")


def mutated(line: bytes, rng: random.Random) -> bytes:
    try:
        json.loads(line)
    except ValueError:
        return with_other_bytes(line, rng)
    return rng.choice((with_other_values, with_other_bytes))(line, rng)


def lines_in(found: Mapped) -> Counter[int]:
    return Counter(
        line
        for rows in (found.interactions, found.feedback, found.refused, found.other)
        for line in rows.column("line").to_pylist()
    )


def check(log_format: str, lines: list[bytes]) -> None:
    """Each line is accounted for, each refused one once and whole; a neighbour of each is as it is alone."""
    neighbour = next(line for line in samples(log_format) if mapped_bytes(log_format, line).interactions.num_rows)
    alone = mapped_bytes(log_format, neighbour).interactions.drop_columns(["line"]).to_pylist()
    content = b"".join(line + b"\n" + neighbour + b"\n" for line in lines)
    found = mapped_bytes(log_format, content)
    counted = lines_in(found)
    expected = {number for number, line in enumerate(content.splitlines(), 1) if line.strip()}
    assert set(counted) == expected
    refused = Counter(found.refused.column("line").to_pylist())
    assert not [line for line, times in refused.items() if times > 1]
    assert not [line for line in refused if line % 2 == 0]
    of_neighbours = [row for row in found.interactions.to_pylist() if row["line"] % 2 == 0]
    assert len(of_neighbours) == len(lines) * len(alone)
    for row in of_neighbours:
        del row["line"]
        assert row in alone


@pytest.mark.parametrize("log_format", log_formats())
@given(seed=st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_every_line_is_accounted_for_whatever_it_holds(log_format: str, seed: int) -> None:
    rng = random.Random(seed)
    check(log_format, [mutated(rng.choice(samples(log_format)), rng) for _ in range(40)])


@pytest.mark.long
@pytest.mark.parametrize("log_format", log_formats())
def test_ten_thousand_mutated_lines_are_accounted_for(log_format: str) -> None:
    rng = random.Random(7)
    given_lines = samples(log_format)
    check(log_format, [mutated(rng.choice(given_lines), rng) for _ in range(10_000)])


@pytest.mark.parametrize("log_format", log_formats())
def test_a_record_nested_ten_thousand_deep_is_accounted_for(log_format: str) -> None:
    line = next(line for line in samples(log_format) if mapped_bytes(log_format, line).interactions.num_rows)
    record = json.loads(line)
    deep = ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000]
    keys = [key for key, value in record.items() if isinstance(value, dict | list)] or list(record)
    lines = [json.dumps({**record, key: "DEEP"}).replace('"DEEP"', nested).encode() for key in keys for nested in deep]
    check(log_format, lines)
