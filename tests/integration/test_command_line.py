"""The command as a person runs it: exit codes, one line for what is wrong, and quiet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import main
from flows.warehouse import query
from tests.integration.servers import replayed
from tests.integration.workspaces import happy_numbers


def genchi(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )


# Notes in a file whom any Python process of a night wants to reach: names that it looks up and addresses it dials.
LISTENER = """
import os, sys
def note(event, arguments):
    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname'):
        target = arguments[1] if event == 'socket.connect' else arguments[0]
        with open(os.environ['GENCHI_LISTENER'], 'a') as file:
            file.write(repr(target[0] if isinstance(target, tuple) else target) + chr(10))
sys.addaudithook(note)
"""


def test_help_names_every_verb(tmp_path: Path) -> None:
    shown = genchi("--help", cwd=tmp_path).stdout
    for verb in ("demo", "nightly", "backfill", "ingest", "transform", "evaluate", "holdout", "doctor"):
        assert f"\n    {verb}" in shown


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nightly"], "genchi.yaml: no such file"),
        (["nightly", "--config", "wrong.yaml"], "unknown key `soruces`; did you mean `sources`?"),
        (["evaluate", "--config", "right.yaml"], "nothing to evaluate"),
        (["nightly", "--day", "yesterday"], "'yesterday' is not a valid day; write it as YYYY-MM-DD"),
        (["nightly", "--config", "holdout.yaml"], "h.jsonl, line 1: not valid JSON"),
        (["nightly", "--config", "criteria.yaml"], "unknown kind 'exactly'; did you mean `exact`?"),
        (["nightley"], "invalid choice: 'nightley'"),
        (["backfill", "--config", "right.yaml", "--start", "2026-03-02", "--end", "2026-03-01"], "is before --start"),
    ],
)
def test_a_wrong_command_or_configuration_is_exit_code_2_and_says_what(
    tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    (tmp_path / "wrong.yaml").write_text("app: a\nlake: lake\nsoruces: []\n", encoding="utf-8")
    (tmp_path / "right.yaml").write_text("app: a\nlake: lake\n", encoding="utf-8")
    (tmp_path / "h.jsonl").write_text("{broken\n", encoding="utf-8")
    (tmp_path / "good.jsonl").write_text('{"example_id": 1, "input": "hi"}\n', encoding="utf-8")
    (tmp_path / "c.yaml").write_text("- {name: a, kind: exact}\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("- {name: a, kind: exactly}\n", encoding="utf-8")
    for name, holdout, criteria in (("holdout", "h.jsonl", "c.yaml"), ("criteria", "good.jsonl", "bad.yaml")):
        (tmp_path / f"{name}.yaml").write_text(
            f"app: a\nlake: lake\nroutes: {{r: {{holdout: {holdout}, criteria: {criteria}}}}}\n", encoding="utf-8"
        )
    done = genchi(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert arguments == ["nightley"] or "usage" in done.stderr or done.stderr.count("\n") == 1, done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_an_error_that_nobody_foresaw_is_exit_code_3_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "genchi.yaml").write_text("app: a\nlake: lake\n", encoding="utf-8")

    def fail(_: object) -> list[str]:
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr("flows.ingest.describe_example_sets", fail)
    assert main(["holdout", "--config", str(tmp_path / "genchi.yaml")]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "PermissionError: [Errno 13] Permission denied: 'somewhere'" in said
    Path(said.rsplit(" ", 1)[-1].strip()).unlink()


@pytest.mark.long
def test_an_evaluation_alone_freezes_its_test_sets_first(tmp_path: Path, shared: Path) -> None:
    with replayed(shared, "happy_numbers.parquet") as url:
        path = happy_numbers(tmp_path, shared, url, "gpt-4-0314", "gpt-4-0613", examples=20)
        done = genchi("evaluate", "--config", str(path), "--day", "2026-03-02", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "40 requests sent" in done.stderr
    (row,) = query(tmp_path / "lake" / "warehouse.duckdb", "select count(*) as n from marts.fct_model_comparisons")
    assert row["n"] == 1


@pytest.mark.long
def test_a_night_without_a_server_is_quiet_calls_nobody_and_says_a_line_a_step(tmp_path: Path) -> None:
    (tmp_path / "listener").mkdir()
    (tmp_path / "listener" / "sitecustomize.py").write_text(LISTENER, encoding="utf-8")
    heard = tmp_path / "heard.txt"
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "2026-03-02.jsonl").write_text(
        '{"call_id": "a", "started_at": "2026-03-02T10:00:00Z", "input_text": "hi", "output_text": "ho"}\n',
        encoding="utf-8",
    )
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nsources: [{name: app, format: genchi, path: 'logs/{day}.jsonl'}]\n", encoding="utf-8"
    )
    listening = {"PYTHONPATH": str(tmp_path / "listener"), "GENCHI_LISTENER": str(heard)}
    done = genchi("nightly", "--day", "2026-03-02", cwd=tmp_path, **listening)
    assert done.returncode == 0, done.stderr
    assert not heard.exists(), heard.read_text(encoding="utf-8")
    speaks = "import socket; socket.getaddrinfo('127.0.0.1', 9)"
    subprocess.run([sys.executable, "-c", speaks], env={**os.environ, **listening}, check=True)
    assert heard.read_text(encoding="utf-8").split() == ["'127.0.0.1'"]
    first, *lines = done.stderr.splitlines()
    steps = [line for line in lines if not line.startswith("…")]  # how far a step is that takes more than half a minute
    assert [line.split()[1] for line in (first, *steps)] == [
        *("nightly", "labels", "ingest", "semantics", "production", "transform", "evaluate", "review"),
        *("rates", "export", "check", "report", "alert"),
    ], done.stderr  # fmt: skip
    assert str(tmp_path / "reports" / "2026-03-02" / "index.html") in done.stdout


def test_doctor_and_holdout_say_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "dev.jsonl").write_text('{"example_id": 1, "input": "hi"}\n', encoding="utf-8")
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\ndev_set: dev.jsonl\nsources: [{name: app, format: genchi, path: 'logs/{day}.jsonl'}]\n",
        encoding="utf-8",
    )
    assert "dev set: 1 examples, version " in genchi("holdout", cwd=tmp_path).stdout
    done = genchi("doctor", "--day", "2026-03-02", cwd=tmp_path)
    assert done.returncode == 2
    assert f"✗ source app: 0 files for 2026-03-02 at {tmp_path}/logs/2026-03-02.jsonl" in done.stdout


# Ends the process at the first byte that it writes to stdout or stderr, and prints the packages loaded by then.
FIRST_LINE = """
import os, sys
class First:
    def __init__(self, stream):
        self._stream = stream
    def write(self, text):
        os.write(1, ' '.join(sorted({name.partition('.')[0] for name in sys.modules})).encode())
        os._exit(0)
    def __getattr__(self, name):
        return getattr(self._stream, name)
sys.stdout, sys.stderr = First(sys.stdout), First(sys.stderr)
"""
# Each of these takes half a second of CPU to several to import. Without them the first line takes 0.6 to 0.95 s.
HEAVY = {"prefect", "dbt", "great_expectations", "litellm", "evidently", "sklearn", "scipy", "pandas", "nltk", "openai"}


@pytest.mark.parametrize(
    "verb",
    ["nightly", "ingest", "transform", "evaluate", "doctor", "holdout", "migrate", "init", "alert", "backfill", "demo"],
)
def test_the_first_line_comes_before_anything_heavy_is_imported(tmp_path: Path, verb: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(FIRST_LINE, encoding="utf-8")
    (tmp_path / "h.jsonl").write_text('{"example_id": 1, "input": "hi"}\n', encoding="utf-8")
    (tmp_path / "c.yaml").write_text("- {name: a, kind: json_valid}\n", encoding="utf-8")
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nroutes: {r: {holdout: h.jsonl, criteria: c.yaml}}\n"
        "models: {pinned: {model: simulated/x}}\n",
        encoding="utf-8",
    )
    more = {"init": ["logs", "--config", "new.yaml"], "backfill": ["--start", "2026-03-01", "--end", "2026-03-02"]}
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "flows.cli", verb, *more.get(verb, [])]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "flows" in loaded
    assert not loaded & HEAVY
