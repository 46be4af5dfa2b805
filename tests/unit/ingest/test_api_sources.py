"""Langfuse's and Phoenix's APIs are pulled by cursor: whole days, resumed where they broke off, and no secret told."""

import json
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.cli.doctor import examine
from flows.config import Config, load_config
from flows.errors import ConfigError, UnreadableError
from flows.ingest import landing
from flows.ingest.pull import clear_read, pull, spool_of
from flows.ingest.pull.api_client import ApiClient
from flows.lake import Lake
from tests.fake_apis import (
    PHOENIX_KEY,
    PUBLIC,
    SECRET,
    Server,
    annotation,
    generation,
    page,
    running,
    score,
    span,
)

DAY, AFTER = date(2026, 3, 10), date(2026, 3, 11)
NOON = "2026-03-10T12:00:00.000Z"


def workspace(folder: Path, server: Server, form: str = "langfuse", more: str = "", page_size: int = 2) -> Config:
    keys = {
        "langfuse": f'public_key: "{PUBLIC}", secret_key: "{SECRET}"',
        "openinference": f'key: "{PHOENIX_KEY}", project: desk',
    }[form]
    api = f'{{host: "{server.host}", {keys}, page_size: {page_size}, requests_per_minute: 600000}}'
    text = f"app: a\nlake: lake\n{more}sources: [{{name: traces, format: {form}, api: {api}}}]\n"
    (folder / "genchi.yaml").write_text(text, encoding="utf-8")
    return load_config(folder / "genchi.yaml")


def rows(config: Config, table: str) -> list[dict[str, Any]]:
    store = Lake(config.lake)
    return [row for day in store.days(table) for row in store.read(table, day).to_pylist()]


def pages(config: Config) -> list[str]:
    return sorted(path.name for path in config.state.glob("_spool/*/*/*-*.json"))


def calls(count: int, day: str = "2026-03-10") -> list[dict[str, Any]]:
    return [generation(f"o{n}", f"{day}T12:00:{n:02}.000Z") for n in range(count)]


def client(config: Config, pauses: list[float] | None = None) -> ApiClient:
    return ApiClient(config.sources[0], sleep=(pauses if pauses is not None else []).append)


def test_a_day_of_langfuse_is_read_to_its_last_page(tmp_path: Path) -> None:
    other = [generation("before", "2026-03-09T23:59:59.999Z"), generation("after", "2026-03-11T00:00:00.000Z")]
    with running("langfuse", observations=calls(5) + other, scores=[score("s1", "o1", NOON)]) as server:
        config = workspace(tmp_path, server)
        landed = landing.land(config, DAY)
    assert (landed.interactions, landed.feedback, landed.unread, landed.days) == (5, 1, 0, (DAY,))
    assert server.paths == ["/api/public/v2/observations"] * 3 + ["/api/public/v3/scores"]
    call = next(row for row in rows(config, "interactions") if row["call_id"] == "o1")
    assert (call["route"], call["session_id"], call["input_text"], call["output_tokens"]) == ("triage", "s1", "Hi", 4)
    assert [(row["call_id"], row["value"]) for row in rows(config, "feedback")] == [("o1", "1")]
    host = server.host.removeprefix("http://")
    assert {row["file"] for row in rows(config, "manifest")} == {
        f"{host}/2026-03-10/{name}.json"
        for name in ("observations-00001", "observations-00002", "observations-00003", "scores-00004")
    }
    assert pages(config) == [], "texts before redaction stay no longer than they are needed"


def test_langfuse_3_is_asked_by_page_numbers(tmp_path: Path) -> None:
    with running("langfuse", observations=calls(5), scores=[score("s1", "o1", NOON)]) as server:
        server.has_cursors = False
        config = workspace(tmp_path, server)
        landed = landing.land(config, DAY)
    assert (landed.interactions, landed.feedback, landed.unread) == (5, 1, 0)
    assert [query.get("page") for path, query in server.asked[:4]] == [None, None, ["2"], ["3"]]


@pytest.mark.long
def test_doctor_asks_for_one_page_and_says_what_it_reads(tmp_path: Path) -> None:
    with running("langfuse", observations=calls(5), scores=[]) as server:
        config = workspace(tmp_path, server)
        said = [one.text for one in examine(config, DAY) if one.text.startswith("source traces")]
    assert said[0] == f"source traces: 5 observations on the first page of {server.host} for 2026-03-10"
    assert "5 calls" in said[1]
    assert len(server.asked) == 1


def test_doctor_says_where_a_server_has_nothing(tmp_path: Path) -> None:
    with running("langfuse", observations=[], scores=[]) as server:
        config = workspace(tmp_path, server)
        said = [(one.level, one.text) for one in examine(config, DAY) if one.text.startswith("source traces")]
    assert said == [("warning", f"source traces: no observations at {server.host} for 2026-03-10; try another --day")]


def test_a_day_of_phoenix_has_its_calls_and_what_people_said_of_them(tmp_path: Path) -> None:
    spans = [span(f"{n:016x}", f"2026-03-10T12:00:{n:02}+00:00") for n in range(1, 6)]
    chain = span("f" * 16, "2026-03-10T12:00:00+00:00", "CHAIN")
    said = [annotation(f"{n:016x}", f"2026-03-10T13:00:{n:02}+00:00") for n in range(1, 4)]
    with running("phoenix", spans=[*spans, chain], annotations=said) as server:
        config = workspace(tmp_path, server, "openinference", page_size=3)
        landed = landing.land(config, DAY)
    assert (landed.interactions, landed.feedback, landed.other, landed.unread) == (5, 3, 1, 0)
    assert {row["call_id"] for row in rows(config, "feedback")} == {f"{n:016x}" for n in range(1, 4)}


def test_a_day_is_that_of_the_time_zone(tmp_path: Path) -> None:
    times = [
        "2026-03-09T22:59:59.000Z",
        "2026-03-09T23:00:00.000Z",
        "2026-03-10T22:59:59.000Z",
        "2026-03-10T23:00:00.000Z",
    ]
    observations = [generation(f"o{n}", at) for n, at in enumerate(times)]
    with running("langfuse", observations=observations, scores=[]) as server:
        config = workspace(tmp_path, server, more="timezone: Europe/Berlin\n")
        landing.land(config, DAY)
    assert sorted(row["call_id"] for row in rows(config, "interactions")) == ["o1", "o2"]


def test_what_came_late_to_the_day_before_is_read_by_the_next_night(tmp_path: Path) -> None:
    with running("langfuse", observations=calls(3), scores=[]) as server:
        config = workspace(tmp_path, server)
        landing.land(config, DAY)
        server.records["observations"].append(generation("late", "2026-03-10T23:00:00.000Z"))
        server.records["observations"] += [generation("next", "2026-03-11T08:00:00.000Z")]
        landed = landing.land(config, AFTER)
    assert (landed.interactions, landed.days) == (2, (DAY, AFTER))
    assert landed.duplicates == 1, "of the day before, only the page that changed was read again"
    assert sorted(row["call_id"] for row in rows(config, "interactions")) == ["late", "next", "o0", "o1", "o2"]


def test_a_pull_that_broke_off_goes_on_at_its_cursor(tmp_path: Path) -> None:
    with running("langfuse", observations=calls(7), scores=[]) as server:
        config = workspace(tmp_path, server)
        server.faults = {3: (400, {}, b"{}")}
        landed = landing.land(config, DAY)
        assert (landed.interactions, landed.unread, len(pages(config))) == (0, 1, 2)
        landed = landing.land(config, DAY)
    assert (landed.interactions, landed.duplicates, landed.unread) == (7, 0, 0)
    assert [query.get("cursor") for _, query in server.asked] == [None, ["c2"], ["c4"], ["c4"], ["c6"], None]


def test_pages_that_wait_are_for_their_owner_only(tmp_path: Path) -> None:
    with running("langfuse", observations=calls(3), scores=[]) as server:
        config = workspace(tmp_path, server)
        pull(config, config.sources[0], DAY, client(config))
        assert pages(config) == ["observations-00001.json", "observations-00002.json"]
        for place in (config.state / "_spool").rglob("*"):
            assert stat.S_IMODE(place.stat().st_mode) == (0o700 if place.is_dir() else 0o600), place
            assert SECRET not in (place.read_text(encoding="utf-8") if place.is_file() else "")
        clear_read(config)
    assert pages(config) == []


def test_another_request_or_an_old_one_is_not_resumed(tmp_path: Path) -> None:
    with running("langfuse", observations=calls(5), scores=[]) as server:
        config = workspace(tmp_path, server)
        server.faults = {2: (400, {}, b"{}")}
        with pytest.raises(UnreadableError):
            pull(config, config.sources[0], DAY, client(config))
        larger = workspace(tmp_path, server, page_size=3)
        pull(larger, larger.sources[0], DAY, client(larger))
        assert len(pages(larger)) == 2, "pages of another size are not mixed with these"
        note = spool_of(larger, larger.sources[0]).folder / str(DAY) / "checkpoint.json"
        note.write_text(json.dumps({**json.loads(note.read_text()), "begun": 0.0}))
        asked = len(server.asked)
        pull(larger, larger.sources[0], DAY, client(larger))
    assert len(server.asked) == asked + 3


def test_a_server_that_is_busy_is_asked_again_when_it_says(tmp_path: Path) -> None:
    pauses: list[float] = []
    busy, broken = (429, {"Retry-After": "7"}, b""), (500, {}, b"<html>")
    with running("langfuse", observations=calls(3), scores=[]) as server:
        config = workspace(tmp_path, server)
        server.faults = {1: busy, 3: broken, 4: busy}
        pull(config, config.sources[0], DAY, client(config, pauses))
    assert len(server.asked) == 6
    waited = [pause for pause in pauses if pause > 0.01]  # the rest is the pace
    assert sum(pause >= 7 for pause in waited) == 2
    assert len(pages(config)) == 2


def test_a_server_that_is_silent_is_waited_for_once_a_run_and_not_once_a_day(tmp_path: Path) -> None:
    pauses: list[float] = []
    with running("langfuse", observations=calls(3), scores=[]) as server:
        config = workspace(tmp_path, server)
    silent = client(config, pauses)  # nobody listens there any more
    with pytest.raises(UnreadableError, match="does not respond"):
        pull(config, config.sources[0], DAY, silent)
    assert len(waited := [pause for pause in pauses if pause > 0.01]) > 1
    with pytest.raises(UnreadableError, match="does not respond"):
        pull(config, config.sources[0], AFTER, silent)
    assert [pause for pause in pauses if pause > 0.01] == waited


def test_requests_keep_the_pace_of_the_source(tmp_path: Path) -> None:
    now, pauses = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    with running("langfuse", observations=calls(5), scores=[]) as server:
        config = workspace(tmp_path, server)
        assert config.sources[0].api is not None
        slow = config.sources[0].model_copy(
            update={"api": config.sources[0].api.model_copy(update={"requests_per_minute": 30})}
        )
        pull(config, slow, DAY, ApiClient(slow, sleep, lambda: now[0]))
    assert pauses == [2.0, 2.0, 2.0]


HOSTILE = {
    "a page of HTML": (lambda path, query: (200, {}, b"<html>ignore all</html>"), "not JSON"),
    "half a page": (lambda path, query: (200, {}, b'{"data": [{"id": "o'), "not JSON"),
    "JSON that is no page": (lambda path, query: (200, {}, b'{"error": "sk-lf"}'), "no list `data`"),
    "a list": (lambda path, query: (200, {}, b"[1]"), "no list `data`"),
    "deep nesting": (lambda path, query: (200, {}, b"[" * 1_000_000), "not JSON"),
    "another host": (lambda path, query: (302, {"Location": "http://127.0.0.1:9/x"}, b""), "redirects"),
    "a wrong request": (lambda path, query: (422, {}, b"<secret>"), "status 422"),
    "the same cursor for ever": (lambda path, query: page(calls(1), meta={"cursor": "same"}), "repeats a cursor"),
    "never well": (lambda path, query: (503, {}, b""), "status 503"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_server_sends_is_one_line_without_a_secret(tmp_path: Path, name: str) -> None:
    answer, expected = HOSTILE[name]
    with running("langfuse", observations=[], scores=[]) as server:
        server.answer = answer
        config = workspace(tmp_path, server)
        with pytest.raises(UnreadableError) as raised:
            pull(config, config.sources[0], DAY, client(config))
    said = str(raised.value)
    assert expected in said
    assert len(said.splitlines()) == 1
    assert not any(word in said for word in (SECRET, PUBLIC, "secret", "ignore", "sk-lf"))
    assert len(server.asked) <= 6


def test_a_page_that_is_too_large_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.ingest.pull.api_client.MOST_BYTES", 1 << 20)
    with running("langfuse", observations=[], scores=[]) as server:
        server.answer = lambda path, query: (200, {}, b'{"data": ["' + b"x" * (3 << 20) + b'"]}')
        config = workspace(tmp_path, server)
        with pytest.raises(UnreadableError, match="more than 1 MiB; lower"):
            pull(config, config.sources[0], DAY, client(config))


def test_a_page_that_never_ends_is_given_up(tmp_path: Path) -> None:
    with running("langfuse", observations=[], scores=[]) as server:
        server.answer = lambda path, query: (200, {}, b'{"data": ["' + b"x" * (1 << 20) + b'"]}')
        config = workspace(tmp_path, server)
        ticks = iter(range(0, 1_000_000, 60))
        slow = ApiClient(config.sources[0], sleep=lambda _: None, clock=lambda: float(next(ticks)))
        with pytest.raises(UnreadableError, match="more than 300 s to send a page"):
            pull(config, config.sources[0], DAY, slow)


@pytest.mark.parametrize("key", ["sk-lf-é", "sk-lf-1\\n", " sk-lf-1"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_told(tmp_path: Path, key: str) -> None:
    config = workspace(tmp_path, Server(host="http://127.0.0.1:9"))
    config.path.write_text(config.path.read_text(encoding="utf-8").replace(SECRET, key), encoding="utf-8")
    with pytest.raises(ConfigError, match="a key has letters") as raised:
        load_config(config.path)
    assert "sk-lf" not in str(raised.value)


def test_a_server_that_fails_stops_only_its_source(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    line = json.dumps({"call_id": "c", "started_at": "2026-03-10T10:00:00Z", "input_text": "q"})
    (tmp_path / "own.jsonl").write_text(line + "\n", encoding="utf-8")
    with running("langfuse", observations=calls(1), scores=[]) as server:
        config = workspace(tmp_path, server)
        text = config.path.read_text(encoding="utf-8").replace(SECRET, "sk-lf-of-someone-else")
        config.path.write_text(text.replace("sources: [", "sources: [{name: own, format: genchi, path: own.jsonl}, "))
        config = load_config(config.path)
        landed = landing.land(config, DAY)
        alone = config.model_copy(update={"sources": config.sources[1:]})
        findings = [one for one in examine(alone, DAY) if one.text.startswith("source traces")]
    assert (landed.interactions, landed.unread) == (1, 1)
    problem = next(row for row in rows(config, "manifest") if row["problem"])
    assert (problem["source"], problem["problem"]) == (
        "traces",
        "refuses the keys (status 401); correct the keys of `api`",
    )
    assert "sk-lf" not in caplog.text
    assert [one.level for one in findings] == ["misconfigured"]
    assert "sk-lf" not in findings[0].text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('{name: a, format: langfuse, path: x, api: {host: "http://h"}}', "one of `path` (files)"),
        ('{name: a, format: langfuse, api: {host: "http://h"}}', "needs its `public_key` and `secret_key`"),
        ('{name: a, format: openinference, api: {host: "http://h", public_key: p}}', "takes `key` only"),
        ('{name: a, format: otel, api: {host: "http://h"}}', "needs the format `langfuse`"),
        ('{name: a, format: openinference, api: {host: "http://u:hunter2222@h"}}', "has no keys in it"),
        ('{name: a, format: openinference, api: {host: "h"}}', "begin it with https://"),
    ],
)
def test_what_an_api_needs_is_said_before_it_is_asked(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "genchi.yaml").write_text(f"app: a\nlake: lake\nsources: [{source}]\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path / "genchi.yaml")
    assert said in str(raised.value)
    assert "hunter2222" not in str(raised.value)
