"""What a person wrote leaves every table and every file, is searched for, and does not come back."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows import backup, retention
from flows.config import Config, load_config
from flows.erasure import Asked, forget
from flows.erasure.erased_tables import HOW
from flows.errors import ConfigError, RunError
from flows.export import rows_of_tables
from flows.export.flow import export
from flows.ingest.landing import land
from flows.lake import CALL, SCHEMAS, Lake, from_rows, read_tombstones, user_key
from flows.marts import PublishedMarts
from flows.review import Entry, collect, journal_of

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 9, 5, tzinfo=UTC)
ANA, MAX = "ana@example.org", "max@example.org"
HERS = "my landlord is called Ebenezer Quillfeather and he owes me"
HIS = "the parcel with the blue bicycle bell never arrived here"
ANSWER = "Dear Ana, Mr Quillfeather must pay you the deposit back"


class StoppedError(BaseException):
    """Ends a run at once, as a kill does."""


def silent(_: str) -> None:
    """Nobody reads it."""


def stopping_after(lines: int) -> Callable[[str], None]:
    left = iter(range(lines))

    def tell(_: str) -> None:
        if next(left, None) is None:
            raise StoppedError

    return tell


def call(name: str, user: str, text: str, answer: str, **more: Any) -> dict[str, Any]:
    return {
        "call_id": f"call-2026-{name}", "user_key": user, "route": "reply", "started_at": f"{DAY}T10:00:00Z",
        "messages": [{"role": "system", "content": "You answer letters."}, {"role": "user", "content": text}],
        "output_text": answer, "status": "success", "model_served": "m", **more,
    }  # fmt: skip


LOG = [
    call("ana-1", ANA, HERS, ANSWER),
    call("ana-2", ANA, "Hello?", "Hello, how can I help you today, dear customer?"),
    call("max-1", MAX, HIS, "Hello, how can I help you today, dear customer?"),
    {"call_id": "call-2026-ana-1", "kind": "thumbs", "at": f"{DAY}T11:00:00Z", "value": "down", "comment": HERS},
    {"call_id": "call-2026-max-1", "kind": "thumbs", "at": f"{DAY}T11:00:00Z", "value": "up", "comment": "nice"},
]


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the log of a day."""
    root = tmp_path_factory.mktemp("landed")
    (root / "genchi.yaml").write_text(
        "app: letters\nlake: lake\nsources:\n  - {name: app, format: genchi, path: 'logs/{day}.jsonl'}\n",
        encoding="utf-8",
    )
    write_log(root, LOG)
    land(load_config(root / "genchi.yaml", {}), DAY)
    return root


@pytest.fixture
def workspace(landed: Path, tmp_path: Path) -> Config:
    """A copy of it."""
    shutil.copytree(landed, tmp_path, dirs_exist_ok=True)
    return load_config(tmp_path / "genchi.yaml", {})


def write_log(root: Path, records: list[dict[str, Any]], day: date = DAY, broken: str = "") -> None:
    (root / "logs").mkdir(exist_ok=True)
    text = "".join(f"{json.dumps(record)}\n" for record in records) + broken
    (root / "logs" / f"{day}.jsonl").write_text(text, encoding="utf-8")


def every_text(config: Config) -> str:
    """All that is in the tables and files of a workspace, without its logs: read without genchi."""
    parts = []
    for path in sorted(config.workspace.rglob("*")):
        if path.is_file() and "logs" not in path.parts and path != config.path:
            parts.append(path.read_bytes().decode("latin-1"))
            if path.suffix == ".parquet":
                parts.append(json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False))
            if path.suffix == ".duckdb":
                with duckdb.connect(str(path), read_only=True) as connection:
                    for schema, table in connection.execute(
                        "select schema_name, table_name from duckdb_tables()"
                    ).fetchall():
                        parts.append(str(connection.execute(f"from {schema}.{table}").fetchall()))
    return "\n".join(parts)


def rows(config: Config, table: str) -> list[dict[str, Any]]:
    lake = config.open_lake()
    return [row for day in lake.days(table) for row in lake.read(table, day).to_pylist()]


def filled(table: str, name: str, text: str) -> dict[str, Any]:
    """A row of a table with an id in every column of ids, and a text in every other column of texts."""
    row: dict[str, Any] = {}
    for field in SCHEMAS[table]:
        if field.name in HOW[table].ids:
            row[field.name] = f"call-2026-{name}"
        elif field.name == "raw":
            row[field.name] = json.dumps({"id": f"call-2026-{name}", "text": text})
        elif field.name.endswith("_json"):
            row[field.name] = json.dumps({"kept": 1, "examples": [{"id": f"call-2026-{name}"}, {"text": text}]})
        elif field.name == "example_call_ids":
            row[field.name] = [f"call-2026-{name}"]
        elif pa.types.is_string(field.type) and field.name not in ("retracts", "route", "set"):
            row[field.name] = text
    return row


def test_every_table_says_how_it_is_erased_and_names_columns_that_it_has() -> None:
    assert set(HOW) == set(SCHEMAS)
    for table, how in HOW.items():
        assert set(how.ids) <= set(SCHEMAS[table].names), table
        assert how.ids == {} or how.found != "nothing", table
        assert how.why or how.found != "nothing", table
        named = {"call_id", "user_key", "subject_id", "example_id"} & set(SCHEMAS[table].names)
        assert named <= set(how.ids), table


def test_nothing_of_a_person_stays_in_any_table_and_all_of_others(workspace: Config) -> None:
    lake = workspace.open_lake()
    tables = [table for table, how in HOW.items() if how.found != "nothing"]
    for table in tables:
        written = [filled(table, "ana-1", HERS), filled(table, "max-1", HIS)]
        lake.write(table, DAY, from_rows(written, table), "more")
    assert forget(workspace, None, Asked(users=(ANA,)), NOW, silent)
    for table in tables:
        theirs = from_rows([filled(table, "max-1", HIS)], table).to_pylist()[0]
        assert theirs in lake.read(table, DAY, "more").to_pylist(), table
    found = every_text(workspace)
    assert "Quillfeather" not in found
    assert "call-2026-ana" not in found


def test_a_log_that_is_read_again_brings_nothing_back_and_every_record_counts_once(workspace: Config) -> None:
    assert forget(workspace, None, Asked(users=(ANA,)), NOW, silent)
    (row,) = rows(workspace, "manifest")
    assert (row["interactions"], row["feedback"], row["other"]) == (1, 1, 3)
    broken = json.dumps({"user_key": ANA, "note": HERS}) + "\n"
    write_log(workspace.workspace, [*LOG, call("ana-3", ANA, HERS, ANSWER)], broken=broken)
    landed = land(workspace, DAY)
    assert landed.forgotten == 5
    (row,) = rows(workspace, "manifest")
    counts = [row[kind] for kind in ("interactions", "feedback", "duplicates", "other", "quarantined")]
    assert sum(counts) == row["records"] == 7
    assert [one["call_id"] for one in rows(workspace, "interactions")] == ["call-2026-max-1"]
    assert "Quillfeather" not in every_text(workspace)
    later = DAY + timedelta(days=1)
    late = {"call_id": "call-2026-ana-3", "kind": "thumbs", "at": f"{later}T01:00:00Z", "comment": HERS}
    write_log(workspace.workspace, [late], later)
    assert land(workspace, later).forgotten == 1  # it has no user, and its call was never landed


def test_a_user_may_be_named_by_the_key_and_a_call_by_its_id(workspace: Config) -> None:
    lake = workspace.open_lake()
    key = user_key(workspace.secret_of_user_keys(lake), ANA)
    assert {row["user_key"] for row in rows(workspace, "interactions")} >= {key}
    assert forget(workspace, None, Asked(users=(key,)), NOW, silent)
    assert forget(workspace, None, Asked(calls=("call-2026-max-1",)), NOW, silent)
    assert rows(workspace, "interactions") == []
    found = every_text(workspace)
    assert key not in found
    assert "bicycle" not in found


def test_a_run_that_is_killed_is_finished_by_the_next_one_whoever_is_named(workspace: Config) -> None:
    for lines in (1, 2, 3):
        with pytest.raises(StoppedError):
            forget(workspace, None, Asked(users=(ANA,)) if lines == 1 else Asked(), NOW, stopping_after(lines))
    told: list[str] = []
    assert forget(workspace, None, Asked(), NOW, told.append)
    assert "Quillfeather" not in every_text(workspace)
    assert not (workspace.workspace / "lake" / "_reference" / "forgetting.json").exists()


def test_words_of_others_stay_and_what_is_left_is_told_with_its_place(workspace: Config) -> None:
    stray = workspace.workspace / "lake" / "notes.txt"
    stray.write_text(f"look at call-2026-ana-1: {HERS}", encoding="utf-8")
    told: list[str] = []
    assert not forget(workspace, None, Asked(users=(ANA,)), NOW, told.append)
    assert any(str(stray) in line for line in told)
    assert "how can I help you today" in every_text(workspace)
    assert any("1 pieces of texts that other calls have" in line for line in told)
    stray.unlink()
    assert forget(workspace, None, Asked(), NOW, silent)


def test_a_label_of_a_forgotten_call_is_not_brought_into_the_lake(workspace: Config) -> None:
    assert forget(workspace, None, Asked(users=(ANA,)), NOW, silent)
    for name in ("ana-1", "max-1"):
        label = {"label_id": f"label-{name}", "subject_id": f"call-2026-{name}", "at": NOW, "note": "seen"}
        journal_of(workspace.state).append([Entry("annotations", label)])
    with workspace.open_lake().lock("test"):
        assert collect(workspace).labels == 1
    assert [row["subject_id"] for row in rows(workspace, "annotations")] == ["call-2026-max-1"]


def test_a_dry_run_changes_nothing(workspace: Config) -> None:
    before = every_text(workspace)
    told: list[str] = []
    assert forget(workspace, None, Asked(users=(ANA,), is_dry=True), NOW, told.append)
    assert every_text(workspace) == before
    assert any(line.split()[:2] == ["lake,", "interactions"] and "2 rows" in line for line in told)


def test_nobody_to_forget_is_an_error_and_an_unknown_user_has_a_tombstone(workspace: Config) -> None:
    with pytest.raises(ConfigError, match="nobody to forget"):
        forget(workspace, None, Asked(), NOW, silent)
    assert forget(workspace, None, Asked(users=("nobody@example.org",)), NOW, silent)
    assert len(rows(workspace, "interactions")) == 3
    assert rows(workspace, "tombstones")


def test_pages_journals_and_the_bytes_of_the_warehouse_lose_the_person(workspace: Config) -> None:
    page = workspace.reports / "2026-03-02" / "index.html"
    docs = workspace.reports / "2026-03-02" / "data_docs" / "index.html"
    other = workspace.reports / "2026-03-03" / "index.html"
    for place, text in ((page, HERS), (docs, "call-2026-ana-1"), (other, HIS)):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"<html><p>{text}</p></html>", encoding="utf-8")
    journal = workspace.state / "_journal" / "shadow.jsonl"
    journal.parent.mkdir()
    lines = [json.dumps({"example_id": f"call-2026-{who}", "output_text": "x"}) for who in ("ana-1", "max-1")]
    journal.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sent = workspace.state / "_alerts" / "2026-03-02.json"
    sent.parent.mkdir()
    sent.write_text(json.dumps({"told": [HERS, HIS]}), encoding="utf-8")
    with duckdb.connect(str(workspace.warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.fct_text_samples (day date, subject_id varchar, words bigint)")
        connection.execute("create table marts.fct_others (day date not null, title varchar, evidence_json varchar)")
        connection.execute(
            "insert into marts.fct_text_samples select date '2026-03-02', 'call-2026-' || who, 1"
            " from (values ('ana-1'), ('max-1')) as calls(who)"
        )
        evidence = json.dumps({"n": 2, "example_call_ids": ["call-2026-ana-1", "call-2026-max-1"]})
        connection.execute("insert into marts.fct_others values ('2026-03-02', 'Answers begin', ?)", [evidence])
        connection.execute("insert into marts.fct_others values ('2026-03-02', ?, '{}')", [f"Found: {HERS}"])
    assert forget(workspace, None, Asked(users=(ANA,)), NOW, silent)
    found = every_text(workspace)
    assert "Quillfeather" not in found
    assert "call-2026-ana" not in found
    assert page.exists()
    assert not docs.exists()
    assert HIS in other.read_text(encoding="utf-8")
    assert journal.read_text(encoding="utf-8") == lines[1] + "\n"
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        samples = connection.execute("select subject_id from marts.fct_text_samples").fetchall()
        incidents = connection.execute("select title, evidence_json from marts.fct_others order by 1").fetchall()
    assert samples == [("call-2026-max-1",)]
    assert incidents[0] == ("Answers begin", '{"n": 2, "example_call_ids": ["call-2026-max-1"]}')
    assert incidents[1] == ("[removed]", "{}")


def test_models_of_a_workspace_may_keep_texts_in_columns_of_any_type(workspace: Config) -> None:
    key = user_key(workspace.secret_of_user_keys(workspace.open_lake()), ANA)
    said = "(values ('ana-1', ?), ('max-1', ?)) as calls(who, said)"
    columns = {
        "struct": "{'said': said}",
        "structs": "[{'id': 'call-2026-' || who}]",
        "bytes": "encode(said)",
        "map": "map {said: 1}",
        "json": "to_json({'said': said})",
    }
    with duckdb.connect(str(workspace.warehouse)) as connection:
        connection.execute("create schema own")
        for name, expression in columns.items():
            connection.execute(f"create table own.{name}s as select {expression} as pack from {said}", [HERS, HIS])
        connection.execute(
            "create table own.users as select * from (values (?, 'I lost it'), ('m', 'y')) as u(user_key, t)", [key]
        )
        connection.execute("create view own.seen as select * from own.structs")
    assert forget(workspace, None, Asked(users=(ANA,)), NOW, silent)
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        for name in columns:
            (pack,) = connection.execute(f"select cast(pack as varchar) from own.{name}s").fetchall()[-1]
            assert "max" in pack or HIS in pack, name
            assert "Quillfeather" not in str(connection.execute(f"from own.{name}s").fetchall()), name
        assert connection.execute("from own.users").fetchall() == [("m", "y")]
        assert len(connection.execute("from own.seen").fetchall()) == 1


def test_pulled_pages_and_what_dbt_compiled_of_the_workspace_are_gone(workspace: Config) -> None:
    for name in ("_spool/0123/2026-03-02/spans-00001.json", "_dbt/target-workspace/run/desk.sql"):
        place = workspace.state / name
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps({"id": "call-2026-ana-1", "user": ANA}), encoding="utf-8")
    assert forget(workspace, None, Asked(users=(ANA,)), NOW, silent)
    assert ANA not in every_text(workspace)


@pytest.mark.parametrize("is_older", [True, False])
def test_a_backup_brings_back_what_people_decided_and_nothing_that_was_forgotten(
    workspace: Config, tmp_path_factory: pytest.TempPathFactory, is_older: bool
) -> None:
    lake, target = workspace.open_lake(), tmp_path_factory.mktemp("backup")
    labels = [filled("annotations", name, text) for name, text in (("ana-1", HERS), ("max-1", HIS))]
    lake.write("annotations", DAY, from_rows(labels, "annotations"), "batch")
    first = backup.back_up(workspace, str(target), NOW)
    assert "there already 0" not in backup.back_up(workspace, str(target), NOW)[1]
    assert "copied and read back 0 " in backup.back_up(workspace, str(target), NOW)[1]
    assert first[0].startswith("backed up ")
    assert all(path.stat().st_mode & 0o077 == 0 for path in target.rglob("*") if path.is_file())
    later = NOW + timedelta(hours=1 if is_older else 0)
    assert forget(workspace, None, Asked(users=(ANA,)), later, silent)
    for name in lake.names("annotations", DAY):
        lake.remove("annotations", DAY, name)  # and then the disk is damaged
    told = backup.restore(workspace, str(target))
    assert any("forgotten again: lake, annotations" in line for line in told)
    assert any("name them to it again" in line for line in told) == is_older
    (kept,) = rows(workspace, "annotations")
    assert kept["subject_id"] == "call-2026-max-1"
    backup.back_up(workspace, str(target), NOW)
    objects = [pq.read_table(path).to_pylist() for path in target.glob("objects/*") if path.read_bytes()[:4] == b"PAR1"]
    assert any("bicycle" in str(rows_of) for rows_of in objects)
    assert "Quillfeather" not in str(objects)
    assert any(stone["kind"] == CALL for stone in rows(workspace, "tombstones"))


def test_a_lake_that_is_lost_comes_back_from_its_backup_and_the_logs(workspace: Config, tmp_path: Path) -> None:
    lake, target = workspace.open_lake(), tmp_path / "elsewhere"
    lake.write("completions", DAY, from_rows([filled("completions", "max-1", HIS)], "completions"), "run")
    before = rows(workspace, "interactions"), rows(workspace, "completions")
    backup.back_up(workspace, str(target), NOW)
    (tmp_path / "lake").rename(tmp_path / "lost")
    backup.restore(workspace, str(target))
    land(workspace, DAY)
    assert (rows(workspace, "interactions"), rows(workspace, "completions")) == before  # users have their keys again
    secret = tmp_path / "lake" / "_reference" / "user_key_secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert read_tombstones(Lake(tmp_path / "lake"), b"any").hashes == {}


def test_a_damaged_backup_and_another_secret_bring_nothing_back(workspace: Config, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    backup.back_up(workspace, str(target), NOW)
    (tmp_path / "lake").rename(tmp_path / "lost")
    land(workspace, DAY)  # which makes a secret
    with pytest.raises(RunError, match="another secret"):
        backup.restore(workspace, str(target))
    (tmp_path / "lake").rename(tmp_path / "wrong")
    largest = max((target / "objects").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(b"x")
    with pytest.raises(RunError, match="is damaged; nothing was brought back"):
        backup.restore(workspace, str(target))
    assert not (tmp_path / "lake" / "annotations").exists()
    with pytest.raises(ConfigError, match="in the lake itself"):
        backup.back_up(workspace, str(tmp_path / "lake" / "backup"), NOW)


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("genchi.yaml", "is a file; name a folder"),
        ("genchi.yaml/kept", "is a file; name a folder"),
        ("gcs://bucket/kept", "not a supported store"),
        ("s3://bucket/lake/kept", "in the lake itself"),
    ],
)
def test_a_target_that_is_none_is_refused(
    workspace: Config, monkeypatch: pytest.MonkeyPatch, place: str, problem: str
) -> None:
    monkeypatch.chdir(workspace.workspace)
    config = workspace.model_copy(update={"lake": "s3://bucket/lake"}) if place.startswith("s3") else workspace
    with pytest.raises(ConfigError, match=problem):
        backup.back_up(config, place, NOW)
    with pytest.raises(ConfigError, match=problem):
        backup.restore(config, place)
    assert not (workspace.workspace / "gcs:").exists()


def test_a_backup_deletes_no_file_of_others_and_is_not_restored_into_another_app(
    workspace: Config, tmp_path: Path
) -> None:
    own = tmp_path / "shelf" / "objects" / "vase.png"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"x")
    backup.back_up(workspace, str(tmp_path / "shelf"), NOW)
    assert own.exists()
    other = workspace.model_copy(update={"app": "parcels", "lake": tmp_path / "new"})
    with pytest.raises(ConfigError, match="is a backup of 'letters'"):
        backup.restore(other, str(tmp_path / "shelf"))


def test_pages_of_calls_that_are_gone_are_named_for_they_cannot_be_searched(workspace: Config) -> None:
    page = workspace.reports / str(DAY) / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f"<p>{HERS}</p>", encoding="utf-8")
    config = workspace.model_copy(update={"retention": {"interactions": 30}})
    retention.apply(config, DAY + timedelta(days=90))
    told: list[str] = []
    assert forget(config, None, Asked(users=(ANA,)), NOW, told.append)
    assert any(line.startswith(f"cannot be searched: the pages of 1 day up to {DAY}") for line in told)


@pytest.mark.parametrize("format_", ["delta", "iceberg", "parquet"])
def test_published_marts_and_every_version_of_exported_tables_lose_the_person(workspace: Config, format_: str) -> None:
    with workspace.path.open("a", encoding="utf-8") as file:
        file.write(f"export: {{format: {format_}, path: tables}}\n")
    config, long_ago = load_config(workspace.path, {}), DAY - timedelta(days=90)
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.fct_text_samples (day date, subject_id varchar, words bigint)")
        connection.execute("create table marts.fct_others (day date, title varchar, told varchar[], answer varchar)")
    for title in (f"Found: {HERS}", "Found again"):  # an older version of the exported table has what this one has not
        with duckdb.connect(str(config.warehouse)) as connection:
            connection.execute("delete from marts.fct_others; delete from marts.fct_text_samples")
            for day in (DAY, long_ago):
                calls = ["call-2026-ana-1", "call-2026-max-1"]
                connection.execute("insert into marts.fct_others values (?, ?, ?, ?)", [day, title, calls, ANSWER])
                for call_id in calls:
                    connection.execute("insert into marts.fct_text_samples values (?, ?, 1)", [day, call_id])
        with config.open_lake().lock("test"):
            export(config, long_ago, DAY)
    with duckdb.connect(str(config.warehouse)) as connection:  # as one that was lost and built anew
        connection.execute(f"delete from marts.fct_others where day = '{long_ago}'")
        connection.execute(f"delete from marts.fct_text_samples where day = '{long_ago}'")
    assert "call-2026-ana" in every_text(config)
    said: list[str] = []
    assert forget(config, None, Asked(users=(ANA,), is_dry=True), NOW, said.append)
    assert any("published, marts.fct_others" in line and "texts" in line for line in said), said
    assert any("would be written anew" in line and "tables" in line for line in said), said
    said.clear()
    assert forget(config, None, Asked(users=(ANA,)), NOW, said.append), said
    assert "nothing of them was found" in said
    found = every_text(config)
    assert "Quillfeather" not in found
    assert "call-2026-ana" not in found
    published = PublishedMarts(config.open_lake())
    assert [row["subject_id"] for row in published.query("from marts.fct_text_samples")] == ["call-2026-max-1"] * 2
    assert {tuple(row["told"]) for row in published.query("from marts.fct_others")} == {("call-2026-max-1",)}
    tables = dict(rows_of_tables(config))
    assert tables["fct_text_samples"]["subject_id"].to_pylist() == ["call-2026-max-1"] * 2
    with config.open_lake().lock("test"):
        export(config, DAY, DAY)
    assert "call-2026-ana" not in every_text(config)


@pytest.mark.parametrize("format_", ["delta", "iceberg"])
def test_what_another_writer_left_of_a_person_in_an_exported_folder_is_told(workspace: Config, format_: str) -> None:
    with workspace.path.open("a", encoding="utf-8") as file:
        file.write(f"export: {{format: {format_}, path: tables}}\n")
    config = load_config(workspace.path, {})
    copied = config.workspace / "tables" / "my_copy" / "part.parquet"
    copied.parent.mkdir(parents=True)
    pq.write_table(pa.table({"title": [f"Found: {HERS}"]}), copied)
    said: list[str] = []
    assert not forget(config, None, Asked(users=(ANA,)), NOW, said.append)
    assert any(str(copied) in line for line in said), said
