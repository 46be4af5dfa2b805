"""The structure's rules: the top level is closed, imports run one way and through faces, and mathematics is pure."""

import ast
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOWS = ROOT / "flows"
TOP_LEVEL = {
    *("flows", "dbt_project", "expectations", "tests", "prefect.yaml", "pyproject.toml", "README.md"),
    *("Makefile", "requirements.lock", "genchi.yaml", "CONTRIBUTING.md", "LICENSE", "Dockerfile", "compose.yaml"),
}
STAGES = {"ingest", "semantics", "transform", "evaluate", "review", "export", "report", "alerts"}
# Who may import whom: a floor knows the floors above it in this list, and itself only where it is one room.
FLOORS = [
    {"outgoing"},
    {"stats", "words", "text_marks", "errors", "project", "retry_policy", "child_processes", "stage_failures"}
    | {"json_lines"},
    {"stopping", "incidents", "functions", "cluster"},
    {"lake", "progress"},
    {"config", "warehouse", "prefect_run"},
    {"night_runs"},
    {"llm", "retention", "acknowledgements", "night", "checks", "source_arrivals"},
    {"marts"},
    STAGES | {"demo"},
    {"catch_up", "telemetry", "backfill_days", "extensions", "erasure"},
    {"backfill_estimate", "backup"},
    {"nightly", "backfill", "review_digest"},
    {"flight_check"},
    {"deployed"},
    {"cli"},
]
# The rooms within a stage, in the order in which they may know each other.
ROOMS = {
    "ingest": ["read", "pull", "find", "redact", "map", "write", "spread", "preview"],
    "evaluate": ["examples", "criteria", "setup", "generate", "score", "production", "anchor", "suggest", "propose"],
    "review": ["labels", "queue", "page"],
}


def tracked_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def python_files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


SOURCES = python_files(FLOWS, ROOT / "expectations", ROOT / "dbt_project")


def modules_imported_by(path: Path) -> set[str]:
    """The modules that a file imports, at its top or late, as far as they are modules of this project."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{a.name}" if is_module(f"{node.module}.{a.name}") else node.module
                      for a in node.names}  # fmt: skip
    return found


def is_module(name: str) -> bool:
    place = ROOT / name.replace(".", "/")
    return place.is_dir() or place.with_suffix(".py").is_file()


def rooms_of(name: str) -> list[str]:
    """The folders that a module of `flows` lies in, outermost first."""
    parts = name.split(".")[1:]
    return parts if (ROOT / name.replace(".", "/")).is_dir() else parts[:-1]


def own_imports() -> list[tuple[Path, list[str], str]]:
    """Every import of a module of `flows`: who imports, the rooms it lies in, and what it imports."""
    return [
        (path, list(path.relative_to(FLOWS).parts[:-1]) if path.is_relative_to(FLOWS) else [], name)
        for path in SOURCES
        for name in modules_imported_by(path)
        if name.startswith("flows.")
    ]


def test_the_top_level_is_closed() -> None:
    top = {name.split("/")[0] for name in tracked_files()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_imports_run_one_way() -> None:
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    for path, rooms, name in own_imports():
        if path.is_relative_to(FLOWS) and path != FLOWS / "__init__.py":
            me, other = rooms[0] if rooms else path.stem, name.split(".")[1]
            assert me == other or floor[other] < floor[me] or {me, other} <= {"nightly", "backfill"}, (
                f"{path.relative_to(ROOT)} must not import {name}"
            )


def test_rooms_within_a_stage_know_each_other_in_one_order() -> None:
    for path, rooms, name in own_imports():
        theirs = rooms_of(name)
        if rooms and theirs[:1] == rooms[:1] and len(rooms) > 1 and rooms[0] in ROOMS:
            order = ROOMS[rooms[0]]
            known = order[: order.index(rooms[1]) + 1]
            assert set(theirs[1:2]) & set(known), f"{path.relative_to(ROOT)} must not import {name}"


def test_a_room_is_entered_through_its_face() -> None:
    """From outside, a room is its `__init__`; of a stage also its `flow`. The modules of `stats` are single methods."""
    for path, rooms, name in own_imports():
        theirs = rooms_of(name)
        shared = next((n for n, (one, other) in enumerate(zip(rooms, theirs, strict=False)) if one != other),
                      min(len(rooms), len(theirs)))  # fmt: skip
        entered = theirs[shared:]
        if entered and entered[0] != "stats":
            face = ["flows", *theirs[: shared + 1]]
            assert name.split(".") in (face, [*face, "flow"]), f"{path.relative_to(ROOT)} must not import {name}"


def test_no_two_modules_have_one_name() -> None:
    names = Counter(path.name for path in SOURCES if path.name not in {"__init__.py", "__main__.py", "flow.py"})
    assert not [name for name, count in names.items() if count > 1]


def test_pure_rooms_do_no_io_and_read_no_clock() -> None:
    for path in python_files(FLOWS / "stats", FLOWS / "incidents"):
        roots = {name.split(".")[0] for name in modules_imported_by(path)}
        if path.is_relative_to(FLOWS / "incidents"):
            roots -= {"pyarrow"}  # its result is a table
        assert not roots & {"prefect", "pandas", "duckdb", "pyarrow", "pathlib", "os", "time", "logging"}, path
        assert not re.search(r"(?<!def )\b(today|now|open)\(", path.read_text(encoding="utf-8")), path


def test_production_code_does_not_know_the_demo() -> None:
    knowing = {path for path, _, name in own_imports() if name.startswith("flows.demo")}
    assert {path.relative_to(FLOWS).parts[0] for path in knowing} == {"demo", "cli"}
    assert {path.name for path in knowing if path.is_relative_to(FLOWS / "cli")} == {"demo_command.py"}


def test_only_a_door_of_a_verb_reads_the_configuration() -> None:
    written = {FLOWS / "config" / "load.py", FLOWS / "evaluate" / "setup" / "eval_setup.py"}
    doors = {
        *(FLOWS / f"{name}.py" for name in ("nightly", "backfill", "flight_check", "review_digest")),
        *(FLOWS / "cli").glob("*.py"),
    }
    reading = {path for path in SOURCES if re.search(r"\b(load_config|load_setup)\(", path.read_text(encoding="utf-8"))}
    assert reading - doors == written


def test_dbt_knows_pure_rooms_only() -> None:
    known = {name for path, _, name in own_imports() if path.is_relative_to(ROOT / "dbt_project" / "models")}
    assert known
    assert all(name.startswith(("flows.stats.", "flows.incidents")) for name in known)


def test_only_flows_artifact_and_blocks_know_prefect_in_a_stage_room() -> None:
    for room in STAGES:
        for path in python_files(FLOWS / room):
            if any(name.split(".")[0] == "prefect" for name in modules_imported_by(path)):
                assert path.name in {"flow.py", "artifact.py", "prefect_blocks.py"}, path


def test_only_transform_writes_the_warehouse() -> None:
    for path in python_files(FLOWS, ROOT / "expectations"):
        if path.is_relative_to(FLOWS / "transform"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"duckdb\.connect\((?!\))(?!.*read_only=True)", text), path


def test_only_one_module_looks_for_the_checkout() -> None:
    looking = [path for path in python_files(FLOWS, ROOT / "expectations") if "parents[" in path.read_text("utf-8")]
    assert looking == [FLOWS / "project.py"]


def test_help_answers_without_the_heavy_libraries() -> None:
    code = (
        "import sys; from flows import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'prefect', 'dbt', 'litellm', 'great_expectations', 'evidently', 'pandas', 'duckdb', 'pyarrow'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'imported for --help: {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def test_the_lock_holds_no_index_address() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "://" in line or "index" in line.split("#")[0]]


@pytest.mark.parametrize("path", python_files(FLOWS, ROOT / "expectations"),
                         ids=lambda path: str(path.relative_to(ROOT)))  # fmt: skip
def test_every_module_says_what_belongs_in_it_and_stays_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), f"{path} has no docstring"
    assert len(source.splitlines()) <= 300, f"{path} has outgrown its name: move the walls"


def test_the_floors_name_every_room() -> None:
    there = [path for path in FLOWS.iterdir() if path.name != "README.md"]
    rooms = {path.stem if path.is_file() else path.name for path in there if not path.name.startswith("__")}
    assert rooms <= set().union(*FLOORS)
    assert not [pair for pair in pairwise(FLOORS) if pair[0] & pair[1]]
