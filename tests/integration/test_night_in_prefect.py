"""A night whose files change while it runs: what it keeps to, what Prefect shows of it, and what it must not see."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.evaluate import load_setup
from flows.lake.lake import Lake, nightly_run_id
from flows.llm.litellm_setup import load_litellm
from flows.llm.local_providers import register_provider
from flows.warehouse import query
from tests.integration.servers import Hook, prefect_api, webhook

DAY = date(2026, 3, 2)
SECRETS = {
    "api_key": "sk-pinned-very-secret",
    "authorization": "Bearer very-secret-too",
    "user_key_secret": "secret-of-the-user-keys",
    "webhook": "hook-that-is-secret",
}
FILES = ("genchi.yaml", "criteria.yaml", "schema.json", "prompt.md")
CHECKS = """
from pathlib import Path

with Path(__file__).with_name("runs.txt").open("a") as file:
    file.write("run\\n")


def short(example, answer):
    return len(answer) < 100


def kind(example, answer):
    return "fool" not in answer
"""


@dataclass
class Seen:
    """A night, how often its files were opened, and how often its Python checks were run."""

    night: Any
    folder: Path
    opened: Counter[str]
    runs: int


def provider(folder: Path) -> Any:
    """A provider that answers everything with "no", and spoils the workspace's files when it is asked first."""
    litellm = load_litellm()

    class Spoils(litellm.CustomLLM):  # type: ignore[name-defined,misc]  # loaded late, so Any
        async def acompletion(self, model: str, messages: Any, **options: Any) -> Any:
            for name in (*FILES, "my_checks.py"):
                (folder / name).unlink(missing_ok=True)
            (folder / "genchi.yaml").write_text("app: another\nlake: elsewhere\n", encoding="utf-8")
            message = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "no"}}
            return litellm.ModelResponse(model=model, choices=[message])

    return Spoils()


def workspace(folder: Path, hook: str) -> Path:
    lines = [{"example_id": str(n), "input": f"Question {n}?", "expected": "yes"} for n in range(12)]
    (folder / "holdout.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    calls = [
        {"call_id": f"c{n}", "started_at": f"{DAY}T10:00:00Z", "input_text": "hi", "output_text": "yes", "route": "r"}
        for n in range(5)
    ]
    (folder / "calls.jsonl").write_text("".join(json.dumps(line) + "\n" for line in calls), encoding="utf-8")
    (folder / "my_checks.py").write_text(CHECKS, encoding="utf-8")
    (folder / "schema.json").write_text('{"type": "string"}', encoding="utf-8")
    (folder / "prompt.md").write_text("Answer with one word.", encoding="utf-8")
    (folder / "criteria.yaml").write_text(
        "- {name: right, kind: exact, severity: critical, min_pass_rate: 0.9}\n"
        "- {name: short, kind: python, function: 'my_checks:short'}\n"
        "- {name: kind, kind: python, function: 'my_checks:kind'}\n",
        encoding="utf-8",
    )
    params = {"extra_headers": {"Authorization": SECRETS["authorization"]}}
    settings = {
        "app": "Kept App",
        "lake": "lake",
        "sources": [{"name": "app", "format": "genchi", "path": "calls.jsonl"}],
        "routes": {"r": {"holdout": "holdout.jsonl", "criteria": "criteria.yaml", "output_schema": "schema.json"}},
        "models": {
            "pinned": {"model": "spoils/old", "api_key": SECRETS["api_key"], "params": params},
            "candidates": [{"model": "spoils/new", "prompt": "prompt.md"}],
        },
        "shadow": {"samples_per_day": 3},
        "user_key_secret": SECRETS["user_key_secret"],
        "alerts": [{"kind": "webhook", "url": f"{hook}?token={SECRETS['webhook']}"}],
    }
    (folder / "genchi.yaml").write_text(json.dumps(settings), encoding="utf-8")
    return folder / "genchi.yaml"


OPENED: list[str] = []


def note_opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | Path) and "r" in (arguments[1] or ""):
        OPENED.append(str(arguments[0]))


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    with webhook() as taking:
        yield taking


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, prefect_server: None, hook: Hook) -> Seen:
    from flows.nightly import nightly

    folder = tmp_path_factory.mktemp("kept")
    path = workspace(folder, hook.url)
    register_provider("spoils", provider(folder))
    sys.addaudithook(note_opened)
    night = nightly(str(path), DAY)
    opened = Counter(Path(name).name for name in OPENED if Path(name).parent == folder)
    return Seen(night, folder, opened, len((folder / "runs.txt").read_text(encoding="utf-8").splitlines()))


pytestmark = pytest.mark.long


def test_a_night_reads_each_file_of_its_configuration_once(seen: Seen) -> None:
    assert {name: seen.opened[name] for name in FILES} == dict.fromkeys(FILES, 1)
    assert seen.runs == 1


def test_a_night_ends_by_the_configuration_with_which_it_began(seen: Seen) -> None:
    assert (seen.folder / "genchi.yaml").read_text(encoding="utf-8").startswith("app: another")
    assert not (seen.folder / "my_checks.py").exists()
    assert not (seen.folder / "elsewhere").exists()
    assert seen.night.failures == []
    lake = Lake(seen.folder / "lake")
    scores = lake.read("scores", DAY, nightly_run_id(DAY)).to_pylist()
    found = Counter((row["criterion"], row["passed"]) for row in scores)
    assert found == {("right", False): 24, ("short", True): 24, ("kind", True): 24}
    shadow = lake.read("scores", DAY, f"shadow-{DAY}").to_pylist()
    assert {row["criterion"] for row in shadow} == {"short", "kind"}
    of_pinned = "select pass_rate from marts.fct_eval_scores where criterion = 'right' and arm = 'pinned'"
    (rate,) = query(seen.folder / "lake" / "warehouse.duckdb", of_pinned)
    assert rate["pass_rate"] == 0
    assert "Kept App" in seen.night.page.read_text(encoding="utf-8")


def test_prefect_shows_the_night_by_its_day_its_app_and_what_it_came_to(seen: Seen) -> None:
    runs = {row["name"]: row for row in prefect_api("/flow_runs/filter", flow_runs={"tags": {"all_": ["Kept App"]}})}
    assert runs[f"nightly {DAY}"]["state"]["name"] == "Critical"
    assert runs[f"nightly {DAY}"]["state"]["type"] == "COMPLETED"
    assert runs[f"nightly {DAY}"]["state"]["message"] == seen.night.headline
    assert set(runs) >= {f"ingest {DAY}", f"semantics {DAY} to {DAY}", f"evaluate {DAY}", f"report {DAY}"}
    assert set(runs[f"ingest {DAY}"]["tags"]) == {"Kept App", "ingest"}
    tasks = {row["name"] for row in prefect_api("/task_runs/filter", task_runs={"tags": {"all_": ["Kept App"]}})}
    assert {f"land logs {DAY}", f"ask the models {DAY}", f"check {DAY}"} <= tasks
    assert {row["key"] for row in prefect_api("/artifacts/filter")} >= {"genchi-night-kept-app-" + hash_of_app()}


def hash_of_app() -> str:
    import hashlib

    return hashlib.sha256(b"Kept App").hexdigest()[:6]


def test_who_calls_the_night_gets_the_night_and_not_a_state(seen: Seen) -> None:
    from flows.nightly import Night

    assert isinstance(seen.night, Night)
    assert seen.night.critical >= 1
    assert seen.night.severity == "critical"


def test_the_night_emits_an_event_that_an_automation_can_wait_for(seen: Seen) -> None:
    deadline = time.monotonic() + 60
    wanted = {"event": {"name": ["genchi.night"]}, "resource": {"id": ["genchi.app.Kept App"]}}
    while not (found := prefect_api("/events/filter", filter=wanted)["events"]):
        assert time.monotonic() < deadline, "no event came"
        time.sleep(0.5)
    (event,) = found
    payload = event["payload"]
    assert payload["day"] == str(DAY)
    assert payload["severity"] == "critical"
    assert (payload["critical"], payload["warning"]) == (seen.night.critical, seen.night.warning)
    assert payload["failed_stages"] == []
    assert payload["page"] == str(seen.night.page)


@pytest.fixture(scope="module")
def stored(seen: Seen, hook: Hook) -> bytes:
    """All that Prefect's server has written, after the same night was run with a configuration that was read."""
    from prefect.settings import get_current_settings

    from flows.config import load_config
    from flows.nightly import run_nightly

    config = load_config(workspace(seen.folder, hook.url))
    setup = load_setup(config.model_copy(update={"app": "Handed down"}))
    run_nightly(setup, DAY)
    url = get_current_settings().server.database.connection_url.get_secret_value()
    folder = Path(url.split("///")[1]).parent
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_no_secret_of_the_configuration_reaches_prefects_database(stored: bytes) -> None:
    assert b"Handed down" in stored
    for secret in SECRETS.values():
        assert secret.encode() not in stored


def test_the_parameters_that_prefect_stores_name_the_configuration(stored: bytes, seen: Seen) -> None:
    runs = prefect_api("/flow_runs/filter", flow_runs={"tags": {"all_": ["Handed down"]}})
    parameters = {row["name"]: row["parameters"] for row in runs}
    path = str(seen.folder / "genchi.yaml")
    assert parameters[f"ingest {DAY}"]["config"] == {"app": "Handed down", "path": path}
    assert parameters[f"nightly {DAY}"]["setup"] == "<EvalSetup>"
