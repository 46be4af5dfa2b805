"""A night's logs read by a real Dask cluster: the lake is that of one process, whatever happens to a worker."""

import gzip
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from distributed import Client

from flows.config import Config, load_config
from flows.errors import RunError
from flows.evaluate.production import score_days
from flows.evaluate.setup import read_setup
from flows.ingest import landing
from flows.ingest.spread import pieces
from flows.lake import CALL, Tombstones, add_tombstones
from flows.lake.object_store import filesystem
from flows.lake.store_addresses import Storage
from flows.semantics import run, spread_routes
from tests.bench.ingest import records
from tests.clusters import Cluster, dask_cluster
from tests.integration.servers import make_bucket, object_store

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
DAY = date(2026, 3, 2)
SCHEMA = "{output_schema: object.json}"
TABLES = ("interactions", "feedback", "call_records", "quarantine", "manifest")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of all tests that lose no worker."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as running:
        yield running


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces so small that the logs below are many."""
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1 << 20)


def write_logs(folder: Path) -> None:
    """Two days of logs: a big file of lines, small compressed ones, what cannot be read, duplicates, and feedback."""
    for number in range(2):
        day = DAY + timedelta(days=number)
        (folder / f"{day}").mkdir(parents=True)
        lines = list(records(3_000, number * 3_000, day))
        lines[1_000:1_000] = ["no JSON\n", "\n", '{"id": 7}\n', *lines[:50]]
        (folder / f"{day}" / "big.jsonl").write_text("".join(lines))
        for part in range(6):
            again = [*lines[part * 20 : part * 20 + 30], *records(200, 10_000 + number * 1_200 + part * 200, day)]
            content = "".join(again).encode() + b'{"cut": '
            (folder / f"{day}" / f"part-{part}.jsonl.gz").write_bytes(gzip.compress(content)[: None if part else -20])
        marks = [
            {"call_id": json.loads(lines[at])["id"], "kind": "thumbs", "score": 1.0, "at": f"{day}T20:00:00Z"}
            for at in range(0, 500, 5)
        ]
        (folder / f"feedback-{day}.jsonl").write_text("".join(json.dumps(mark) + "\n" for mark in marks))


def config(folder: Path, name: str, engine: str = "", **settings: str) -> Config:
    """A workspace's configuration with a lake of this name."""
    given = {"lake": f"lakes/{name}", "logs": "logs", "more": "", **settings}
    path = folder / f"{name}.yaml"
    path.write_text(
        f"app: desk\ntimezone: Europe/Berlin\nlake: {given['lake']}\nuser_key_secret: never-mind-this-secret\n"
        f"redact: [email, phone]\nsources:\n"
        f"  - {{name: calls, format: litellm, path: '{given['logs']}/{{day}}/*'}}\n"
        f"  - {{name: marks, format: genchi, path: '{given['logs']}/feedback-{{day}}.jsonl'}}\n{given['more']}{engine}"
    )
    return load_config(path)


def dask(cluster: Cluster) -> str:
    return f"engine: {{tasks: dask, address: '{cluster.address}'}}\n"


def tables(config: Config) -> dict[tuple[str, date], Any]:
    """All that ingest has written, without the times of reading; rejected records by their place."""
    lake, found = config.open_lake(), {}
    for table in TABLES:
        for day in lake.days(table):
            rows = lake.read(table, day)
            rows = rows.drop_columns(["read_at"]) if table == "manifest" else rows
            found[table, day] = (
                rows.sort_by([("file", "ascending"), ("line", "ascending")]) if table == "quarantine" else rows
            )
    return found


def assert_same(one: dict[tuple[str, date], Any], other: dict[tuple[str, date], Any]) -> None:
    assert one.keys() == other.keys()
    for of, rows in one.items():
        assert isinstance(rows, pa.Table)
        assert rows.equals(other[of]), of


def forget_someone(config: Config) -> None:
    """Tombstones for a call that has feedback, as `genchi forget` leaves them."""
    lake = config.open_lake()
    first = json.loads(next(records(1, 0, DAY)))["id"]
    with lake.lock("forget"):
        lake.create()
        known = Tombstones(config.secret_of_user_keys(lake))
        add_tombstones(lake, known, DAY, datetime(2026, 3, 1, tzinfo=UTC), {CALL: [first]})


def leftovers(config: Config) -> list[str]:
    return config.open_lake().backend.children("_runs")


def test_the_lake_is_that_of_one_process(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row for row and in the same order: of two nights, and of the first one again with a file that has grown, which
    one process then merges with the parts of the workers.
    """
    monkeypatch.setattr("flows.ingest.write.day_files._SMALL_ROWS", 1)
    write_logs(tmp_path / "logs")
    alone, spread = config(tmp_path, "alone"), config(tmp_path, "spread", dask(cluster))
    for one in (alone, spread):
        forget_someone(one)
    for night in range(3):
        if night == 2:
            with (tmp_path / "logs" / f"{DAY}" / "big.jsonl").open("a") as file:
                file.writelines(records(700, 50_000, DAY))
            spread = config(tmp_path, "spread")
        day = DAY + timedelta(days=night % 2)
        expected = landing.land(alone, day)
        assert landing.land(spread, day) == expected
        assert expected.forgotten > 0 or night == 1
        assert expected.redacted > 0
        assert_same(tables(alone), tables(spread))
        parts = spread.open_lake().names("interactions", DAY)
        assert parts == ["data"] if night == 2 else len(parts) > 5
    counted = [row for (table, _), rows in tables(spread).items() if table == "manifest" for row in rows.to_pylist()]
    assert sum(row["duplicates"] for row in counted) > 0
    assert sum(row["quarantined"] for row in counted) > 0
    assert not leftovers(spread)


def test_the_lake_in_a_store_is_that_of_one_process(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs and lake in an object store; a day is published as the parts that workers have put there."""
    monkeypatch.setattr("flows.ingest.write.day_files._SMALL_ROWS", 1)
    (tmp_path / "weed").mkdir()
    write_logs(tmp_path / "logs")
    with object_store(tmp_path / "weed") as storage:
        make_bucket(storage, "genchi")
        filesystem(storage).put(f"{tmp_path}/logs/", "genchi/logs/", recursive=True)
        alone = config(tmp_path, "alone", more=_storage(storage), **_in_store("alone"))
        spread = config(tmp_path, "spread", dask(cluster), more=_storage(storage), **_in_store("spread"))
        for night in range(2):
            day = DAY + timedelta(days=night)
            assert landing.land(alone, day) == landing.land(spread, day)
            assert_same(tables(alone), tables(spread))
            assert len(spread.open_lake().names("interactions", DAY)) > 5
        assert not spread.open_lake().faults(is_deep=True)
        assert not leftovers(spread)
    assert b"hush-hush" not in cluster.log.read_bytes()


def _in_store(name: str) -> dict[str, str]:
    return {"lake": f"s3://genchi/{name}", "logs": "s3://genchi/logs"}


def _storage(storage: Storage) -> str:
    return f"storage: {{key: {storage.key}, secret: {storage.secret}, endpoint_url: '{storage.endpoint_url}'}}\n"


def test_a_killed_worker_costs_its_tasks_again_and_nothing_else(tmp_path: Path) -> None:
    write_logs(tmp_path / "logs")
    (tmp_path / "dask").mkdir()
    with dask_cluster(tmp_path / "dask") as cluster:
        alone, spread = config(tmp_path, "alone"), config(tmp_path, "spread", dask(cluster))
        expected = landing.land_days(alone, DAY, DAY + timedelta(days=1))
        found: list[landing.Landed] = []
        landed = threading.Thread(target=lambda: found.append(landing.land_days(spread, DAY, DAY + timedelta(days=1))))
        landed.start()
        victim = cluster.workers["worker-0"]
        with Client(cluster.address, set_as_default=False) as watching:
            while not _has_begun(watching, spread):
                assert landed.is_alive(), "nothing was left to lose"
                time.sleep(0.02)
            victim.send_signal(signal.SIGKILL)
        victim.wait()
        assert landed.is_alive(), "all tasks were done before the worker was lost"
        landed.join()
        assert found == [expected]
        assert_same(tables(alone), tables(spread))
        assert not leftovers(spread)


def test_a_worker_killed_in_semantics_costs_its_tasks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lake in an object store. Two of three workers are killed: one with texts to embed, one with a route of a night.
    The third does what is left, and the scores.
    """
    monkeypatch.setattr(spread_routes, "_TEXTS_A_TASK", 32)
    (tmp_path / "weed").mkdir()
    (tmp_path / "dask").mkdir()
    days = [DAY, DAY + timedelta(days=1)]
    for number, day in enumerate(days):
        (tmp_path / "logs" / f"{day}").mkdir(parents=True)
        (tmp_path / "logs" / f"{day}" / "big.jsonl").write_text("".join(records(900, number * 900, day)))
    (tmp_path / "object.json").write_text('{"type": "object"}')
    with object_store(tmp_path / "weed") as storage, dask_cluster(tmp_path / "dask", workers=3) as cluster:
        make_bucket(storage, "genchi")
        more = f"{_storage(storage)}routes: {{triage: {SCHEMA}, answer: {SCHEMA}}}\n"
        alone = config(tmp_path, "alone", more=more, lake="s3://genchi/alone")
        spread = config(tmp_path, "spread", dask(cluster), more=more, lake="s3://genchi/spread")
        for one in (alone, spread):
            landing.land_days(one, *days)
        for victim, stage in {"worker-0": run.embed_days, "worker-1": run.find_topics}.items():
            expected = stage(alone, *days)
            with _killed_at_work(cluster, victim):
                found = stage(spread, *days)
            assert replace(found, **_times(found)) == replace(expected, **_times(expected))
        for one in (alone, spread):
            score_days(read_setup(one), *days)
        for table in ("embeddings", "topics", "topic_catalog", "topic_tests", "topic_pasts", "scores"):
            ours, theirs = (one.open_lake().read(table, days[1]) for one in (alone, spread))
            assert ours.equals(theirs), table
            assert len(ours), table


def _times(found: Any) -> dict[str, float]:
    return {"seconds": 0.0} if hasattr(found, "seconds") else {}


@contextmanager
def _killed_at_work(cluster: Cluster, name: str) -> Iterator[None]:
    """Kill a worker as soon as it has tasks, while the block runs. It is stopped before that, so that it ends none."""
    killed, is_over = threading.Event(), threading.Event()
    cluster.workers[name].send_signal(signal.SIGSTOP)

    def kill() -> None:
        with Client(cluster.address, set_as_default=False) as watching:
            while not is_over.is_set():
                workers = watching.scheduler_info(n_workers=-1)["workers"].items()
                mine = [address for address, worker in workers if worker["name"] == name]
                if mine and watching.processing().get(mine[0]):
                    cluster.workers[name].send_signal(signal.SIGKILL)
                    killed.set()
                    return
                time.sleep(0.01)

    watcher = threading.Thread(target=kill)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()
    assert killed.is_set(), "nothing was left to lose"


def test_a_killed_run_leaves_nothing_behind(tmp_path: Path, cluster: Cluster) -> None:
    """Killed while workers have staged files; the next run clears them, and has the lake of one process."""
    write_logs(tmp_path / "logs")
    alone, spread = config(tmp_path, "alone"), config(tmp_path, "spread", dask(cluster))
    code = (
        "import sys; from datetime import date; from flows.config import load_config; from flows.ingest import landing;"
        "from flows.ingest.spread import pieces; pieces.PIECE_BYTES = 1 << 18;"
        "landing.land(load_config(sys.argv[1]), date.fromisoformat(sys.argv[2]))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(spread.path), str(DAY)]) as running:
        while not any((Path(spread.lake) / "_runs").glob("*/*-arrived-*.parquet")):
            assert running.poll() is None, "nothing was left to kill"
            time.sleep(0.02)
        running.kill()
    assert running.returncode == -signal.SIGKILL
    assert leftovers(spread)
    assert tables(spread) == {}
    assert landing.land(alone, DAY) == landing.land(spread, DAY)
    assert_same(tables(alone), tables(spread))
    assert not leftovers(spread)


def test_what_only_this_process_can_read_it_reads_itself(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs under a path that leads elsewhere on the workers, as that of a folder that is not shared does."""
    write_logs(tmp_path / "logs")
    monkeypatch.chdir(tmp_path)
    only_here = {"logs": "/proc/self/cwd/logs"}
    alone, spread = config(tmp_path, "alone", **only_here), config(tmp_path, "spread", dask(cluster), **only_here)
    assert landing.land(alone, DAY) == landing.land(spread, DAY)
    assert_same(tables(alone), tables(spread))
    assert "could not be read by a worker, and were read by this process" in caplog.text


def test_a_lake_that_workers_do_not_see_is_one_line(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_logs(tmp_path / "logs")
    monkeypatch.chdir(tmp_path)
    spread = config(tmp_path, "spread", dask(cluster), lake="/proc/self/cwd/lakes/own")
    with pytest.raises(RunError, match=r"^/proc/self/cwd/lakes/own/_runs/\w+: a worker does not see this folder; put"):
        landing.land(spread, DAY)
    assert not leftovers(spread)
    assert tables(spread) == {}


def _has_begun(client: Client, config: Config) -> bool:
    """Whether the first worker has tasks, and has written files of one."""
    with suppress(OSError):
        mine = [
            name
            for name, worker in client.scheduler_info(n_workers=-1)["workers"].items()
            if worker["name"] == "worker-0"
        ]
        return bool(mine and client.processing().get(mine[0])) and any(
            (Path(config.lake) / "_runs").glob("*/*.parquet")
        )
    return False
