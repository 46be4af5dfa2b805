"""Ctrl-C and SIGTERM at any moment of a real night: soon over, nothing left behind, and the next run goes on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flows.warehouse import query
from tests.hanging import silent_server
from tests.serving import Quiet, serving

pytestmark = pytest.mark.long
DAY = "2026-03-02"
SIGNALS = [(number, is_group) for number in (signal.SIGTERM, signal.SIGINT) for is_group in (False, True)]
SLOW = "import sys, time\nif any('server_process' in one for one in sys.orig_argv): time.sleep(300)\n"


def workspace(folder: Path, **more: Any) -> Path:
    (folder / "logs").mkdir()
    lines = [
        json.dumps({"call_id": f"a{n}", "started_at": "2026-03-02T10:00:00Z", "input_text": f"hi {n}"})
        for n in range(20)
    ]  # fmt: skip
    (folder / "logs" / "2026-03-02.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = {"name": "app", "format": "genchi", "path": "logs/{day}.jsonl"}
    (folder / "genchi.yaml").write_text(json.dumps({"app": "a", "lake": "lake", "sources": [source], **more}))
    return folder / "genchi.yaml"


def stopped(
    path: Path, verb: str, wait: Callable[[], object], number: int, *, is_group: bool, **environment: str
) -> str:
    """Run a verb of one day, signal it, and return what it said; its output ends, and no process of it is left."""
    return ended([verb, "--config", str(path), "--day", DAY], wait, number, is_group=is_group, **environment)


def ended(arguments: list[str], wait: Callable[[], object], number: int, *, is_group: bool, **environment: str) -> str:
    """As `stopped`, for any command; `wait` begins once it has its handlers, and the signal is sent when it returns."""
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env={**os.environ, "PREFECT_API_URL": "", "GENCHI_MARK": mark, **environment},
    )  # fmt: skip
    until(lambda: catches_signals(process.pid), 60)  # a busy machine takes seconds to start Python
    wait()
    assert process.poll() is None, "it ended before the signal"
    begun = time.monotonic()
    (os.killpg if is_group else os.kill)(process.pid, number)
    said = process.communicate(timeout=60)[0]  # an orphan would hold the pipe
    assert time.monotonic() - begun < 10
    assert process.returncode == 128 + number, said
    assert said.count("genchi: stopping; to go on, run: genchi ") == 1
    assert "Traceback" not in said
    assert not [one for one in Path("/proc").glob("[0-9]*/environ") if mark in read(one)]
    return said


def catches_signals(pid: int) -> bool:
    """Whether a process has a handler of its own for SIGTERM; genchi sets it last."""
    found = re.search(r"^SigCgt:\s*(\w+)", read(Path(f"/proc/{pid}/status")), re.M)
    return bool(found and int(found[1], 16) >> (signal.SIGTERM - 1) & 1)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "flows.cli", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=500)


def calls(lake: Path) -> int:
    (found,) = query(lake / "warehouse.duckdb", "select sum(calls) as n from marts.fct_usage_daily")
    return int(found["n"])


def read(place: Path) -> str:
    try:
        return place.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def models_begun(folder: Path) -> int:
    """How many models dbt has begun to build in this workspace."""
    return read(folder / "lake" / "_dbt" / "logs" / "dbt.log").count(" START sql ")


def moments(folder: Path) -> list[Callable[[], object]]:
    """Waits until moments of a run: at its start, some seconds later, and while dbt builds."""

    return [lambda: None, lambda: time.sleep(3.0), lambda: more_than(0, lambda: models_begun(folder))]


@pytest.mark.parametrize(("number", "is_group"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_a_night_that_is_stopped_at_any_moment_is_over_soon_and_the_next_goes_on(
    tmp_path: Path, number: int, is_group: bool
) -> None:
    path = workspace(tmp_path)
    for wait in moments(tmp_path):
        stopped(path, "nightly", wait, number, is_group=is_group)
    assert run("ingest", "--config", str(path), "--day", DAY).returncode == 0
    assert calls(tmp_path / "lake") == 20


def test_a_server_that_is_slow_to_start_is_stopped_too(tmp_path: Path) -> None:
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text(SLOW, encoding="utf-8")
    path = workspace(tmp_path, alerts=[{"kind": "prefect", "block": "slack-webhook/on-call"}])
    environment = {"PYTHONPATH": str(tmp_path / "slow")}
    stopped(path, "nightly", lambda: time.sleep(8.0), signal.SIGTERM, is_group=False, **environment)


def test_an_evaluation_that_waits_for_a_silent_provider_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text('{"example_id": "1", "input": "q", "expected": "a"}\n', encoding="utf-8")
    (tmp_path / "c.yaml").write_text("- {name: right, kind: exact}\n", encoding="utf-8")
    with silent_server() as silent:
        model = {"model": "openai/m", "api_base": silent.url, "name": "m"}
        path = workspace(tmp_path, routes={"r": {"holdout": "h.jsonl", "criteria": "c.yaml"}}, models={"pinned": model})
        stopped(path, "evaluate", lambda: until(lambda: bool(silent.connections), 240), signal.SIGINT, is_group=True)


class Answering(Quiet, BaseHTTPRequestHandler):
    """Answers each request after `delay_s`, and counts them."""

    delay_s, asked = 0.0, 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).asked += 1
        time.sleep(self.delay_s)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}
        body = json.dumps({"id": f"r{self.asked}", "object": "chat.completion", "created": 1, "model": "m",
                           "choices": [choice]}).encode()  # fmt: skip
        with suppress(OSError):  # whoever asked is gone
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


def test_a_comparison_that_is_stopped_keeps_its_answers_and_goes_on(tmp_path: Path) -> None:
    examples = [json.dumps({"example_id": str(n), "input": f"q{n}", "expected": "a"}) for n in range(20)]
    (tmp_path / "h.jsonl").write_text("\n".join(examples) + "\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("- {name: right, kind: exact}\n", encoding="utf-8")

    class Endpoint(Answering):
        delay_s, asked = 1.0, 0

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)) as server:
        models = [{"model": f"openai/{name}", "api_base": f"http://127.0.0.1:{server.server_port}/v1", "name": name}
                  for name in ("old", "new")]  # fmt: skip
        path = workspace(
            tmp_path,
            routes={"r": {"holdout": "h.jsonl", "criteria": "c.yaml"}},
            models={"pinned": models[0], "candidates": models[1:]},
            budget={"concurrency": 2},
        )
        arguments = ["compare", "--config", str(path), "--day", DAY, "--pinned", "old", "--candidate", "new"]
        arguments += ["--route", "r"]
        for number, is_group in SIGNALS:
            said = ended(arguments, lambda: more_than(6, lambda: Endpoint.asked), number, is_group=is_group)
            assert f"genchi compare --config {path} --day {DAY}" in said
        Endpoint.delay_s = 0.0
        again = run(*arguments)
        assert again.returncode == 0, again.stderr
        assert Endpoint.asked <= 40 + 2 * len(SIGNALS)  # what was answered is not asked again


def more_than(number: int, count: Callable[[], int]) -> None:
    """Wait until a count has grown by more than a number."""
    before = count()
    until(lambda: count() > before + number, 240)


def until(condition: Callable[[], bool], at_most_s: float) -> None:
    end = time.monotonic() + at_most_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_backfill_that_is_stopped_is_over_soon_and_the_next_goes_on(tmp_path: Path, number: int) -> None:
    path = workspace(tmp_path)
    arguments = ["backfill", "--config", str(path), "--start", "2026-03-01", "--end", DAY]
    for wait in moments(tmp_path)[1:]:
        for is_group in (False, True):
            said = ended(arguments, wait, number, is_group=is_group)
            assert f"genchi backfill --config {path} --start 2026-03-01 --end {DAY}" in said
    assert run(*arguments).returncode == 0
    assert calls(tmp_path / "lake") == 20


@pytest.mark.parametrize(("number", "is_group"), SIGNALS)
def test_a_demo_that_is_stopped_is_over_soon(tmp_path: Path, number: int, is_group: bool) -> None:
    """The demo that is run again to its end is in test_demo.py."""
    folder = tmp_path / "demo"
    for wait in (lambda: None, lambda: until((folder / "lake").exists, 240)):
        said = ended(["demo", str(folder)], wait, number, is_group=is_group)
        assert f"genchi demo {folder}" in said
