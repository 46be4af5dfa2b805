"""int_series_daily, from which the noise of series is learnt: its sums against those of plain Python."""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.transform.build import build
from flows.warehouse import query

pytestmark = pytest.mark.long  # builds warehouses

DAYS = [date(2026, 3, n) for n in (1, 2, 3)]
FIRST, MIDDLE, LAST = DAYS


HOSTILE = "error:\n'; drop table x; --\x01" + "x" * 5000
TOOLS = ['say "hi"', "a/b\\c", HOSTILE, "search", "search"]


def message(n: int) -> str:
    """An answer that calls none to two tools, of names that do harm if they can."""
    called = [{"id": str(k), "type": "function", "function": {"name": TOOLS[(n + k) % 5], "arguments": "{}"}}
              for k in range(n % 3)]  # fmt: skip
    return json.dumps({"role": "assistant", "content": None, "tool_calls": called})


def brought(n: int) -> str | None:
    """The messages of a request that brings results of tools, or does not; some of the tools failed."""
    results = [
        {"role": "tool", "content": "12"},
        {"role": "tool", "content": "No.", "status": "error"},
        {"role": "tool", "content": '{"error": "No."}'},
        {"role": "tool", "content": '{"error": null, "is_error": false}'},
        {"role": "tool", "content": '{"error":'},
    ]
    asked, called = {"role": "user", "content": 'Use "tool".'}, {"role": "assistant", "content": None}
    shapes = [
        [asked],
        [asked, called, results[n % 5]],
        [asked, called, results[1], called, results[0], results[n % 5], asked],
        [asked, called, results[1], called],
    ]
    return "no JSON" if n == 13 else json.dumps(shapes[n % 4]) if n % 7 else None


def has_failed_tool(call: dict[str, Any]) -> bool | None:
    """Whether a tool failed whose result a request brings; None where it brings none."""
    if call["messages_json"] is None or not call["messages_json"].startswith("["):
        return None
    messages = json.loads(call["messages_json"])
    places = [n for n, said in enumerate(messages) if said["role"] == "assistant"]
    results = [said for said in messages[max(places, default=-1) + 1 :] if said["role"] == "tool"]
    failed = [said.get("status") == "error" or said["content"] == '{"error": "No."}' for said in results]
    return any(failed) if failed else None


KEYS = ['say "hi"', "a/b~c%'; drop table x; --", "line\nbreak\x00\x01", "k" * 5000, "", "title:present", "a=b"]
VALUES = ['"quoted"', "it's:present", "two\nlines", "", "x" * 40, "x" * 41, True, None, 3, [1], {"below": {"deep": 1}},
          -2.5, 10**12, ["a", [2, 3], {}]]  # fmt: skip


def output(n: int) -> str:
    """A JSON object whose keys and values do harm if they can; one has thousands of keys, one is deep."""
    known = {KEYS[(n + k) % 7]: VALUES[(n + 3 * k) % 14] for k in range(5)}
    if n == 22:
        known |= {f"key {k}": k for k in range(10_000)}
    if n == 23:
        return json.dumps(known)[:-1] + ', "deep": ' + '{"a":' * 500 + "1" + "}" * 501
    return json.dumps(known | {"same": "\ud800" if n % 5 == 0 else "é", "in": {"a": n % 2, "b.c": {"d": "e"}}})


def read(call: dict[str, Any]) -> list[tuple[str, Any]] | None:
    """The fields of a call's output, with their tamed paths; None if it is no JSON object."""
    if call["status"] == "error" or not call["output_text"].startswith("{"):
        return None
    return [(tame(path) or "unknown", value) for path, value in paths(call["output_text"])]


def type_of(value: Any) -> str:
    """The type of a value in JSON."""
    names = {bool: "boolean", str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return "null" if value is None else names[type(value)]


def fields(call: dict[str, Any]) -> set[str] | None:
    """The members of the mixes of fields that a call's output is of; None if it is no JSON object."""
    found = read(call)
    if found is None:
        return None
    members = set()
    for name, value in found:
        members |= {f"field:{name}:present", f"field_type:{name}={type_of(value)}"}
        text = value if isinstance(value, str) else json.dumps(value)
        if not isinstance(value, dict | list) and len(text) <= 40 and not text.endswith(":present"):
            members.add(f"field:{name}={tame(text) or 'empty'}")
    return members


def numbers(call: dict[str, Any]) -> dict[str, float]:
    """The numbers of the fields of a call's output on the scale of their series; of a key that is there twice the
    largest."""
    found: dict[str, float] = {}
    for name, value in read(call) or []:
        kind, number = {
            "string": ("length", len(value) if isinstance(value, str) else None),
            "array": ("size", len(value) if isinstance(value, list) else None),
            "number": ("number", value),
        }.get(type_of(value), ("", None))
        if number is not None and abs(number) <= 1e9:
            feature = f"field_{kind}:{name}"
            found[feature] = max(found.get(feature, -math.inf), math.copysign(math.log1p(abs(number)), number))
    return found


def paths(text: str) -> Iterator[tuple[str, Any]]:
    """The first 100 fields of an object and those one level below, each with its value."""
    for key, value in islice(json.loads(text).items(), 100):
        yield key, value
        if isinstance(value, dict):
            yield from ((f"{key}.{below}", deeper) for below, deeper in value.items())


def called(call: dict[str, Any]) -> list[str] | None:
    """The names of the tools that a call's answer calls; None without a message."""
    if call["output_json"] is None:
        return None
    return [tool["function"]["name"] for tool in json.loads(call["output_json"]).get("tool_calls", [])]


def number_called(call: dict[str, Any]) -> int | None:
    """The number of tool calls in a call's answer."""
    tools = called(call)
    return None if tools is None else len(tools)


def is_repeated(call: dict[str, Any]) -> bool:
    """Whether the answer to another input is the same text."""
    others = [other for other in calls(LAST) if other["status"] != "error"]
    same = {other["input_text"] for other in others if other["output_text"] == call["output_text"]}
    return len(same) > 1 and bool(call["output_text"].strip())


def spent(call: dict[str, Any]) -> float | None:
    """The cost on the scale of its series."""
    cost = call["cost_usd"]
    return math.log1p(1e6 * cost) if cost is not None and cost >= 0 else None


def calls(day: date) -> list[dict[str, Any]]:
    """Thirty calls of seven users, some known by session, trace or nothing; the last day has a new model."""
    return [
        {
            "call_id": f"{day}-{n}",
            "route": "r",
            "user_key": f"u{n % 7}" if n % 3 else None,
            "session_id": f"s{n % 5}" if n % 2 else None,
            "trace_id": "t" if n % 9 == 0 else None,
            "release": "r1" if n % 4 else None,
            "model_served": "new" if day == LAST and n % 5 == 0 else "old",
            "prompt_version": "v1",
            "input_text": "Please give me JSON. " * (1 + n % 4) if n % 2 else "Wo\nist\r\nes?",
            "output_text": output(n) if n % 3 else " " if n == 15 else f"I cannot help with that.\n{n // 8}",
            "messages_json": brought(n),
            "output_json": (None, message(n), message(n), '{"role": "assistant", "content": "a"}')[n % 4],
            "input_tokens": (None, 7 * n, -1, 10**18)[n % 4],
            "cost_usd": (None, 1e-5 * n, 0.0, -1.0)[n % 4],
            "error_type": (None, "Timeout", HOSTILE)[n // 10] if n % 10 == 9 else None,
            "finish_reason": ("stop", "length", None)[n % 3],
            "latency_ms": 10.5 * n,
            "status": "error" if n % 10 == 9 else "success",
            "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        }
        for n in range(30)
    ]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A workspace of three days, built night by night."""
    root = tmp_path_factory.mktemp("series")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    for day in DAYS:
        Lake(config.lake).write("interactions", day, from_rows(calls(day), "interactions"))
        topics = [
            {"call_id": f"{day}-{n}", "side": "input", "origin": "production", "route": "r", "topic_id": f"t{n % 2}"}
            for n in range(12)
        ]
        Lake(config.lake).write("topics", day, from_rows(topics, "topics"))
        build(config, day, day)
    return config


def series(config: Config, **where: object) -> list[dict[str, Any]]:
    """Rows of int_series_daily."""
    conditions = " and ".join(f"{name} = ?" for name in where)
    sql = f"select * exclude (route) from intermediate.int_series_daily where {conditions} order by all"
    return query(config.warehouse, sql, list(where.values()))


def sums(values: Iterable[tuple[object, float | None]]) -> dict[str, float]:
    """What a series says of values with their clusters."""
    clusters: dict[object, list[float]] = defaultdict(list)
    for cluster, value in values:
        if value is not None:
            clusters[cluster].append(value)
    every = [value for cluster in clusters.values() for value in cluster]
    return {
        "n": len(every),
        "n_clusters": len(clusters),
        "total": math.fsum(every),
        "total_squares": math.fsum(value * value for value in every),
        "cluster_squares": math.fsum(math.fsum(cluster) ** 2 for cluster in clusters.values()),
        "cluster_cross": math.fsum(math.fsum(cluster) * len(cluster) for cluster in clusters.values()),
        "cluster_sizes": math.fsum(len(cluster) ** 2 for cluster in clusters.values()),
    }


def cluster_of(call: dict[str, Any]) -> object:
    return call["user_key"] or call["session_id"] or call["trace_id"] or call["call_id"]


def answered(call: dict[str, Any], value: float | None) -> float | None:
    return None if call["status"] == "error" or value is None else float(value)


def counted(number: int | None) -> float | None:
    """A number of a log on the scale of its series, if it can be one."""
    return math.log1p(number) if number is not None and 0 <= number < 10**9 else None


def tame(name: str) -> str:
    """A name from a log as that of a member."""
    return re.sub(r"[\x00-\x1f\s]+", " ", name)[:80].strip()


@pytest.mark.parametrize(
    ("side", "feature", "value"),
    [
        ("input", "characters", lambda call: math.log1p(len(call["input_text"]))),
        ("input", "question", lambda call: float(call["input_text"].endswith("?"))),
        ("output", "json_valid", lambda call: answered(call, float(call["output_text"].startswith("{")))),
        ("pair", "failed", lambda call: float(call["status"] == "error")),
        ("pair", "latency_ms", lambda call: answered(call, math.log1p(call["latency_ms"]))),
        (
            "pair",
            "truncated",
            lambda call: answered(call, call["finish_reason"] == "length") if call["finish_reason"] else None,
        ),
        (
            "pair",
            "json_kept",
            lambda call: answered(call, call["output_text"].startswith("{")) if "JSON" in call["input_text"] else None,
        ),
        ("input", "line_breaks", lambda call: math.log1p(call["input_text"].count("\n"))),
        ("output", "line_breaks", lambda call: answered(call, math.log1p(call["output_text"].count("\n")))),
        ("output", "repeated", lambda call: answered(call, is_repeated(call))),
        ("pair", "input_tokens", lambda call: answered(call, counted(call["input_tokens"]))),
        ("pair", "cost_usd", lambda call: answered(call, spent(call))),
        ("pair", "tool_calls", lambda call: answered(call, counted(number_called(call)))),
        ("pair", "tool_failed", has_failed_tool),
        ("pair", "tool:search", lambda call: answered(call, "search" in (called(call) or []))),
        ("pair", 'tool:say "hi"', lambda call: answered(call, TOOLS[0] in (called(call) or []))),
        ("pair", "tool:a/b\\c", lambda call: answered(call, TOOLS[1] in (called(call) or []))),
        ("pair", f"tool:{tame(HOSTILE)}", lambda call: answered(call, HOSTILE in (called(call) or []))),
        ("pair", "error:Timeout", lambda call: float(call["error_type"] == "Timeout")),
        ("pair", "error:unknown", lambda call: float(call["status"] == "error" and call["error_type"] is None)),
        ("pair", f"error:{tame(HOSTILE)}", lambda call: float(call["error_type"] == HOSTILE)),
        ("pair", "model:new", lambda call: answered(call, call["model_served"] == "new")),
        ("pair", "prompt:v1", lambda call: answered(call, 1)),
        ("input", "language:en", lambda call: float("JSON" in call["input_text"])),
        ("input", "language:de", lambda call: float("Wo" in call["input_text"])),
    ],
)
def test_the_sums_of_a_series_are_those_of_its_calls_and_clusters(
    config: Config, side: str, feature: str, value: Any
) -> None:
    (row,) = series(config, day=LAST, side=side, feature=feature, dimension="*")
    expected = sums((cluster_of(call), value(call)) for call in calls(LAST))
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert row["member"] == "*"


def test_the_sums_of_fields_are_those_of_their_outputs_with_all_that_keys_may_hold(config: Config) -> None:
    every = [(cluster_of(call), fields(call)) for call in calls(LAST)]
    counts = Counter(member for _, members in every for member in members or () if ":key " not in member)
    frequent = sorted(member for member, n in counts.items() if n > 1 and "\ud800" not in member)
    known = ("in:present", "in.a=1", "in.b.c:present", "unknown:present", "k" * 80 + ":present")
    assert {f"field:{name}" for name in known} | {"field_type:in=object", "field_type:a=b=string"} <= set(frequent)
    assert {"field:a=b=two lines", 'field:say "hi"=empty', "field:title:present=null"} & set(counts)
    rows = {row["feature"]: row for row in series(config, day=LAST, side="output", dimension="*")}
    for member in frequent:
        row = rows[member]
        expected = sums((cluster, None if members is None else member in members) for cluster, members in every)
        assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-9), member
    found = {name for name in rows if name.startswith(("field:", "field_type:"))}
    assert found - set(frequent) <= {"field:same=x"}  # half of a surrogate pair is no character
    assert all(len(name) <= len("field::present") + 80 + 40 and name.isprintable() for name in found)


def test_the_sums_of_the_numbers_of_fields_are_those_of_lengths_numbers_and_sizes(config: Config) -> None:
    every = [(cluster_of(call), numbers(call)) for call in calls(LAST)]
    features = {feature for _, found in every for feature in found if ":key " not in feature}
    assert {"field_length:same", "field_number:in.a", "field_size:unknown", "field_number:" + "k" * 80} <= features
    rows = {row["feature"]: row for row in series(config, day=LAST, side="output", dimension="*")}
    for feature in features:
        expected = sums((cluster, found.get(feature)) for cluster, found in every)
        assert {name: rows[feature][name] for name in expected} == pytest.approx(expected, abs=1e-9), feature


def test_a_member_has_the_sums_of_its_calls_and_none_of_clusters(config: Config) -> None:
    for dimension, member, calls_of in (
        ("model_served", "new", [call for call in calls(LAST) if call["model_served"] == "new"]),
        ("release", "none", [call for call in calls(LAST) if call["release"] is None]),
        ("topic", "t1", [call for n, call in enumerate(calls(LAST)) if n < 12 and n % 2 == 1]),
    ):
        (row,) = series(config, day=LAST, side="input", feature="characters", dimension=dimension, member=member)
        expected = sums((None, math.log1p(len(call["input_text"]))) for call in calls_of)
        assert [row[name] for name in ("n", "total", "total_squares")] == pytest.approx(
            [expected[name] for name in ("n", "total", "total_squares")]
        )
        assert [row[name] for name in ("n_clusters", "cluster_squares", "cluster_cross", "cluster_sizes")] == [None] * 4


def test_topics_are_those_of_the_input_on_every_side(config: Config) -> None:
    found = {(row["side"], row["member"]) for row in series(config, day=LAST, dimension="topic")}
    assert found == {(side, topic) for side in ("input", "output", "pair") for topic in ("t0", "t1")}


def test_a_model_that_is_new_tonight_was_0_on_the_days_before(config: Config) -> None:
    rows = query(
        config.warehouse,
        "select day, n, n_clusters, total, cluster_sizes from intermediate.int_series_daily"
        " where feature = 'model:new' order by day",
    )
    assert [(row["day"], row["total"]) for row in rows] == [(FIRST, 0), (MIDDLE, 0), (LAST, 6)]
    (all_old,) = series(config, day=FIRST, feature="model:old", dimension="*")
    assert [rows[0][name] for name in ("n", "n_clusters", "cluster_sizes")] == [
        all_old[name] for name in ("n", "n_clusters", "cluster_sizes")
    ]
    (moved,) = query(
        config.warehouse,
        "select value_reference, value_current, n_reference from marts.fct_feature_skew_daily"
        " where day = ? and feature = 'model:new' and reference = 'trailing'",
        [LAST],
    )
    assert (moved["value_reference"], moved["n_reference"]) == (0, 54)
    assert moved["value_current"] == pytest.approx(6 / 27)


def test_the_order_of_nights_and_a_second_build_do_not_matter(config: Config, tmp_path: Path) -> None:
    before = {table: table_of(config, table) for table in ("int_series_daily", "int_feature_histograms_daily")}
    build(config, MIDDLE, MIDDLE)
    assert {table: table_of(config, table) for table in before} == before
    other = config.model_copy(update={"warehouse": tmp_path / "other.duckdb"})
    build(other, FIRST, LAST)
    assert {table: table_of(other, table) for table in before} == before


def table_of(config: Config, table: str) -> list[dict[str, Any]]:
    return query(config.warehouse, f"select * from intermediate.{table} order by all")
