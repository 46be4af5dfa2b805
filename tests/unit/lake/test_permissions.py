"""Others cannot read what genchi writes, and what a killed run has left is cleared."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from flows.config import load_config
from flows.lake import from_rows

DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def umask() -> None:
    os.umask(0o022)


def workspace(folder: Path, more: str = "") -> Path:
    (folder / "genchi.yaml").write_text(f"app: a\nlake: lake\n{more}", encoding="utf-8")
    return folder / "genchi.yaml"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("more", "folder", "file"),
    [("", 0o750, 0o640), ("readers: owner\n", 0o700, 0o600), ("readers: everybody\n", 0o755, 0o644)],
)
def test_the_readers_of_the_lake_are_the_configured_ones(tmp_path: Path, more: str, folder: int, file: int) -> None:
    lake = load_config(workspace(tmp_path, more)).open_lake()
    with lake.lock("test"):
        lake.write("manifest", DAY, from_rows([], "manifest"))
        key = lake.user_key_secret()
    assert mode(tmp_path / "lake") == folder
    assert mode(Path(lake.partition("manifest", DAY))) == file
    assert mode(tmp_path / "lake" / "_reference" / "user_key_secret") == 0o600
    assert len(key) == 64


def test_a_lake_that_others_could_read_is_closed(tmp_path: Path) -> None:
    for name in ("lake", "lake/_reference", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    key = tmp_path / "lake" / "_reference" / "user_key_secret"
    key.write_text("k" * 64, encoding="utf-8")
    key.chmod(0o644)
    lake = load_config(workspace(tmp_path)).open_lake()
    assert lake.user_key_secret() == b"k" * 64
    assert (mode(tmp_path / "lake"), mode(tmp_path / "reports"), mode(key)) == (0o750, 0o750, 0o600)


def test_what_a_killed_run_has_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    lake = load_config(workspace(tmp_path)).open_lake()
    folder = tmp_path / "lake" / "manifest" / f"day={DAY}"
    folder.mkdir(parents=True)
    left, running = folder / f".data.parquet.{int(dead.stdout)}.tmp", folder / f".data.parquet.{os.getppid()}.tmp"
    for path in (left, running, folder / "data.parquet"):
        path.write_bytes(b"half")
    with lake.lock("test"):
        assert sorted(path.name for path in folder.iterdir()) == sorted([running.name, "data.parquet"])
