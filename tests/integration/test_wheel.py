"""The wheel alone, in an environment with nothing of the checkout: it brings all that a night needs.

It is built of the files that the Dockerfile copies, so that this holds for the image too.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.image_files import ROOT, copied, tracked
from tests.reading import GOLDEN

pytestmark = pytest.mark.long
UV = [str(Path(sys.executable).with_name("uv")), "--offline", "--no-cache", "--quiet"]


def shown(*command: object, cwd: Path, **environment: str) -> str:
    """What a command prints, of an environment with nothing else in it."""
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), f"{command}: {done.stdout}{done.stderr}"  # 1: so few calls cannot be compared
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, beside the libraries of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    for file in (file for name in copied() for file in tracked(name)):
        (folder / "src" / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / "src" / file)
    build = [*UV, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder]
    shown(*build, folder / "src", cwd=folder)
    shutil.rmtree(folder / "src")
    home = folder / "environment"
    shown(sys.executable, "-m", "venv", "--without-pip", home, cwd=folder)
    (packages,) = home.glob("lib/python*/site-packages")
    # A path alone: the .pth of the checkout in there is not read.
    (packages / "libraries.pth").write_text(next(name for name in sys.path if name.endswith("site-packages")))
    (wheel,) = folder.glob("genchi-*.whl")
    install = [*UV, "pip", "install", "--no-deps", "--compile-bytecode", "--python", home / "bin" / "python"]
    shown(*install, wheel, cwd=folder)
    return home


def files_of(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*") if not path.is_symlink()}


def test_a_newcomer_reaches_a_page_by_the_wheel_alone_and_nothing_is_written_into_it(
    installed: Path, tmp_path: Path
) -> None:
    for path in installed.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)  # root may write nonetheless: what was written is seen below
    before = files_of(installed)
    (tmp_path / "logs").mkdir()
    (tmp_path / "home").mkdir()
    for day in ("2026-03-01", "2026-03-02"):
        shutil.copy(GOLDEN / "litellm_shapes" / "input.jsonl", tmp_path / "logs" / f"gateway-{day}.jsonl")
    settings = {"HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    genchi = installed / "bin" / "genchi"
    place = "from flows import project; print(project.DBT_PROJECT, project.LOCK)"
    assert str(ROOT) not in shown(installed / "bin" / "python", "-c", place, cwd=tmp_path, **settings)
    shown(genchi, "init", "logs", cwd=tmp_path, **settings)
    assert "libraries as locked" in shown(genchi, "doctor", "--day", "2026-03-02", cwd=tmp_path, **settings)
    shown(genchi, "nightly", "--day", "2026-03-02", cwd=tmp_path, **settings)
    assert (tmp_path / "reports" / "2026-03-02" / "index.html").is_file()
    assert (tmp_path / "lake" / "_dbt" / "target").is_dir()
    assert shown(genchi, "dbt", "show", "-s", "fct_usage_daily", cwd=tmp_path, **settings)
    assert files_of(installed) == before
