"""A night's tasks on a real Ray cluster of two workers: the lake is that of one process, whatever happens to one."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.cluster import open_tasks, patience
from flows.config import Config, load_config
from flows.errors import RunError
from flows.evaluate.production import score_days
from flows.evaluate.setup import read_setup
from flows.ingest import landing
from flows.ingest.spread import pieces
from flows.semantics import run
from tests.bench.ingest import records
from tests.clusters import Cluster, end, ray_cluster

pytest.importorskip("ray")
pytestmark = [pytest.mark.ray, pytest.mark.timeout(1800)]
DAY = date(2026, 3, 2)
TABLES = ("interactions", "call_records", "manifest", "embeddings", "topics", "topic_catalog", "topic_tests", "scores")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with ray_cluster() as running:
        yield running


def squared(number: int, more: int = 0) -> int:
    return number * number + more


def failing(number: int) -> int:
    raise RunError(f"no {number} here")


def dying(number: int, note: Path) -> int:
    """Ends its worker the first time that it is called for 1."""
    if number == 1 and not note.exists():
        note.write_text("died")
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def waiting(number: int, folder: Path) -> int:
    (folder / f"{number}-{os.getpid()}").touch()
    time.sleep(3)
    return number


def config(folder: Path, name: str, engine: str = "") -> Config:
    path = folder / f"{name}.yaml"
    (folder / "object.json").write_text('{"type": "object"}')
    path.write_text(
        f"app: desk\nlake: lakes/{name}\nuser_key_secret: never-mind-this-secret\nredact: [email, phone]\n"
        "sources: [{name: calls, format: litellm, path: 'logs/{day}.jsonl'}]\n"
        f"routes:\n  triage: {{output_schema: object.json}}\n  answer: {{output_schema: object.json}}\n{engine}"
    )
    return load_config(path)


def tables(config: Config) -> dict[str, Any]:
    lake = config.open_lake()
    found = {table: lake.read(table, DAY) for table in TABLES}
    found["manifest"] = found["manifest"].drop_columns(["read_at"])
    return found


@pytest.mark.parametrize("by", ["address", "head"])
def test_results_and_errors_are_those_of_the_tasks(cluster: Cluster, by: str) -> None:
    """By Ray's client server, and by the cluster's own address; the handler of SIGTERM stays ours."""
    before = signal.getsignal(signal.SIGTERM)
    with open_tasks("ray", getattr(cluster, by)) as tasks:
        assert tasks is not None
        assert list(tasks.map(squared, range(20), 1)) == [number * number + 1 for number in range(20)]
        with pytest.raises(RunError, match=r"^no 7 here$"):
            list(tasks.map(failing, [7]))
        found = tasks.on_each(squared, 3, 60)
        assert len(found) == 2
        assert set(found.values()) == {9}
        assert set(tasks.on_each(failing, 3, 60).values()) == {"no 3 here"}
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_task_whose_worker_was_killed_is_done_again(cluster: Cluster, tmp_path: Path) -> None:
    with open_tasks("ray", cluster.head) as tasks:
        assert tasks is not None
        assert list(tasks.map(dying, range(4), tmp_path / "note")) == [0, 1, 2, 3]
    assert (tmp_path / "note").exists()


def test_the_lake_of_a_night_is_that_of_one_process(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1 << 20)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / f"{DAY}.jsonl").write_text("".join(records(3_000, 0, DAY)))
    alone = config(tmp_path, "alone")
    spread = config(tmp_path, "spread", f"engine: {{tasks: ray, address: '{cluster.address}'}}\n")
    for one in (alone, spread):
        landing.land(one, DAY)
        run.run_semantics(one, DAY, DAY)
        score_days(read_setup(one), DAY, DAY)
    ours, theirs = tables(alone), tables(spread)
    assert len(ours["interactions"]) > 2_000
    assert len(ours["topic_catalog"]) > 1
    assert len(ours["scores"]) > 1_000
    assert [table for table in TABLES if not ours[table].equals(theirs[table])] == []


def test_a_cluster_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(RunError, match=r"^127.0.0.1:9: no Ray cluster answers; start it .*engine.address`$"):
        open_tasks("ray", "127.0.0.1:9")


def test_a_lost_node_costs_its_tasks_again_and_without_nodes_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ray_cluster() as cluster, open_tasks("ray", cluster.address) as tasks:
        assert tasks is not None
        with ThreadPoolExecutor(1) as beside:
            results = beside.submit(list, tasks.map(waiting, range(4), tmp_path))
            while len(list(tmp_path.iterdir())) < 2 and not results.done():
                time.sleep(0.1)
            end(cluster.workers["worker-0"])
            assert results.result() == [0, 1, 2, 3]
        assert len(list(tmp_path.iterdir())) > 4
        end(cluster.workers["worker-1"])
        monkeypatch.setattr(patience, "LOOK_S", 1)
        monkeypatch.setattr(patience, "WITHOUT_WORKERS_S", 5)
        with pytest.raises(RunError, match=r"has no workers; start some$"):
            list(tasks.map(squared, range(2)))
