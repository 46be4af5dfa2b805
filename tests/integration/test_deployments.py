"""What `genchi deploy` writes, on a real Prefect server with PostgreSQL and real workers: it is taken, and it runs.

One server for all tests; they run in their order, as a person would go: the form, then five days backfilled, a worker
that dies in the middle of a night, another that does it again, and a night by the clock. The lake and the marts are
then those of a lake on which nothing died.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from flows.cli import main
from tests.integration import postgres
from tests.integration.contents import tables_of
from tests.unit.alerts.receivers import WebServer, serving

PREFECT = str(Path(sys.executable).with_name("prefect"))
NAMES = ("nightly", "backfill", "evaluate-now", "review-digest", "flight-check")
FIVE = 5
pytestmark = pytest.mark.long


class Server:
    """A Prefect server with the environment of a person who uses it."""

    def __init__(self, home: Path, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "PREFECT_HOME": str(home / ".prefect"),
            "PREFECT_API_URL": f"{self.root}/api",
            "PREFECT_LOGGING_LEVEL": "INFO",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        }

    def cli(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            [PREFECT, "--no-prompt", *arguments],
            cwd=folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def asked(self, path: str, **body: Any) -> Any:
        answer = httpx.post(f"{self.root}/api{path}", json=body, timeout=60)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def deployments(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in self.asked("/deployments/filter")}

    def runs(self, name: str) -> list[dict[str, Any]]:
        """The runs of a deployment, the first first."""
        return list(
            self.asked("/flow_runs/filter", deployments={"name": {"any_": [name]}}, sort="EXPECTED_START_TIME_ASC")
        )

    def start(self, name: str, **parameters: Any) -> str:
        """Run a deployment as its form does; returns the id of the run."""
        found = self.asked(f"/deployments/{self.deployments()[name]['id']}/create_flow_run", parameters=parameters)
        return str(found["id"])

    def run_of(self, run: str) -> dict[str, Any]:
        return dict(httpx.get(f"{self.root}/api/flow_runs/{run}", timeout=60).json())

    def state(self, run: str) -> str:
        return str(self.run_of(run)["state_type"])

    def message(self, run: str) -> str:
        """What a run says at its end."""
        return str(self.run_of(run)["state"]["message"])

    def ended(self, run: str) -> str:
        """The type of the state in which a run ends."""
        ends = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
        until(lambda: self.state(run) in ends)
        return self.state(run)


def until(condition: Callable[[], object], at_most_s: float = 600) -> None:
    deadline = time.monotonic() + at_most_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def is_well(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = Server(home, port)
    command = [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with ExitStack() as opened, (home / "server.log").open("wb") as log:
        database = opened.enter_context(postgres.running()).replace("postgresql://", "postgresql+asyncpg://")
        of_server = {
            **found.environment,
            "PREFECT_API_DATABASE_CONNECTION_URL": database,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "30",
        }
        process = subprocess.Popen(command, env=of_server, stdout=log, stderr=log)
        try:
            until(lambda: is_well(f"{found.root}/api/health"), 120)
            yield found
        finally:
            process.terminate()
            process.wait(30)


YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
DAYS = [YESTERDAY - timedelta(days=n) for n in range(FIVE + 1, -1, -1)]


@pytest.fixture(scope="module")
def hook() -> Iterator[WebServer]:
    with serving(WebServer()) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, server: Server, hook: WebServer) -> Path:
    """A workspace that is deployed."""
    folder = workspace(tmp_path_factory.mktemp("deployed") / "my app", f"http://{hook.address}/")
    assert main(["deploy", "--config", str(folder / "genchi.yaml"), "--file", str(folder / "prefect.yaml")]) == 0
    server.cli(folder, "work-pool", "create", "genchi", "--type", "process")
    server.cli(folder, "deploy", "--all")
    return folder


def workspace(folder: Path, hook: str = "") -> Path:
    """Seven days of forty calls, with a queue for the review; no alerts without a `hook`."""
    (folder / "logs").mkdir(parents=True)
    for number, day in enumerate(DAYS):
        lines = [
            {
                "call_id": f"{day}-{n}", "started_at": f"{day}T10:00:{n:02}Z", "route": "desk",
                "input_text": f"Where is parcel {n} of day {number}?", "output_text": "On its way. " * (1 + n % 3),
            }
            for n in range(40)
        ]  # fmt: skip
        (folder / "logs" / f"{day}.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8"
        )
    settings = {
        "app": "desk",
        "lake": "lake",
        "sources": [{"name": "app", "format": "genchi", "path": "logs/{day}.jsonl"}],
        "review": {"rota": ["Ada"]},
        "alerts": [{"kind": "webhook", "url": hook}] if hook else [],
    }
    (folder / "genchi.yaml").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@contextmanager
def worker(server: Server, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker, which is killed with its runs at the end: one that is told to end takes up to a minute."""
    with log.open("ab") as out:
        command = [PREFECT, "worker", "start", "--pool", "genchi"]
        process = subprocess.Popen(command, cwd=log.parent, env=server.environment, stdout=out, stderr=out)
        try:
            yield process
        finally:
            kill_with_children(process)


def kill_with_children(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL for a worker and the processes of its runs, as where the machine goes down."""
    found, new = [process.pid], [process.pid]
    while new:
        parents = {str(pid) for pid in new}
        new = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, parent = path.parent.name, path.read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            except OSError:
                continue
            if parent in parents and int(pid) not in found:
                new.append(int(pid))
        found += new
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def test_what_is_written_is_taken_scheduled_and_has_a_typed_form(server: Server, folder: Path) -> None:
    found = server.deployments()
    assert set(found) == {f"desk-{name}" for name in NAMES}
    crons = {name: [entry["schedule"]["cron"] for entry in row["schedules"]] for name, row in found.items()}
    assert crons["desk-nightly"] == ["0 3 * * *"]
    assert crons["desk-review-digest"] == ["0 8 * * mon-fri"]
    assert [name for name, of_name in crons.items() if not of_name] == ["desk-backfill", "desk-evaluate-now"]
    assert {row["global_concurrency_limit"]["limit"] for row in found.values()} == {1}
    for name, row in found.items():
        for parameter, about in row["parameter_openapi_schema"]["properties"].items():
            assert about["description"], f"{name}: {parameter}"
            assert about.get("type") or about.get("anyOf") or about.get("allOf"), f"{name}: {parameter}"
    until(lambda: all(server.runs(f"desk-{name}") for name in ("nightly", "review-digest", "flight-check")), 120)
    form = found["desk-backfill"]["parameter_openapi_schema"]
    assert form["required"] == ["start", "end"]
    assert form["properties"]["start"]["format"] == "date"
    assert {one.get("enum") and tuple(one["enum"]) for one in form["properties"]["only"]["anyOf"]} == {
        ("ingest", "transform", "evaluate"),
        None,
    }


def test_the_run_form_shows_each_parameter_with_its_description(server: Server, folder: Path, browser: Any) -> None:
    found = server.deployments()["desk-backfill"]
    page = browser.new_page(viewport={"width": 1280, "height": 1700})
    page.goto(f"{server.root}/deployments/deployment/{found['id']}/run", wait_until="load")
    page.get_by_text("The first day.").wait_for(timeout=60_000)
    shown = page.inner_text("body")
    for parameter, about in found["parameter_openapi_schema"]["properties"].items():
        assert parameter in shown
        assert about["description"].split(". ")[0].replace("`", "")[:30] in shown.replace("`", ""), parameter
    page.close()


@pytest.mark.timeout(1800)  # whole nights of two lakes, in processes of their own
def test_five_days_a_worker_that_dies_another_and_a_night_by_the_clock_give_an_undisturbed_lake(
    server: Server, folder: Path, hook: WebServer, tmp_path: Path, prefect_server: None
) -> None:
    path, lake, killed_day = str(folder / "genchi.yaml"), folder / "lake", DAYS[-2]
    automation = yaml.safe_load(printed(["deploy", "--config", path, "--automation"]))
    automation["trigger"]["within"] = 45
    (tmp_path / "crashed.yaml").write_text(yaml.safe_dump(automation), encoding="utf-8")
    server.cli(tmp_path, "automation", "create", "--from-file", "crashed.yaml")

    with worker(server, tmp_path / "worker.log") as first:
        flight = server.start("desk-flight-check")
        backfill = server.start("desk-backfill", start=str(DAYS[0]), end=str(DAYS[FIVE - 1]), pages=0)
        assert server.ended(backfill) == "COMPLETED"
        assert server.ended(flight) == "COMPLETED"
        assert server.message(backfill).startswith(f"{DAYS[0]} to {DAYS[FIVE - 1]}: ")
        assert "2 records are in the marts" in server.message(flight)
        dying = server.start("desk-nightly", day=str(killed_day))
        until((lake / "embeddings" / f"day={killed_day}").exists)
        kill_with_children(first)
    assert not (folder / "reports" / str(killed_day)).exists()
    assert server.state(dying) == "RUNNING"

    with worker(server, tmp_path / "worker.log"):
        by_hand = server.start("desk-nightly", day=str(killed_day))
        assert server.ended(by_hand) == "COMPLETED"
        assert main(["deploy", "--config", path, "--file", str(folder / "prefect.yaml"), "--at", "* * * * *"]) == 0
        server.cli(folder, "deploy", "--name", "desk-nightly")
        undisturbed = reference(tmp_path)
        until(lambda: any(run["auto_scheduled"] and run["start_time"] for run in server.runs("desk-nightly")))
        server.asked(f"/deployments/{server.deployments()['desk-nightly']['id']}/pause_deployment")
        (by_clock, *_) = [run for run in server.runs("desk-nightly") if run["auto_scheduled"] and run["start_time"]]
        assert server.ended(by_clock["id"]) == "COMPLETED"
        assert server.ended(dying) == "CRASHED"
        digest = server.start("desk-review-digest")
        assert server.ended(digest) == "COMPLETED"

    for place in (folder, undisturbed.parent):  # the clock may have begun the last night twice
        for day in DAYS[FIVE:]:
            assert main(["transform", "--config", str(place / "genchi.yaml"), "--day", str(day)]) == 0
    assert tables_of(lake) == tables_of(undisturbed)
    (told,) = [
        json.loads(body) for _, _, body in hook.requests if "to review; this week: Ada" in json.loads(body)["headline"]
    ]
    assert f"genchi review --day {YESTERDAY}" in told["review"]
    assert (folder / "reports" / str(YESTERDAY) / "index.html").is_file()


def reference(folder: Path) -> Path:
    """The lake of the same days, with the same verbs, on which nothing died."""
    alone = workspace(folder / "my app")
    config = ["--config", str(alone / "genchi.yaml")]
    assert main(["backfill", *config, "--start", str(DAYS[0]), "--end", str(DAYS[FIVE - 1]), "--pages", "0"]) == 0
    for day in DAYS[FIVE:]:
        assert main(["nightly", *config, "--day", str(day)]) in {0, 1}
    return alone / "lake"


def printed(arguments: list[str]) -> str:
    done = subprocess.run([sys.executable, "-m", "flows.cli", *arguments], capture_output=True, text=True, check=True)
    return done.stdout
