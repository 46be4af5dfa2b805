"""A real object store as the lake and for logs: the same night, the same lock, the same promise of all or nothing."""

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from flows.cli.doctor import examine
from flows.config import load
from flows.demo.workspace import write_workspace
from flows.errors import RunError
from flows.lake import lock, probe
from flows.lake.lake import Lake, from_rows
from flows.lake.object_store import filesystem
from flows.lake.source_files import find_files, open_binary
from flows.lake.store_addresses import Storage
from flows.warehouse import query
from tests.integration import in_process
from tests.integration.servers import make_bucket, object_store
from tests.integration.test_command_line import genchi
from tests.publishing import DAYS, die_at_every_step, generation_of, publish

ROOT = Path(__file__).resolve().parents[2]
LAST_DAY = date(2026, 3, 31)
pytestmark = pytest.mark.long
MARTS = (
    *("fct_usage_daily", "fct_structure_daily", "fct_feature_skew_daily", "fct_eval_scores"),
    *("fct_model_comparisons", "fct_slice_comparisons", "fct_breaches"),
)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """A store with a bucket `genchi`."""
    with object_store(tmp_path_factory.mktemp("weed")) as reached:
        make_bucket(reached, "genchi")
        yield reached


@pytest.fixture
def lake(storage: Storage, request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """A lake of its own for each test."""
    return Lake(f"s3://genchi/{request.node.name[:40].replace('[', '-').replace(']', '')}", storage, tmp_path)


def workspace(folder: Path, storage: Storage | None = None, prefix: str = "") -> Path:
    """A small demo: one day of logs, forty examples asked once; lake and logs in the store where one is given."""
    path = write_workspace(folder, LAST_DAY, days=1)
    holdout = folder / "holdouts" / "triage.jsonl"
    holdout.write_text("".join(holdout.read_text().splitlines(keepends=True)[:40]))
    settings = yaml.safe_load(path.read_text())
    settings["routes"]["triage"]["repeats"] = 1
    if storage:
        filesystem(storage).put(f"{folder}/logs/", f"genchi/{prefix}/logs/", recursive=True)
        shutil.rmtree(folder / "logs")
        settings["lake"] = f"s3://genchi/{prefix}/lake"
        settings["sources"][0]["path"] = f"s3://genchi/{prefix}/logs/{{day}}/*.jsonl*"
        settings["storage"] = {"key": "${KEY}", "secret": "${SECRET}", "endpoint_url": storage.endpoint_url}
    path.write_text(yaml.safe_dump(settings))
    return path


def environment(storage: Storage) -> dict[str, str]:
    return {"KEY": str(storage.key), "SECRET": str(storage.secret)}


def run(folder: Path, storage: Storage, *arguments: str, code: tuple[int, ...] = (0, 1)) -> Any:
    done = genchi(*arguments, cwd=folder, **environment(storage))
    assert done.returncode in code, done.stderr
    assert str(storage.secret) not in done.stdout + done.stderr
    return done


def night(path: Path, storage: Storage) -> None:
    """A night in this process."""
    done = in_process.genchi("nightly", "--config", str(path), "--day", str(LAST_DAY))
    assert done.returncode in (0, 1), done.stderr
    assert str(storage.secret) not in done.stdout + done.stderr


def marts(warehouse: Path) -> dict[str, list[tuple[str, ...]]]:
    return {
        name: sorted(tuple(map(str, row.values())) for row in query(warehouse, f"from marts.{name}")) for name in MARTS
    }


def objects(storage: Storage, prefix: str) -> dict[str, str]:
    """The objects there and their tags, without those that every run puts anew: the lock's, and how the run went."""
    found = find_files(f"s3://genchi/{prefix}/**", storage)
    of_a_run = (
        "/_lock",
        "/_run",
        "/night_runs/",
        "/fct_night_runs/",
        "/marts/_published.json",
        "/_inventory/",
        "/last_good_night.json",
    )
    return {one.name: one.tag for one in found if not any(part in one.name for part in of_a_run)}


@pytest.mark.usefixtures("prefect_server")
def test_a_night_on_a_store_finds_what_it_finds_on_a_disk_and_again_adds_nothing(
    tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(storage).items():
        monkeypatch.setenv(name, value)
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here = workspace(tmp_path / "here")
    there = workspace(tmp_path / "there", storage, "night")
    run(tmp_path / "there", storage, "nightly", "--day", str(LAST_DAY))
    night(here, storage)
    once = marts(tmp_path / "there" / "warehouse.duckdb")
    assert once == marts(tmp_path / "here" / "lake" / "warehouse.duckdb")
    assert all(once[name] for name in MARTS if name != "fct_breaches")
    before = objects(storage, "night/lake")
    unwanted = ("_alerts", "_runs", "_staging", "_probe")
    assert {f"s3://genchi/night/lake/{name}" for name in unwanted} & set(before) == set()
    night(there, storage)
    assert objects(storage, "night/lake") == before
    assert marts(tmp_path / "there" / "warehouse.duckdb") == once
    kept = [path for path in (tmp_path / "there").rglob("*") if path.is_file()]
    assert any(path.is_relative_to(tmp_path / "there" / ".genchi") for path in kept)
    assert not [path for path in kept if str(storage.secret).encode() in path.read_bytes()]


WRONG: dict[str, tuple[dict[str, str], str, str]] = {
    "secret": (
        {"secret": "wrong-hush"},
        "s3://genchi/lake",
        "invalid credentials (SignatureDoesNotMatch)",
    ),
    "key": ({"key": "nobody"}, "s3://genchi/lake", "invalid credentials (InvalidAccessKeyId)"),
    "bucket": ({}, "s3://no-such-bucket/lake", "no such bucket; create it, or correct its name"),
    "endpoint": ({"endpoint_url": "http://127.0.0.1:9"}, "s3://genchi/lake", "127.0.0.1:9 does not respond"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_store_that_cannot_be_used_is_one_line_that_holds_no_secret(storage: Storage, wrong: str) -> None:
    changed, root, complaint = WRONG[wrong]
    lake = Lake(root, storage.model_copy(update=changed))
    actions: dict[str, Callable[[], object]] = {
        "read": lambda: lake.read("manifest", DAYS[0]),
        "read one": lambda: lake.read("manifest", DAYS[0], "data"),
        "write": lambda: lake.write("manifest", DAYS[0], from_rows([], "manifest")),
        "find": lambda: find_files(f"{root}/*.jsonl", lake.storage),
        "open": lambda: open_binary(f"{root}/a.jsonl", lake.storage),
        "lock": lambda: lake.lock("test").__enter__(),
        "probe": lambda: probe(lake),
    }
    for name, action in actions.items():
        started = time.monotonic()
        with pytest.raises(RunError) as caught:
            action()
        said = str(caught.value)
        assert root in said, name
        assert complaint in said or (wrong != "endpoint" and name == "open"), f"{name}: {said}"
        assert "hush" not in said
        assert "\n" not in said
        assert time.monotonic() - started < 30, name


def test_the_command_line_says_what_is_wrong_with_the_store_in_one_line(tmp_path: Path, storage: Storage) -> None:
    path = workspace(tmp_path, storage, "wrong")
    path.write_text(path.read_text().replace("s3://genchi/wrong/lake", "s3://no-such-bucket/lake"))
    done = run(tmp_path, storage, "transform", "--day", str(LAST_DAY), code=(3,))
    assert done.stderr.splitlines(keepends=True)[1:] == [
        "genchi: s3://no-such-bucket/lake/_run: no such bucket; create it, or correct its name\n"
    ]
    done = run(tmp_path, storage, "doctor", "--day", str(LAST_DAY), code=(2,))
    assert "✗ lake: s3://no-such-bucket/lake/_probe/: no such bucket" in done.stdout
    assert f"✓ source gateway: 1 file for {LAST_DAY} at s3://genchi/wrong/logs/{LAST_DAY}/*.jsonl*" in done.stdout
    refused = genchi("doctor", "--day", str(LAST_DAY), cwd=tmp_path, KEY="owner", SECRET="wrong-hush")
    assert "✗ source gateway: s3://genchi/wrong/logs/2026-03-31/: invalid credentials" in refused.stdout
    assert "wrong-hush" not in refused.stdout + refused.stderr


def test_the_doctor_leaves_nothing_in_a_lake_that_is_well(tmp_path: Path, storage: Storage) -> None:
    path = workspace(tmp_path, storage, "well")
    findings = list(examine(load.load_config(path, environment(storage)), LAST_DAY))
    assert all(finding.fine for finding in findings)
    assert any("can be listed and written" in finding.text for finding in findings)
    assert objects(storage, "well/lake") == {}


def test_a_store_is_listed_to_its_end_and_read_block_by_block(storage: Storage) -> None:
    files = filesystem(storage)
    files.pipe({f"genchi/many/{n:04}.jsonl": b"{}" for n in range(1050)})
    found = find_files("s3://genchi/many/*.jsonl", storage)
    assert [one.name for one in found] == [f"s3://genchi/many/{n:04}.jsonl" for n in range(1050)]
    assert {one.size for one in found} == {2}
    content = random.Random(1).randbytes(20 << 20)
    files.pipe_file("genchi/large.jsonl.gz", gzip.compress(content, 0))
    with open_binary("s3://genchi/large.jsonl.gz", storage) as stored:
        assert stored.read(2) == b"\x1f\x8b"
        stored.seek(0)
        assert gzip.decompress(stored.read()) == content
    with open_binary("s3://genchi/large.jsonl.gz", storage) as stored:
        stored.read(1)
        files.pipe_file("genchi/large.jsonl.gz", b"another" * (2 << 20))
        with pytest.raises(RunError, match="it changed while it was read"):
            stored.read()


def test_what_is_written_is_read_by_lake_and_duckdb(lake: Lake) -> None:
    for number, day in enumerate(DAYS):
        lake.write("manifest", day, from_rows([{"source": str(number), "bytes": number}], "manifest"))
    lake.write("manifest", DAYS[0], from_rows([{"source": "more", "bytes": 9}], "manifest"), "other")
    assert lake.days("manifest") == list(DAYS)
    assert lake.read("manifest", DAYS[0], columns=["bytes", "source"]).to_pylist() == [
        {"bytes": 0, "source": "0"}, {"bytes": 9, "source": "more"},
    ]  # fmt: skip
    with duckdb.connect() as connection:
        lake.open_to(connection)
        sql = f"select source, day from read_parquet('{lake.root}/manifest/day=*/*.parquet', hive_partitioning = true,"
        sql += " hive_types = {'day': date}) order by all"
        assert connection.sql(sql).fetchall() == [("0", DAYS[0]), ("1", DAYS[1]), ("more", DAYS[0])]
        lake.remove("manifest", DAYS[0], "other")
        lake.write("manifest", DAYS[0], from_rows([{"source": "new", "bytes": 0}], "manifest"))
        assert connection.sql(sql).fetchall() == [("1", DAYS[1]), ("new", DAYS[0])]
    assert lake.files("manifest", DAYS[0]) == [f"{lake.root}/manifest/day=2026-03-01/data.parquet"]


def test_who_dies_at_any_step_leaves_all_of_the_old_or_all_of_the_new(lake: Lake) -> None:
    stands = die_at_every_step(lake)
    assert len(stands) > 12
    assert stands == sorted(stands)


def test_a_commit_whose_files_another_run_has_cleared_is_none(lake: Lake) -> None:
    with lake.lock("test"):
        publish(lake, 0)
        names = {
            f"manifest/day={DAYS[0]}/data.parquet": "0.parquet",
            f"manifest/day={DAYS[1]}/data.parquet": "1.parquet",
        }
        lake.backend.write_text("_staging/late/0.parquet", "a file")
        lake.backend.write_text("_staging/late/commit.json", json.dumps({"files": names, "remove": []}))
        lake.recover()
        assert generation_of(lake) == 0
        assert lake.backend.children("_staging") == []


@contextmanager
def child(lake: Lake, beat: float) -> Iterator[subprocess.Popen[str]]:
    """A process that publishes generations in a lake, until it is killed."""
    options = json.dumps(
        {"key": lake.storage.key, "secret": lake.storage.secret, "endpoint_url": lake.storage.endpoint_url}
    )
    command = [sys.executable, "-m", "tests.publishing", str(lake.root), options, str(beat)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def test_a_process_that_is_killed_leaves_all_of_the_old_or_all_of_the_new(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(7)
    monkeypatch.setattr(lock, "EXPIRED", 0.0)  # nobody else is there to be mistaken for dead
    with lake.lock("test"):
        publish(lake, 0)
    before = 0
    for _ in range(6):
        with child(lake, beat=15):
            time.sleep(rng.uniform(0, 0.5))
        with lake.lock("test", patience=5):
            assert generation_of(lake) >= before
            before = generation_of(lake)
    assert before > 3


def test_a_holder_that_is_alive_keeps_the_lock_and_a_killed_one_loses_it(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "EXPIRED", 4.0)
    with lake.lock("test"):
        publish(lake, 0)
    with child(lake, beat=0.5) as process, pytest.raises(RunError, match="locked by `genchi test`, process") as caught:
        lake.lock("a", patience=7).__enter__()
    assert f"process {process.pid} on host" in str(caught.value)
    started = time.monotonic()
    with lake.lock("test", patience=60):
        assert 1 < time.monotonic() - started < 30


def test_who_lost_the_lock_writes_no_more(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "RENEWAL", 0.2)
    rows = from_rows([{"source": "a"}], "manifest")
    with lake.lock("first"):
        lake.write("manifest", DAYS[0], rows)
        lake.backend.write_text(f"_inventory/{DAYS[0]:%Y-%m}.json", "of the other run")
        lake.backend.write_text("_lock", json.dumps({**vars(lock.Holder("second")), "id": "another"}))
        time.sleep(2)
        with pytest.raises(RunError, match="the lock was lost"):
            lake.write("manifest", DAYS[1], rows)
        with pytest.raises(RunError, match="the lock was lost"), lake.staging():
            pass
    assert json.loads(str(lake.backend.read_text("_lock")))["id"] == "another"
    assert lake.backend.read_text(f"_inventory/{DAYS[0]:%Y-%m}.json") == "of the other run"


def test_of_many_at_once_one_takes_the_lock(lake: Lake) -> None:
    backends = [Lake(lake.root, lake.storage).backend for _ in range(8)]
    locks = [lock._ObjectLock(backend, lock.RUN) for backend in backends]  # type: ignore[arg-type]  # all of these backends are buckets
    for _ in range(3):
        taken: list[Any] = []
        start = threading.Barrier(len(locks))

        def take(one: Any, start: threading.Barrier = start, taken: list[Any] = taken) -> None:
            start.wait()
            if one.acquire(lock.Holder("test", id=str(id(one)))) is None:
                taken.append(one)

        locks = [lock._ObjectLock(backend, lock.RUN) for backend in backends]  # type: ignore[arg-type]  # all of these backends are buckets
        threads = [threading.Thread(target=take, args=(one,)) for one in locks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(taken) == 1
        taken[0].release()


def test_the_second_run_waits_for_the_first(tmp_path: Path, storage: Storage) -> None:
    path = workspace(tmp_path, storage, "two")
    lake = load.load_config(path, environment(storage)).open_lake()
    command = [sys.executable, "-m", "flows.cli", "transform", "--day", str(LAST_DAY)]
    with lake.lock("nightly"):
        second = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, **environment(storage)}, stderr=subprocess.PIPE, text=True
        )
        assert second.stderr is not None
        second.stderr.readline()  # what runs
        said = second.stderr.readline()
        assert f"waiting for the lake, locked by `genchi nightly`, process {os.getpid()} on host" in said
        lake.write("interactions", LAST_DAY, from_rows([{"call_id": "a", "route": "triage"}], "interactions"))
        assert second.poll() is None
    with second.stderr:
        rest = second.stderr.read()
    assert second.wait() == 0, rest
    (row,) = query(tmp_path / "warehouse.duckdb", "select sum(calls) as n from marts.fct_usage_daily")
    assert row["n"] == 1


def test_init_looks_at_a_bucket_with_the_credentials_of_the_environment(tmp_path: Path, storage: Storage) -> None:
    call = '{{"call_id": "{0}", "started_at": "{0}T10:00:00Z", "input_text": "hi", "output_text": "ho"}}\n'
    days = ("2026-03-01", "2026-03-02")
    filesystem(storage).pipe({f"genchi/new/logs/{day}/app.jsonl": call.format(day).encode() for day in days})
    aws = {
        "AWS_ACCESS_KEY_ID": str(storage.key),
        "AWS_SECRET_ACCESS_KEY": str(storage.secret),
        "AWS_ENDPOINT_URL": str(storage.endpoint_url),
    }
    done = genchi("init", "s3://genchi/new/logs", cwd=tmp_path, **aws)
    assert done.returncode == 0, done.stderr
    assert "s3://genchi/new/logs/{day}/app.jsonl: genchi, 2 files, 2026-03-01 to 2026-03-02" in done.stdout
    checked = genchi("doctor", "--day", "2026-03-02", cwd=tmp_path, **aws)
    assert checked.returncode == 0, checked.stdout
    assert "1 record of s3://genchi/new/logs/2026-03-02/app.jsonl: 1 call;" in checked.stdout
