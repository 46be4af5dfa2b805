"""The first minutes of a newcomer: init on logs, then what it tells to run next."""

import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli import init_command
from flows.cli.doctor import examine
from flows.config.load import Config, load_config
from flows.ingest import landing
from tests.integration import in_process, postgres
from tests.integration.test_command_line import genchi
from tests.reading import CASES, GOLDEN, format_of

pytestmark = pytest.mark.long
DAY = date(2026, 3, 2)


def newcomer(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, whose home is an empty folder."""
    (folder / "home").mkdir(exist_ok=True)
    return genchi(*arguments, cwd=folder, HOME=str(folder / "home"), **environment)


def landed(config: Config) -> dict[str, list[Any]]:
    """What a night of DAY lands: calls and signals by their keys, and the number of rejected records."""
    total = landing.land(config, DAY)
    lake = config.open_lake()
    return {
        table: sorted(
            (row["call_id"], row["source"] if table == "interactions" else row["kind"])
            for day in lake.days(table)
            for row in lake.read(table, day).to_pylist()
        )
        for table in ("interactions", "feedback")
    } | {"quarantined": [total.quarantined]}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_what_init_writes_lands_the_same_calls_as_what_a_person_writes(case: Path, tmp_path: Path) -> None:
    for folder in ("by-init", "by-hand"):
        (tmp_path / folder / "logs" / str(DAY)).mkdir(parents=True)
        shutil.copy(case / "input.jsonl", tmp_path / folder / "logs" / str(DAY) / "app.jsonl")
    log_format = format_of(case)
    by_hand = {"app": "a", "lake": "lake", "sources": [
        {"name": log_format, "format": log_format, "path": "logs/{day}/app.jsonl"}
    ]}  # fmt: skip
    (tmp_path / "by-hand" / "genchi.yaml").write_text(yaml.safe_dump(by_hand), encoding="utf-8")
    path = tmp_path / "by-init" / "genchi.yaml"
    init_command.run(str(tmp_path / "by-init" / "logs"), path, date(2026, 3, 3), lambda _: None)
    config = load_config(path, {})
    assert {finding.level for finding in examine(config, DAY)} <= {"ok", "warning", "problem"}  # none of its own making
    found = landed(config)
    assert found == landed(load_config(tmp_path / "by-hand" / "genchi.yaml", {}))
    assert found["interactions"] or found["feedback"]


def test_a_newcomer_reaches_a_page_by_the_commands_that_are_printed(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for day in ("2026-03-01", "2026-03-02"):
        text = (GOLDEN / "litellm_shapes" / "input.jsonl").read_text(encoding="utf-8")
        (tmp_path / "logs" / f"gateway-{day}.jsonl").write_text(text, encoding="utf-8")
    started = newcomer(tmp_path, "init", "logs")
    assert started.returncode == 0, started.stderr
    assert newcomer(tmp_path, "init", "logs").returncode == 2
    commands = [line.split("#")[0].split()[1:] for line in re.findall(r"^  genchi .*$", started.stdout, re.M)]
    assert [command[0] for command in commands] == ["doctor", "backfill", "nightly", "deploy"]
    for command in commands:
        done = newcomer(tmp_path, *command)
        assert done.returncode in (0, 1), f"{command}: {done.stderr}"  # 1: so few calls cannot be compared
    assert (tmp_path / "reports" / "2026-03-02" / "index.html").is_file()
    lake = load_config(tmp_path / "genchi.yaml", {}).open_lake()
    assert sum(len(lake.read("interactions", day)) for day in lake.days("interactions")) == 13


@pytest.mark.usefixtures("prefect_server")
def test_a_night_without_the_key_of_a_model_does_all_but_evaluate(tmp_path: Path) -> None:
    (tmp_path / "logs.jsonl").write_text(
        '{"call_id": "a", "started_at": "2026-03-02T10:00:00Z", "input_text": "hi", "output_text": "ho"}\n', "utf-8"
    )
    (tmp_path / "h.jsonl").write_text('{"example_id": 1, "input": "hi"}\n', encoding="utf-8")
    (tmp_path / "c.yaml").write_text("- {name: a, kind: length, max_words: 9}\n", encoding="utf-8")
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nsources: [{name: app, format: genchi, path: logs.jsonl}]\n"
        "routes: {default: {holdout: h.jsonl, criteria: c.yaml}}\n"
        "models: {pinned: {model: openai/x, api_key: '${MODEL_KEY}'}}\n",
        encoding="utf-8",
    )
    told = "models.pinned.api_key: the environment variable MODEL_KEY is not set; evaluation needs it: set it"
    ingested = in_process.genchi("ingest", "--config", str(tmp_path / "genchi.yaml"), "--day", str(DAY))
    assert ingested.returncode == 0, ingested.stderr
    alone = newcomer(tmp_path, "evaluate", "--day", str(DAY))
    assert (alone.returncode, alone.stderr.count("\n")) == (2, 1)
    assert told in alone.stderr
    night = newcomer(tmp_path, "nightly", "--day", str(DAY))
    assert night.returncode in (2, 3)
    assert told in night.stderr
    for stage in ("ingest", "semantics", "production", "transform", "check", "report", "alert"):
        assert f"✓ {stage} " in night.stderr, night.stderr
    assert (tmp_path / "reports" / str(DAY) / "index.html").is_file()


def test_a_database_is_looked_at_and_read(tmp_path: Path) -> None:
    import psycopg

    with postgres.running() as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                "create table calls (call_id text, started_at timestamptz, created_at timestamptz, route text,"
                " input_text text, output_text text)"
            )
            connection.execute("create table users (name text)")
            connection.execute("insert into users values ('ann')")
            connection.execute(
                "insert into calls select n::text, timestamptz '2026-03-02 10:00Z', now(), 'triage', 'q', 'a'"
                " from generate_series(1, 5) as n"
            )
        started = newcomer(tmp_path, "init", dsn)
        assert started.returncode == 0, started.stderr
        assert "DATABASE_URL" in started.stdout
        assert "not read: users" in started.stdout
        written = (tmp_path / "genchi.yaml").read_text(encoding="utf-8")
        for text in (written, started.stdout, started.stderr):
            assert "s3cret" not in text
        done = newcomer(tmp_path, "doctor", "--day", str(DAY), DATABASE_URL=dsn)
        assert done.returncode == 0, done.stdout
        assert "5 rows for 2026-03-02" in done.stdout
        assert landed(load_config(tmp_path / "genchi.yaml", {"DATABASE_URL": dsn}))["interactions"] == [
            (str(n), "genchi") for n in range(1, 6)
        ]
