"""The texts cannot rot: what README and CONTRIBUTING name is there, and their examples are valid."""

import re
from pathlib import Path

import pytest
import yaml

from flows.cli import main
from flows.config import load
from flows.evaluate.criteria import criteria_file

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "dbt_project" / "README.md"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_into_the_checkout_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_is_named_exists(path: Path) -> None:
    named = re.findall(
        r"`((?:flows|dbt_project|expectations|tests|seeds|macros|models)/[\w./-]*)`", path.read_text(encoding="utf-8")
    )
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "dbt_project" / name).exists(), name


def test_every_verb_in_the_readme_is_one() -> None:
    used = {verb for block in blocks("sh") for verb in re.findall(r"^genchi (\w+)", block, re.M)}
    assert used
    for verb in used:
        with pytest.raises(SystemExit) as stopped:
            main([verb, "--help"])
        assert stopped.value.code == 0


def test_every_target_that_is_named_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for path in TEXTS:
        assert set(re.findall(r"`make ([\w-]+)", path.read_text(encoding="utf-8"))) <= targets


def test_the_readmes_configuration_and_criteria_are_valid(tmp_path: Path) -> None:
    for name in ("datasets/dev.jsonl", "holdouts/triage.jsonl", "schemas/triage.json", "criteria/triage.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "my_checks.py").write_text("def polite(example, answer):\n    return True\n", encoding="utf-8")
    apart = ("# criteria", "# in an object store", "# more sources", "# models, prompts")
    parts = [block for block in blocks("yaml") if not block.startswith(apart)]
    (tmp_path / "genchi.yaml").write_text("".join(parts), encoding="utf-8")
    keys = {"OPENAI_API_KEY": "k", "SLACK_WEBHOOK_URL": "https://example.org", "USER_KEY_SECRET": "k" * 16}
    settings = load.load_config(tmp_path / "genchi.yaml", keys)
    assert len(settings.all_models()) == 2
    assert len(settings.alerts) == 2
    (stored,) = [block for block in blocks("yaml") if block.startswith("# in an object store")]
    (tmp_path / "stored.yaml").write_text("app: my-app\n" + stored, encoding="utf-8")
    assert load.load_config(tmp_path / "stored.yaml", {"S3_KEY": "k", "S3_SECRET": "s"}).storage.secret == "s"
    (listed,) = [block for block in blocks("yaml") if block.startswith("# criteria/")]
    (tmp_path / "criteria" / "triage.yaml").write_text(listed, encoding="utf-8")
    loaded = criteria_file.load_criteria(
        tmp_path / "criteria" / "triage.yaml", tmp_path, tmp_path / "schemas" / "triage.json"
    )
    assert [criterion.name for criterion in loaded] == [entry["name"] for entry in yaml.safe_load(listed)]


@pytest.mark.parametrize("title", ["# in an object store", "# more sources"])
def test_the_readmes_other_places_of_logs_are_valid(tmp_path: Path, title: str) -> None:
    (block,) = [block for block in blocks("yaml") if block.startswith(title)]
    head = "app: a\n" if "\nlake:" in block else "app: a\nlake: lake\n"
    (tmp_path / "genchi.yaml").write_text(head + block, encoding="utf-8")
    keys = {"DATABASE_URL": "postgresql://reader@127.0.0.1/litellm", "S3_KEY": "k", "S3_SECRET": "s"}
    assert load.load_config(tmp_path / "genchi.yaml", keys).sources


def test_the_readmes_models_and_judges_are_valid(tmp_path: Path) -> None:
    for name in ("h.jsonl", "dev.jsonl"):
        (tmp_path / name).write_text('{"example_id": "1", "input": "q", "expected": "a"}\n', encoding="utf-8")
    (tmp_path / "prompts" / "triage").mkdir(parents=True)
    for version in ("v1", "v2"):
        (tmp_path / "prompts" / "triage" / f"{version}.md").write_text("Answer {{input}}.", encoding="utf-8")
    models, judged = (
        next(block for block in blocks("yaml") if block.startswith(title))
        for title in ("# models, prompts", "# criteria that a judge")
    )
    (tmp_path / "c.yaml").write_text(judged, encoding="utf-8")
    rest = "app: a\nlake: lake\ndev_set: dev.jsonl\nroutes: {triage: {holdout: h.jsonl, criteria: c.yaml}}\n"
    (tmp_path / "genchi.yaml").write_text(rest + models, encoding="utf-8")
    settings = load.load_config(tmp_path / "genchi.yaml")
    names = [model.name for model in settings.all_models()]
    assert names[0] == "openai/gpt-4-0314"
    assert "openai/gpt-4-0613 @ v2" in names
    loaded = criteria_file.load_criteria(tmp_path / "c.yaml", tmp_path, judge=settings.judge)
    assert [criterion.is_pairwise for criterion in loaded] == [False, True]
