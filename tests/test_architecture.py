"""The house's promises: the top level is closed, imports run one way, and mathematics is pure."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOWS = ROOT / "flows"
ROOMS = {"ingest", "semantics", "transform", "evaluate", "review", "report", "alerts"}
FOUNDATION = {
    *("config", "errors", "lake", "warehouse", "models", "project", "stats", "yamlfile", "files", "privacy"),
    "retention",
    *("sections", "entrants", "pricetable"),
    *("failures", "limits", "batches"),
    *("stores", "objects", "places", "lock", "publication", "schemas"),
    "thresholds",
}
TOP_LEVEL = {
    *("flows", "dbt_project", "expectations", "tests", "prefect.yaml", "pyproject.toml", "README.md"),
    *("Makefile", "requirements.lock", "genchi.yaml", "CONTRIBUTING.md", "LICENSE"),
}


def tracked_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return listed.stdout.splitlines()


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, at its top or late."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms_known_by(path: Path) -> set[str]:
    """The parts of `flows` that a file imports from."""
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("flows.")}


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def test_the_top_level_is_closed() -> None:
    top = {name.split("/")[0] for name in tracked_files()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("path", python_files(FLOWS / "stats"), ids=lambda path: path.name)
def test_stats_knows_nobody_and_does_no_io(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert rooms_known_by(path) <= {"stats"}
    assert not roots & {"prefect", "pandas", "duckdb", "pyarrow", "pathlib", "os", "datetime", "time", "logging"}


@pytest.mark.parametrize("room", sorted(room for room in ROOMS if (FLOWS / room).exists()))
def test_a_stage_room_knows_the_foundation_and_no_other_room(room: str) -> None:
    for path in python_files(FLOWS / room):
        assert rooms_known_by(path) <= FOUNDATION | {room, "progress"}, path


def test_the_foundation_knows_no_room() -> None:
    for name in FOUNDATION - {"stats"}:
        path = FLOWS / f"{name}.py"
        assert not rooms_known_by(path) & ROOMS, path


def test_only_flows_and_the_artifact_know_prefect_in_a_stage_room() -> None:
    for room in ROOMS:
        for path in python_files(FLOWS / room):
            if any(name.split(".")[0] == "prefect" for name in imports_of(path)):
                assert path.name in {"flow.py", "artifact.py"}, path


def test_only_transform_writes_the_warehouse() -> None:
    for path in [*python_files(FLOWS), *python_files(ROOT / "expectations")]:
        if path.is_relative_to(FLOWS / "transform"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"duckdb\.connect\((?!\))(?!.*read_only=True)", text), path


def test_only_one_module_looks_for_the_checkout() -> None:
    looking = [
        path
        for path in [*python_files(FLOWS), *python_files(ROOT / "expectations")]
        if "parents[" in path.read_text(encoding="utf-8")
    ]
    assert looking == [FLOWS / "project.py"]


def test_help_answers_without_the_heavy_libraries() -> None:
    code = (
        "import sys; from flows import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'prefect', 'dbt', 'litellm', 'great_expectations', 'evidently', 'pandas', 'duckdb'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'imported for --help: {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def test_the_lock_holds_no_index_address() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "://" in line or "index" in line.split("#")[0]]


@pytest.mark.parametrize("path", [path for folder in (FLOWS, ROOT / "expectations") for path in python_files(folder)],
                         ids=lambda path: str(path.relative_to(ROOT)))  # fmt: skip
def test_every_module_says_what_belongs_in_it_and_stays_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), f"{path} has no docstring"
    assert len(source.splitlines()) <= 300, f"{path} has outgrown its name: move the walls"
