"""Many kills at random moments, and a disk that refuses: nothing is half-written, and the next run mends all."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.long
# How many kills of each job, and which jobs run before it.
KILLS = {
    "ingest": (24, []),
    "evaluate": (20, []),
    "transform": (3, ["ingest", "transform"]),
    "publish": (6, ["ingest"]),
}
FAULTS: list[tuple[str, dict[str, Any]]] = [
    *(("ingest", {"kind": "fsync", "errno": "EIO", "after": n}) for n in (0, 2, 5, 9)),
    *(("ingest", {"kind": "rename", "errno": "EACCES", "after": n}) for n in (0, 2, 4)),
    *(("ingest", {"kind": "open", "errno": "EACCES", "after": n}) for n in (0, 1)),
    *(("ingest", {"kind": "size", "bytes": n}) for n in (0, 2_000, 5_000)),
    *(("evaluate", {"kind": "open", "errno": "ENOSPC", "after": n}) for n in (0, 1, 3)),
    *(("evaluate", {"kind": "fsync", "errno": "ENOSPC", "after": n}) for n in (0, 3)),
    *(("evaluate", {"kind": "rename", "errno": "EIO", "after": n}) for n in (0, 2)),
    *(("evaluate", {"kind": "short", "after": n}) for n in (0, 30)),
    ("evaluate", {"kind": "size", "bytes": 6_000}),
    ("transform", {"kind": "size", "bytes": 100_000}),
]


class Server:
    """The process that forks."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.dying"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def run(self, job: str, workspace: Path, **more: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"job": job, "workspace": str(workspace), **more}) + "\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def done(self, job: str, workspace: Path) -> dict[str, Any]:
        result = self.run(job, workspace)
        assert not result["killed"]
        assert result["error"] is None, result["error"]
        return result

    def state(self, workspace: Path) -> str:
        return str(self.done("state", workspace)["state"])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    assert server.process.stdin is not None
    assert server.process.stdout is not None
    server.process.stdin.close()
    server.process.stdout.close()
    server.process.wait(60)


@pytest.fixture(scope="module")
def prepared(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "w"
    server.done("workspace", folder)
    return folder


def moved(prepared: Path, folder: Path) -> Path:
    """A copy at the one path that its files know."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(prepared, folder)
    return folder


@pytest.mark.parametrize("job", KILLS)
def test_a_run_that_is_killed_at_any_moment_is_mended_by_the_next(
    server: Server, prepared: Path, tmp_path: Path, job: str
) -> None:
    kills, before = KILLS[job]
    rng, start, folder = random.Random(13), tmp_path / "start", tmp_path / "w"
    moved(prepared, folder)
    for earlier in before:
        server.done(earlier, folder)
    (folder / "lake" / "warehouse.duckdb").unlink(missing_ok=True)  # what dbt has parsed stays
    shutil.copytree(folder, start)
    seconds = min(server.done(job, moved(start, folder))["seconds"] for _ in range(1 if job == "transform" else 2))
    undisturbed, killed = server.state(folder), 0
    for _ in range(3 * kills):
        if killed == kills:
            break
        moved(start, folder)
        killed += server.run(job, folder, kill_s=rng.uniform(0, seconds))["killed"]
        server.state(folder)  # everything that is there can be read
        server.done(job, folder)
        assert server.state(folder) == undisturbed
        assert not list(folder.glob("lake/_staging/*"))
    assert killed == kills


@pytest.mark.parametrize(("job", "fault"), FAULTS, ids=lambda one: one if isinstance(one, str) else json.dumps(one))
def test_a_disk_that_refuses_leaves_nothing_half_and_the_error_names_what(
    server: Server, prepared: Path, tmp_path: Path, job: str, fault: dict[str, Any]
) -> None:
    start, folder = tmp_path / "start", tmp_path / "w"
    moved(prepared, folder)
    for earlier in KILLS[job][1]:
        server.done(earlier, folder)
    shutil.copytree(folder, start)
    server.done(job, folder)
    undisturbed = server.state(folder)
    moved(start, folder)
    failed = server.run(job, folder, fault=fault)
    assert failed["error"], "the fault did not come"
    assert str(folder) in failed["error"], failed["error"]
    assert "\n" not in failed["error"]
    server.state(folder)  # everything that is there can be read
    server.done(job, folder)
    assert server.state(folder) == undisturbed


def test_a_disk_that_is_full_leaves_nothing_half(server: Server, prepared: Path, tmp_path: Path) -> None:
    """A real one: a file system in memory that is too small for what is to be written."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        folder = place / "w"
        shutil.copytree(prepared, folder)
        free = shutil.disk_usage(place).free
        for left in (0, 8 << 10, 40 << 10):
            (place / "filler").write_bytes(b"x" * max(0, free - left))
            failed = server.run("ingest", folder)
            assert str(folder) in failed["error"], failed["error"]
            assert "No space left on device" in failed["error"]
            server.state(folder)
            (place / "filler").unlink()
        server.done("ingest", folder)
        full = server.state(folder)
        server.done("ingest", folder)
        assert server.state(folder) == full
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_the_table_of_kills_and_faults_has_the_numbers_that_are_tried() -> None:
    page = (ROOT / "flows" / "README.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| (kills of \w+|refused writes) \| (\d+) \|", page, re.M))
    assert table == {
        **{f"kills of {job}": str(kills) for job, (kills, _) in KILLS.items()}, "refused writes": str(len(FAULTS) + 3),
    }  # fmt: skip
    assert sum(kills for kills, _ in KILLS.values()) >= 50
    assert len(FAULTS) >= 20
