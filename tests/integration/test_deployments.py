"""prefect.yaml on a real Prefect server, with a real worker: what it deploys runs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from flows.lake.lake import Lake

ROOT = Path(__file__).resolve().parents[2]
PREFECT = str(Path(sys.executable).with_name("prefect"))
pytestmark = pytest.mark.long


@pytest.fixture
def server(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a person who uses a Prefect server of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "home").mkdir()
    environment = {
        **os.environ,
        "HOME": str(tmp_path / "home"),
        "PREFECT_HOME": str(tmp_path / "home" / ".prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_PROFILES_PATH": str(tmp_path / "home" / "profiles.toml"),
    }
    command = [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_for(environment["PREFECT_API_URL"] + "/health")
            yield environment
        finally:
            process.terminate()
            process.wait(30)


def wait_for(url: str) -> None:
    for _ in range(240):
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"{url} does not answer")


def prefect(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [PREFECT, "--no-prompt", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_deployment_is_made_and_a_worker_runs_one(tmp_path: Path, server: dict[str, str]) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "2026-03-02.jsonl").write_text(
        '{"call_id": "a", "started_at": "2026-03-02T10:00:00Z", "input_text": "hi", "output_text": "ho"}\n',
        encoding="utf-8",
    )
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nsources: [{name: app, format: genchi, path: 'logs/{day}.jsonl'}]\n", encoding="utf-8"
    )
    prefect(server, "work-pool", "create", "genchi", "--type", "process")
    prefect(server, "deploy", "--all")
    found = httpx.post(server["PREFECT_API_URL"] + "/deployments/filter", json={}).json()
    assert {row["name"] for row in found} == {"nightly", "backfill", "ingest", "transform", "evaluate"}
    schedules = {row["name"]: [entry["schedule"]["cron"] for entry in row["schedules"]] for row in found}
    assert schedules.pop("nightly") == ["0 3 * * *"]
    assert set(map(tuple, schedules.values())) == {()}

    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [PREFECT, "worker", "start", "--pool", "genchi"], cwd=ROOT, env=server, stdout=log, stderr=log
        )
        try:
            prefect(
                server, "deployment", "run", "ingest-day/ingest", "--watch",
                "--param", f"config_path={tmp_path / 'genchi.yaml'}", "--param", "day=2026-03-02",
            )  # fmt: skip
        finally:
            worker.kill()  # a worker that is told to end takes up to a minute, and now and then does not
            worker.wait()
    assert Lake(tmp_path / "lake").read("interactions", date(2026, 3, 2)).column("call_id").to_pylist() == ["a"]
    assert (tmp_path / "lake" / "warehouse.duckdb").exists()
    assert "✓ ingest      1 calls" in (tmp_path / "worker.log").read_text(encoding="utf-8")
