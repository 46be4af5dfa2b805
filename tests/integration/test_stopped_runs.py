"""Ctrl-C and SIGTERM at any moment of a real night: soon over, nothing left behind, and the next run goes on."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from flows.warehouse import query
from tests.hanging import silent_server

pytestmark = pytest.mark.long
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


def stopped(path: Path, verb: str, after_s: float, number: int, *, is_group: bool, **environment: str) -> str:
    """Run a verb, signal it, and return what it said; its output ends, and no process of it is left."""
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", verb, "--config", str(path), "--day", "2026-03-02"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env={**os.environ, "PREFECT_API_URL": "", "GENCHI_MARK": mark, **environment},
    )  # fmt: skip
    time.sleep(after_s)
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


def read(place: Path) -> str:
    try:
        return place.read_bytes().decode(errors="replace")
    except OSError:
        return ""


@pytest.mark.parametrize("after_s", [0.7, 3.0, 8.0])
@pytest.mark.parametrize(("number", "is_group"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_a_night_that_is_stopped_is_over_soon_and_the_next_goes_on(
    tmp_path: Path, number: int, is_group: bool, after_s: float
) -> None:
    path = workspace(tmp_path)
    stopped(path, "nightly", after_s, number, is_group=is_group)
    command = [sys.executable, "-m", "flows.cli", "ingest", "--config", str(path), "--day", "2026-03-02"]
    subprocess.run(command, check=True, capture_output=True, timeout=500)
    found = query(tmp_path / "lake" / "warehouse.duckdb", "select sum(calls) as n from marts.fct_usage_daily")
    assert found == [{"n": 20}]


def test_a_server_that_is_slow_to_start_is_stopped_too(tmp_path: Path) -> None:
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text(SLOW, encoding="utf-8")
    path = workspace(tmp_path)
    stopped(path, "transform", 8.0, signal.SIGTERM, is_group=False, PYTHONPATH=str(tmp_path / "slow"))


def test_an_evaluation_that_waits_for_a_silent_provider_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text('{"example_id": "1", "input": "q", "expected": "a"}\n', encoding="utf-8")
    (tmp_path / "c.yaml").write_text("- {name: right, kind: exact}\n", encoding="utf-8")
    with silent_server() as silent:
        model = {"model": "openai/m", "api_base": silent.url, "name": "m"}
        path = workspace(tmp_path, routes={"r": {"holdout": "h.jsonl", "criteria": "c.yaml"}}, models={"pinned": model})
        stopped(path, "evaluate", 40.0, signal.SIGINT, is_group=True)
