"""A person in a whole workspace: killed and finished, read again, backed up and brought back."""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from flows.config import Config, load_config
from flows.demo.workspace import write_workspace

pytestmark = pytest.mark.long

FIRST, LAST = date(2026, 3, 30), date(2026, 3, 31)


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


@dataclass(frozen=True)
class Desk:
    """A workspace from which a person was forgotten: the ids that must be nowhere, and how many calls others have."""

    folder: Path
    words: list[str]
    others: int

    @property
    def config(self) -> Config:
        return load_config(self.folder / "genchi.yaml")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A backfilled day and a night; then `forget`, which is killed three times, and finished."""
    folder = tmp_path_factory.mktemp("forgotten") / "desk"
    with write_workspace(folder, LAST, 2).open("a", encoding="utf-8") as file:
        file.write("export: {format: delta, path: tables}\n")
    for arguments in (["backfill", "--start", str(FIRST), "--end", str(FIRST)], ["nightly", "--day", str(LAST)]):
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
    for seconds in (2.0, 4.0, 6.0):  # wherever it is by then
        command = [sys.executable, "-m", "flows.cli", "forget", "--user", words[0]]
        killed = subprocess.Popen([*command, "--config", str(folder / "genchi.yaml")], stdout=subprocess.DEVNULL)
        time.sleep(seconds)
        killed.kill()
        killed.wait()
    done = genchi(folder, "forget", "--user", words[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing of them was found" in done.stdout
    return Desk(folder, words, len(calls) - len(theirs))


def test_a_person_is_nowhere_whatever_was_killed_and_no_log_brings_them_back(desk: Desk) -> None:
    assert places_of(desk.folder, desk.words) == []
    assert len(rows(desk.config, "interactions")) == desk.others
    done = genchi(desk.folder, "ingest", "--day", str(LAST))  # builds the marts, too
    assert done.returncode == 0, done.stderr
    assert places_of(desk.folder, desk.words) == []
    assert len(rows(desk.config, "interactions")) == desk.others


def test_a_lake_from_backup_and_logs_has_the_same_labels_and_answers_and_pays_nothing_again(
    desk: Desk, tmp_path: Path
) -> None:
    folder = tmp_path / "desk"
    shutil.copytree(desk.folder, folder)
    config = load_config(folder / "genchi.yaml")
    kept = {table: rows(config, table) for table in ("review_queue", "annotations", "completions", "judgements")}
    assert kept["completions"]
    assert genchi(folder, "backup", str(tmp_path / "kept")).returncode == 0
    (folder / "lake").rename(tmp_path / "lost")
    for arguments in (
        ["backup", str(tmp_path / "kept"), "--restore"],
        ["backfill", "--start", str(FIRST), "--end", str(LAST), "--only", "ingest"],
        ["evaluate", "--day", str(LAST)],
    ):
        done = genchi(folder, *arguments)
        assert done.returncode in (0, 1), done.stderr
    assert " 0 requests sent" in done.stderr, done.stderr
    assert len(rows(config, "interactions")) == desk.others
    for table, before in kept.items():
        assert sorted(map(str, rows(config, table))) == sorted(map(str, before)), table
    assert places_of(folder, desk.words) == []
