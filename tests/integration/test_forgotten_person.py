"""A person in a whole workspace: killed and finished, read again, backed up and brought back."""

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from flows.config import Config, load_config
from flows.demo.workspace import write_workspace

pytestmark = pytest.mark.long

LAST = date(2026, 3, 31)


def genchi(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flows.cli", *arguments, "--config", str(folder / "genchi.yaml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def rows(config: Config, table: str) -> list[dict[str, object]]:
    lake = config.open_lake()
    return [row for day in lake.days(table) for row in lake.read(table, day).to_pylist()]


def places_of(root: Path, words: list[str]) -> list[str]:
    """Where any of the words is, in rows or bytes; read without genchi."""
    found = []
    for path in sorted(root.rglob("*")):
        if not path.is_file() or root / "logs" in path.parents:
            continue
        text = path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            text += json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False)
        if path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
                text += "".join(str(connection.execute(f"from {schema}.{name}").fetchall()) for schema, name in tables)
        found += [f"{path.relative_to(root)}: {word}" for word in words if word in text]
    return found


def test_a_person_is_forgotten_whatever_is_killed_and_a_backup_knows_it(tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    write_workspace(folder, LAST, 4)
    for arguments in (["backfill", "--start", "2026-03-28", "--end", "2026-03-30"], ["nightly", "--day", str(LAST)]):
        done = genchi(folder, *arguments)
        assert done.returncode in (0, 1), done.stderr
    config = load_config(folder / "genchi.yaml")
    queued = {str(row["subject_id"]) for row in rows(config, "review_queue")}
    calls = rows(config, "interactions")
    per_user = Counter(row["user_key"] for row in calls)
    person = max((row for row in calls if row["call_id"] in queued), key=lambda row: per_user[row["user_key"]])
    theirs = [row for row in calls if row["user_key"] == person["user_key"]]
    words = [str(person["user_key"]), *(str(row["call_id"]) for row in theirs)]
    assert len(places_of(folder, words)) > 5
    others = len(calls) - len(theirs)

    for seconds in (4.0, 6.0, 8.0):  # wherever it is by then
        command = [sys.executable, "-m", "flows.cli", "forget", "--user", words[0]]
        killed = subprocess.Popen([*command, "--config", str(folder / "genchi.yaml")], stdout=subprocess.DEVNULL)
        time.sleep(seconds)
        killed.kill()
        killed.wait()
    done = genchi(folder, "forget", "--user", words[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing of them was found" in done.stdout
    assert places_of(folder, words) == []
    assert len(rows(config, "interactions")) == others

    done = genchi(folder, "ingest", "--day", str(person["started_at"])[:10])  # builds the marts, too
    assert done.returncode == 0, done.stderr
    assert places_of(folder, words) == []
    assert len(rows(config, "interactions")) == others

    done = genchi(folder, "backup", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    kept = {table: rows(config, table) for table in ("interactions", "review_queue", "completions", "judgements")}
    (folder / "lake").rename(tmp_path / "lost")
    for arguments in (
        ["backup", str(tmp_path / "kept"), "--restore"],
        ["backfill", "--start", "2026-03-28", "--end", str(LAST)],
        ["evaluate", "--day", str(LAST)],
    ):
        done = genchi(folder, *arguments)
        assert done.returncode in (0, 1), done.stderr
    assert "evaluate    0 requests sent" in done.stderr, done.stderr
    assert len(rows(config, "interactions")) == len(kept["interactions"])
    for table in ("review_queue", "completions", "judgements"):
        assert sorted(map(str, rows(config, table))) == sorted(map(str, kept[table])), table
    assert places_of(folder, words) == []
