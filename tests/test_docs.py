"""The documentation stays true: what it names exists, its commands parse, its configuration and criteria load."""

import importlib.util
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli import main
from flows.config import Config, load_config
from flows.config.reference import reference
from flows.evaluate.criteria import criteria_file
from flows.evaluate.criteria.definitions import KINDS
from flows.lake import SCHEMAS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "dbt_project/README.md", "tests/bench/README.md")),
    *sorted((ROOT / "flows").rglob("README.md")),
]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
ENVIRONMENT = {
    **dict.fromkeys(("OPENAI_API_KEY", "S3_KEY", "S3_SECRET"), "k"),
    "SLACK_WEBHOOK_URL": "https://example.org",
    "USER_KEY_SECRET": "k" * 16,
    "REVIEW_PASSWORD": "k" * 16,
    "DATABASE_URL": "postgresql://reader@127.0.0.1/litellm",
}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)


def code_in(page: Path) -> list[str]:
    """What stands in backticks in the text of a page."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M))


def examples(title: str) -> list[Any]:
    found = [(page, block) for page in PAGES for block in blocks(page, "yaml") if block.startswith(title)]
    return [pytest.param(block, id=f"{page.relative_to(ROOT)}, {block.splitlines()[0]}") for page, block in found]


@cache
def models_of_dbt() -> set[str]:
    return {path.stem for path in (ROOT / "dbt_project" / "models").rglob("*.*")}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with every file that an example names."""
    for name in ("datasets/dev.jsonl", "holdouts/triage.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"example_id": "1", "input": "q", "expected": "a"}\n', encoding="utf-8")
    (tmp_path / "criteria").mkdir()
    (tmp_path / "criteria" / "triage.yaml").write_text("- {name: valid, kind: json_valid}\n", encoding="utf-8")
    (tmp_path / "schema.json").write_text('{"type": "object"}', encoding="utf-8")
    (tmp_path / "my_checks.py").write_text("def polite(example, answer):\n    return True\n", encoding="utf-8")
    return tmp_path


def loaded(workspace: Path, block: str) -> Config:
    """An example of genchi.yaml, with the keys that it leaves to others."""
    route = {"holdout": "holdouts/triage.jsonl", "criteria": "criteria/triage.yaml"}
    others = {"app": "a", "lake": "lake", "dev_set": "datasets/dev.jsonl", "routes": {"triage": route}}
    whole = {**others, **yaml.safe_load(block)}
    (workspace / "genchi.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    return load_config(workspace / "genchi.yaml", ENVIRONMENT)


@EVERY_PAGE
def test_every_link_into_the_checkout_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@EVERY_PAGE
def test_every_path_that_is_named_exists(page: Path) -> None:
    folders = r"(?:flows|dbt_project|expectations|tests|seeds|macros|models|lint)/[\w./-]*"
    for name in code_in(page):
        if re.fullmatch(folders, name):
            assert (ROOT / name).exists() or (ROOT / "dbt_project" / name).exists(), name


@EVERY_PAGE
def test_every_model_of_dbt_that_is_named_exists(page: Path) -> None:
    named = {name for code in code_in(page) for name in re.findall(r"\b(?:stg|int|fct)_\w+\b(?!\*|_)", code)}
    assert named <= models_of_dbt(), named - models_of_dbt()


@EVERY_PAGE
def test_every_module_that_is_to_be_run_exists(page: Path) -> None:
    for name in re.findall(r"python -m ([\w.]+)", page.read_text(encoding="utf-8")):
        assert importlib.util.find_spec(name), name


@EVERY_PAGE
def test_every_target_that_is_named_is_in_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    called = [*re.findall(r"`make ([^`]+)`", page.read_text(encoding="utf-8")),
              *(line for block in blocks(page, "sh") for line in re.findall(r"^make (.+)$", block, re.M))]  # fmt: skip
    assert {target for call in called for target in call.split() if "=" not in target} <= targets


@EVERY_PAGE
def test_every_command_of_genchi_is_one_with_its_options(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = [
        line for block in blocks(page, "sh") for line in re.findall(r"^(?:\.venv/bin/)?genchi (.+)$", block, re.M)
    ]
    commands += [code.removeprefix("genchi ") for code in code_in(page) if re.match(r"genchi [a-z]", code)]
    for command in commands:
        assert unknown_options(command, capsys) == set(), command


def test_every_command_of_genchi_in_a_message_is_one_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    modules = [path for room in ("flows", "expectations") for path in (ROOT / room).rglob("*.py")]
    commands = {
        command: path for path in modules for command in re.findall(r"`genchi ([a-z][^`\n]*)`", path.read_text("utf-8"))
    }
    assert len(commands) > 20
    for command, path in commands.items():
        assert unknown_options(command, capsys) == set(), f"{path.relative_to(ROOT)}: {command}"


def unknown_options(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The options that a command names and its verb does not have; a verb that is none fails."""
    verb, *options = command.partition("#")[0].split()
    told = help_of(capsys, verb)
    if verb == "dbt":
        return set()  # what follows is dbt's own
    if "ACTION" in told and options and not options[0].startswith("-"):
        told = help_of(capsys, verb, options[0])
    named = set(re.findall(r"(?<![\w-])--[\w-]+", " ".join(options)))
    return named - set(re.findall(r"(?<![\w-])--[\w-]+", told))


def help_of(capsys: pytest.CaptureFixture[str], *verb: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main([*verb, "--help"])
    told = capsys.readouterr()
    assert stopped.value.code == 0, f"genchi {' '.join(verb)}: {told.err}"
    return told.out


def test_the_readme_has_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    verbs = set(re.findall(r"^ {4}([a-z]+)(?: |$)", capsys.readouterr().out, re.M))
    assert len(verbs) >= 9
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `genchi ([a-z]+)", text, re.M)) == verbs


def test_the_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_every_page_can_be_reached_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / target).resolve() for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text)}
    assert set(PAGES) - {ROOT / "README.md"} <= linked


def test_the_page_of_the_configuration_is_the_generated_one() -> None:
    page = ROOT / "flows" / "config" / "README.md"
    assert page.read_text(encoding="utf-8") == reference(), (
        "run python -m flows.config.reference > flows/config/README.md"
    )


def test_every_key_of_the_configuration_has_a_meaning() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    assert [row for row in rows if row.split(" | ")[-1].strip(" |") == ""] == []


def test_every_kind_of_criterion_and_its_keys_are_described() -> None:
    page = (ROOT / "flows" / "evaluate" / "README.md").read_text(encoding="utf-8")
    for kind, definition in KINDS.items():
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", page, re.M)
        keys = {field.alias or key for key, field in definition.model_fields.items()}
        assert keys - {"name", "kind", "severity", "need", "min_pass_rate", "author", "reason"} <= set(
            re.findall(r"`(\w+)`", row)
        ), kind


@pytest.mark.parametrize("block", examples("# genchi.yaml"))
def test_every_example_of_a_configuration_is_valid(workspace: Path, block: str) -> None:
    given, config = yaml.safe_load(block), loaded(workspace, block)
    assert set(given) <= config.model_fields_set


def test_the_readmes_configuration_evaluates_two_models(workspace: Path) -> None:
    (block,) = [block for block in blocks(ROOT / "README.md", "yaml") if block.startswith("# genchi.yaml")]
    config = loaded(workspace, block)
    config.require_evaluation()
    assert len(config.all_models()) == 2


def test_the_variants_have_the_names_that_are_promised(workspace: Path) -> None:
    (block,) = [block for block in blocks(ROOT / "flows" / "evaluate" / "README.md", "yaml") if "models:" in block]
    names = [model.name for model in loaded(workspace, block).all_models()]
    assert names[0] == "openai/gpt-4-0314"
    assert "openai/gpt-4-0613 @ v2" in names


@pytest.mark.parametrize("block", examples("# criteria"))
def test_every_example_of_criteria_is_valid(workspace: Path, block: str) -> None:
    (workspace / "criteria.yaml").write_text(block, encoding="utf-8")
    judge = loaded(workspace, "models: {pinned: {model: openai/a}, judge: {model: openai/b}}").judge
    found = criteria_file.load_criteria(workspace / "criteria.yaml", workspace, workspace / "schema.json", judge)
    assert [criterion.name for criterion in found] == [entry["name"] for entry in yaml.safe_load(block)]


def test_every_example_in_yaml_is_one_of_those() -> None:
    for page in PAGES:
        for block in blocks(page, "yaml"):
            assert block.startswith(("# genchi.yaml", "# criteria")), f"{page}: {block.splitlines()[0]}"


@EVERY_PAGE
def test_every_command_in_python_compiles(page: Path) -> None:
    for block in blocks(page, "sh"):
        for code in re.findall(r'python -c "(.+?)"', block, re.S):
            compile(code, str(page), "exec")


def test_every_table_of_the_lake_has_the_stage_that_writes_it() -> None:
    text = (ROOT / "flows" / "README.md").read_text(encoding="utf-8")
    rows = text.partition("| stage, in the order of a run |")[2].partition("\n\n")[0].splitlines()
    named = {name for row in rows[2:] for name in re.findall(r"[a-z_]+", row.split("|")[-2])}
    assert set(SCHEMAS) <= named
    assert {name for name in named if "_" in name} <= set(SCHEMAS)


def test_every_page_under_version_control_is_looked_at() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    examples = ("tests/golden/", "tests/examples/workspace/prompts/")  # what a user would have, no page of ours
    written = {ROOT / name for name in listed.stdout.split() if not name.startswith(examples)}
    assert written <= set(PAGES)
