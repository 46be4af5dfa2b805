"""The container image and its services, as far as they can be checked without an engine.

Its wheel is built and run by tests/integration/test_wheel.py.
"""

import json
import re
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from tests.image_files import ROOT, copied, tracked

BIN = Path(sys.executable).parent


@cache
def services() -> dict[str, Any]:
    """The services of compose.yaml as docker compose reads them, with the variables of `.env` set."""
    given = {"POSTGRES_PASSWORD": "pass0word", "GENCHI_WORKSPACE": "/srv/app", "GENCHI_LOGS": "/var/log/llm"}
    command = [BIN / "docker-compose", "--file", ROOT / "compose.yaml", "config", "--format", "json"]
    done = subprocess.run(command, env=given, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    command = [BIN / "hadolint", "--failure-threshold", "style", ROOT / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_runs_as_a_user_without_rights_and_builds_nothing_in_its_last_stage() -> None:
    last = re.split(r"^FROM .*$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)[-1]
    assert re.search(r"^USER 10001:10001$", last, re.M)
    assert not re.search(r"\b(pip|uv|apt-get|gcc|make)\b", "\n".join(re.findall(r"^RUN (?:.*\\\n)*.*$", last, re.M)))


def test_every_package_of_the_image_is_held_to_the_lock() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    steps = [step for line in re.findall(r"^RUN (.*)$", text, re.M) for step in line.split("&&")]
    installs = [step for step in steps if re.search(r"\b(pip install|uv build)\b", step)]
    assert len(installs) == 4
    assert all(re.search(r"--require-hashes|--constraints requirements.lock|--no-deps dist/", one) for one in installs)


def test_the_engine_is_given_all_that_the_dockerfile_copies_and_nothing_else() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == set(copied())
    kept_out = [rule for rule in rules[1:] if not rule.startswith("!")]
    for name in copied():
        files = tracked(name)
        assert files, name
        assert not [file for file in files for rule in kept_out if fnmatch(file, rule)]


def test_services_are_pinned_confined_and_wait_for_each_other() -> None:
    assert set(services()) == {"database", "server", "worker"}
    for name, service in services().items():
        assert re.search(r":\d+\.\d+", service["image"]), name
        assert service["healthcheck"]["test"][0] == "CMD"
    for name in ("server", "worker"):
        service = services()[name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["user"] == "10001:10001"
        assert {found["condition"] for found in service["depends_on"].values()} == {"service_healthy"}
    assert [port["host_ip"] for port in services()["server"]["ports"]] == ["127.0.0.1"]


def test_the_services_have_one_image_of_this_version() -> None:
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert {services()[name]["image"] for name in ("server", "worker")} == {f"genchi:{version}"}


def test_the_worker_has_the_workspace_and_not_the_databases_password() -> None:
    worker = services()["worker"]
    mounted = {found["target"]: (found["source"], found.get("read_only", False)) for found in worker["volumes"]}
    assert mounted == {"/workspace": ("/srv/app", False), "/logs": ("/var/log/llm", True)}
    assert "pass0word" not in json.dumps(worker)


def test_no_secret_stands_in_a_file_and_each_is_asked_for() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    asked = set(re.findall(r"^([A-Z_]+)=$", text, re.M))
    assert len(asked) == len(re.findall(r"^\w+=", text, re.M)), "a value in .env.example"
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    assert used == asked
    command = [BIN / "docker-compose", "--file", ROOT / "compose.yaml", "config", "--quiet"]
    done = subprocess.run(
        command, env={"GENCHI_WORKSPACE": "/srv"}, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "POSTGRES_PASSWORD" in done.stderr
