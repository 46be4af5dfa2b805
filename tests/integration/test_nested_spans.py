"""One call that is logged several times: spans within spans, and types of a gateway's log. In whatever order."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.config import load
from flows.config.load import Config
from flows.ingest import landing
from flows.ingest.map import Workers
from flows.lake.lake import Lake

pytestmark = pytest.mark.long

DAY = date(2026, 3, 2)
SECOND = 10**9
START = 1772409600 * SECOND + 50_000 * SECOND


def span(number: int, first: float, last: float, parent: int | None = None, *, response: str = "chatcmpl-213",
         text: str | None = "Hi") -> dict[str, Any]:  # fmt: skip
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.response.id": response}
    if text:
        attributes["gen_ai.input.messages"] = json.dumps([{"role": "user", "content": text}])
    return {
        "traceId": "1111222233334444aaaabbbbccccdddd", "spanId": f"{number:016x}", "name": "chat",
        **({"parentSpanId": f"{parent:016x}"} if parent else {}),
        "startTimeUnixNano": str(int(START + first * SECOND)), "endTimeUnixNano": str(int(START + last * SECOND)),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }  # fmt: skip


def request(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def gateway(call_id: str, call_type: str, shared: str, at: float = 0, seconds: float = 1) -> dict[str, Any]:
    begin = START // SECOND + at
    return {
        "id": call_id, "litellm_call_id": shared, "call_type": call_type, "status": "success", "startTime": begin,
        "endTime": begin + seconds, "messages": [{"role": "user", "content": "Hi"}], "model": "m",
        "response": {"choices": [{"message": {"role": "assistant", "content": "Hello"}}]},
    }  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _one_plan() -> Iterator[None]:
    """The workers of the first landing of a format for all: to plan its SELECT takes longer than these nights."""
    known: dict[str, Any] = {}

    @contextmanager
    def shared(config: Config, secret: bytes) -> Iterator[Any]:
        yield known.setdefault(config.sources[0].format, Workers(config, secret))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing, "Workers", shared)
        yield
    for workers in known.values():
        workers.__exit__()


def workspace(folder: Path, log_format: str) -> Config:
    (folder / "logs").mkdir()
    source = f"{{name: s, format: {log_format}, path: 'logs/{{day}}-*.jsonl'}}"
    (folder / "genchi.yaml").write_text(f"app: a\nlake: lake\nsources: [{source}]\n", encoding="utf-8")
    return load.load_config(folder / "genchi.yaml")


def landed(settings: Config) -> list[str]:
    """The calls in the lake, which the manifests have to count."""
    store = Lake(settings.lake)
    manifest = [row for night in store.days("manifest") for row in store.read("manifest", night).to_pylist()]
    found = [
        call for day in store.days("interactions") for call in store.read("interactions", day)["call_id"].to_pylist()
    ]
    assert sum(row["interactions"] for row in manifest) == len(found)
    assert all(row["records"] == sum(row[kind] for kind in
               ("interactions", "feedback", "duplicates", "other", "quarantined")) for row in manifest)  # fmt: skip
    return sorted(found)


def land(folder: Path, log_format: str, nights: list[list[list[Any]]]) -> list[str]:
    """The calls after nights that each read some files of some records."""
    settings = workspace(folder, log_format)
    for night, files in enumerate(nights):
        day = date(2026, 3, 2 + night)
        for number, records in enumerate(files):
            lines = "".join(f"{json.dumps(record)}\n" for record in records)
            (folder / f"logs/{day}-{number}.jsonl").write_text(lines, encoding="utf-8")
        landing.land(settings, day)
    before = landed(settings)
    landing.land_days(settings, DAY, date(2026, 3, 2 + len(nights)))
    assert landed(settings) == before
    return before


def splits(records: list[Any]) -> list[list[list[list[Any]]]]:
    """Each record in a night of its own, in both directions; and all at once, in one file and in several."""
    return [
        [[[record]] for record in records],
        [[[record]] for record in reversed(records)],
        [[records]],
        [[[record] for record in reversed(records)]],
    ]


SPANS: dict[str, tuple[list[dict[str, Any]], list[int]]] = {
    "the inner of two": ([span(1, 0, 9), span(2, 1, 8, parent=1)], [2]),
    "though a span is between them": ([span(1, 0, 9), span(3, 2, 7, parent=2)], [3]),
    "the outer one where it alone has the texts": ([span(1, 0, 9), span(2, 1, 8, parent=1, text=None)], [1]),
    "side by side": ([span(1, 0, 4), span(2, 5, 9)], [1, 2]),
    "children of one span": ([span(1, 0, 9, parent=7), span(2, 1, 8, parent=7)], [1, 2]),
    "responses of their own": ([span(1, 0, 9, response="a"), span(2, 1, 8, parent=1, response="b")], [1, 2]),
    "three, of one length": ([span(1, 0, 9), span(2, 0, 9, parent=1), span(3, 0, 9, parent=2)], [3]),
    "two within one": ([span(1, 0, 9), span(2, 1, 4, parent=1), span(3, 5, 8, parent=1)], [2, 3]),
    "two without texts within one with them": (
        [span(1, 0, 9), span(2, 1, 4, parent=1, text=None), span(3, 5, 8, parent=1, text=None), span(4, 10, 11)],
        [1, 4],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPANS)
def test_of_spans_with_one_response_each_call_is_one_however_they_arrive(tmp_path: Path, name: str) -> None:
    spans, expected = SPANS[name]
    for number, nights in enumerate(splits([request(one) for one in spans])):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert [int(span_id, 16) for span_id in land(folder, "otel", nights)] == expected, nights


GATEWAY: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "two types": ([gateway("resp", "aresponses", "x"), gateway("chat", "acompletion", "x")], ["chat"]),
    "tried again": ([gateway("a", "acompletion", "x"), gateway("b", "acompletion", "x", 5)], ["a", "b"]),
    "tried again and logged twice": (
        [gateway("a", "acompletion", "x"), gateway("b", "acompletion", "x", 5),
         gateway("c", "aresponses", "x", 0, 9)], ["a", "b"]),
    "requests of their own": ([gateway("a", "aresponses", "x"), gateway("b", "acompletion", "y")], ["a", "b"]),
    "over midnight": (
        [gateway("a", "anthropic_messages", "x", 36_399, 3), gateway("b", "acompletion", "x", 36_401)], ["b"]),
}  # fmt: skip


@pytest.mark.parametrize("name", GATEWAY)
def test_a_request_that_is_logged_under_two_types_is_one_call_however_they_arrive(tmp_path: Path, name: str) -> None:
    records, expected = GATEWAY[name]
    for number, nights in enumerate(splits(records)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert land(folder, "litellm", nights) == expected, nights
