"""Many kills at random moments, and a disk that refuses: nothing is half-written, and the next run mends all."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Begun:
    """A workspace in which everything before a job was done, and what one undisturbed run of the job makes of it."""

    start: Path
    undisturbed: str
    seconds: float


class Prepared:
    """A workspace, and copies of it before each job. They are run at one place, because their files know it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.new, self.place = folder / "new" / "w", folder / "w"
        self._begun: dict[tuple[str, bool], Begun] = {}
        server.done("workspace", self.new)

    def before(self, job: str, *, has_warehouse: bool) -> Begun:
        """Made once for each job; with what earlier jobs built or, as on a new machine, without it."""
        key = job, has_warehouse and "transform" in KILLS[job][1]
        if key not in self._begun:
            self._begun[key] = self._begin(*key)
        return self._begun[key]

    def again(self, start: Path) -> Path:
        """A copy at the one place."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(start, self.place)
        return self.place

    def _begin(self, job: str, has_warehouse: bool) -> Begun:
        self.again(self.new)
        for earlier in KILLS[job][1]:
            self.server.done(earlier, self.place)
        if not has_warehouse:
            (self.place / "lake" / "warehouse.duckdb").unlink(missing_ok=True)  # what dbt has parsed stays
        start = self.folder / f"before-{job}-{has_warehouse}"
        shutil.copytree(self.place, start)
        tries = 1 if job == "transform" else 2
        seconds = min(self.server.done(job, self.again(start))["seconds"] for _ in range(tries))
        return Begun(start, self.server.state(self.place), seconds)


@pytest.fixture(scope="module")
def prepared(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return Prepared(server, tmp_path_factory.mktemp("prepared"))


@pytest.mark.parametrize("job", KILLS)
def test_a_run_that_is_killed_at_any_moment_is_mended_by_the_next(server: Server, prepared: Prepared, job: str) -> None:
    kills, before = KILLS[job][0], prepared.before(job, has_warehouse=False)
    rng, killed = random.Random(13), 0
    for _ in range(3 * kills):
        if killed == kills:
            break
        folder = prepared.again(before.start)
        killed += server.run(job, folder, kill_s=rng.uniform(0, before.seconds))["killed"]
        server.state(folder)  # everything that is there can be read
        server.done(job, folder)
        assert server.state(folder) == before.undisturbed
        assert not [*folder.glob("lake/_runs/*"), *folder.glob("lake/_staging/*")]
    assert killed == kills


@pytest.mark.parametrize(("job", "fault"), FAULTS, ids=lambda one: one if isinstance(one, str) else json.dumps(one))
def test_a_disk_that_refuses_leaves_nothing_half_and_the_error_names_what(
    server: Server, prepared: Prepared, job: str, fault: dict[str, Any]
) -> None:
    before = prepared.before(job, has_warehouse=True)
    folder = prepared.again(before.start)
    failed = server.run(job, folder, fault=fault)
    assert failed["error"], "the fault did not come"
    assert str(folder) in failed["error"], failed["error"]
    assert "\n" not in failed["error"]
    server.state(folder)  # everything that is there can be read
    server.done(job, folder)
    assert server.state(folder) == before.undisturbed


def test_a_disk_that_is_full_leaves_nothing_half(server: Server, prepared: Prepared, tmp_path: Path) -> None:
    """A real one: a file system in memory that is too small for what is to be written."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        folder = place / "w"
        shutil.copytree(prepared.new, folder)
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
