"""What `genchi deploy` writes, on a real Prefect server with PostgreSQL and a real worker: it is taken, and it runs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.cli import main
from flows.lake.lake import Lake
from tests.integration import postgres

DAY = date(2026, 3, 2)
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
    command = [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with ExitStack() as opened, (tmp_path / "server.log").open("wb") as log:
        database = opened.enter_context(postgres.running()).replace("postgresql://", "postgresql+asyncpg://")
        of_server = {**environment, "PREFECT_API_DATABASE_CONNECTION_URL": database}
        process = subprocess.Popen(command, env=of_server, stdout=log, stderr=log)
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


def prefect(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [PREFECT, "--no-prompt", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def asked(server: dict[str, str], path: str, **body: Any) -> Any:
    answer = httpx.post(server["PREFECT_API_URL"] + path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def until_ended(server: dict[str, str], tag: str) -> str:
    """The type of the state in which the first run with a tag ends."""
    for _ in range(1200):
        runs = asked(server, "/flow_runs/filter", flow_runs={"tags": {"all_": ["desk", tag]}}, sort="START_TIME_ASC")
        if ended := [run["state_type"] for run in runs if run["end_time"]]:
            return str(ended[0])
        time.sleep(0.5)
    raise AssertionError(f"no run of {tag} ends")


def test_what_is_written_is_deployed_and_a_worker_runs_it(
    tmp_path: Path, server: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my app"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / f"{DAY}.jsonl").write_text(
        f'{{"call_id": "a", "started_at": "{DAY}T10:00:00Z", "input_text": "hi", "output_text": "ho"}}\n',
        encoding="utf-8",
    )
    (folder / "genchi.yaml").write_text(
        "app: desk\nlake: lake\nsources: [{name: app, format: genchi, path: 'logs/{day}.jsonl'}]\n", encoding="utf-8"
    )
    monkeypatch.chdir(folder)
    assert main(["deploy", "--at", "30 2 * * *"]) == 0
    prefect(folder, server, "work-pool", "create", "genchi", "--type", "process")
    prefect(folder, server, "deploy", "--all")

    found = {row["name"]: row for row in asked(server, "/deployments/filter")}
    assert set(found) == {"desk-nightly", "desk-backfill", "desk-evaluate-now", "desk-flight-check"}
    schedules = {name: [entry["schedule"]["cron"] for entry in row["schedules"]] for name, row in found.items()}
    assert schedules["desk-nightly"] == ["30 2 * * *"]
    assert [name for name, crons in schedules.items() if not crons] == ["desk-backfill", "desk-evaluate-now"]
    limits = {row["global_concurrency_limit"]["limit"] for row in found.values()}
    assert limits == {1}
    form = found["desk-backfill"]["parameter_openapi_schema"]
    assert form["required"] == ["start", "end"]
    assert {about["description"] != "" for about in form["properties"].values()} == {True}

    with (tmp_path / "worker.log").open("wb") as log:
        command = [PREFECT, "worker", "start", "--pool", "genchi"]
        worker = subprocess.Popen(command, cwd=tmp_path, env=server, stdout=log, stderr=log)
        try:
            prefect(folder, server, "deployment", "run", "flight-check/desk-flight-check")
            prefect(folder, server, "deployment", "run", "nightly/desk-nightly", "--param", f"day={DAY}", "--watch")
            checked = until_ended(server, "flight-check")
        finally:
            worker.kill()  # a worker that is told to end takes up to a minute, and now and then does not
            worker.wait()
    assert Lake(folder / "lake").read("interactions", DAY).column("call_id").to_pylist() == ["a"]
    assert (folder / "reports" / str(DAY) / "index.html").is_file()
    log_of_worker = (tmp_path / "worker.log").read_text(encoding="utf-8")
    assert "✓ ingest      1 calls" in log_of_worker
    assert "✓ ingest      2 calls" in log_of_worker
    assert checked == "COMPLETED"
