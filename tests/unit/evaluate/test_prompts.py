"""A model's own prompt: a file of the workspace, a version for a route, or a list of messages."""

import json
from pathlib import Path

import pytest

from flows.config.model_variants import ModelVariant
from flows.errors import ConfigError
from flows.evaluate.examples.frozen_holdout import Example
from flows.evaluate.setup import prompts
from flows.evaluate.setup.variants import Variant

EXAMPLE = Example(
    "e1",
    "v",
    ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi, {{language}}?"}),
    tags={"language": "de"},
    row={"example_id": "e1", "input": "Hi, {{language}}?"},
)


def write(folder: Path, name: str, text: str) -> None:
    place = folder / "prompts" / "triage" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def messages(folder: Path, version: str = "v2") -> list[dict[str, str]]:
    entrant = ModelVariant(model="m", base="m", prompt_version=version)
    return Variant(entrant, prompts.load(entrant, folder, "triage")).messages_for(EXAMPLE)


def test_a_markdown_file_is_the_system_message(tmp_path: Path) -> None:
    write(tmp_path, "v2.md", "Answer in {{ language }}.")
    assert messages(tmp_path) == [{"role": "system", "content": "Answer in de."}, EXAMPLE.messages[1]]


@pytest.mark.parametrize("name", ["v2.yaml", "v2.json"])
def test_a_list_of_messages_that_asks_for_the_input_is_all_that_is_sent(tmp_path: Path, name: str) -> None:
    listed = [
        {"role": "developer", "content": "Answer in {{language}}."},
        {"role": "user", "content": "Text: {{input}}"},
        {"role": "assistant", "content": "{"},
    ]
    write(tmp_path, name, json.dumps(listed))
    assert messages(tmp_path) == [
        {"role": "developer", "content": "Answer in de."},
        {"role": "user", "content": "Text: Hi, {{language}}?"},  # what was filled in is not read again
        {"role": "assistant", "content": "{"},
    ]


def test_a_list_that_does_not_ask_for_the_input_comes_before_what_was_spoken(tmp_path: Path) -> None:
    write(tmp_path, "v2.yaml", "- {role: system, content: Be kind.}")
    assert messages(tmp_path) == [{"role": "system", "content": "Be kind."}, EXAMPLE.messages[1]]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        (
            "v1.md",
            "",
            r"models: m: prompt 'v2': .*prompts/triage/v2\.md, \.yaml or \.json not found; the folder contains v1\.md",
        ),
        ("v2.yaml", "role: system", "expected a list of messages"),
        ("v2.yaml", "- {role: sytem, content: a}", "message 1: `role` must be one of system, .* found 'sytem'"),
        ("v2.yaml", "- {role: user, content: 2026-01-01}", "message 1: `content` must be text"),
        ("v2.yaml", "- {role: user}", "message 1: expected `role` and `content`"),
        ("v2.md", "{{tone}}", r"example 'e1' has no tag or column for \{\{tone\}\}; add it"),
    ],
)
def test_what_is_wrong_with_a_prompt_is_said_in_one_line(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    write(tmp_path, name, text)
    with pytest.raises(ConfigError, match=complaint) as caught:
        messages(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_version_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "v2.md", "a")
    write(tmp_path, "v2.json", "[]")
    with pytest.raises(ConfigError, match=r"is ambiguous: .*v2\.md and v2\.json; keep one"):
        messages(tmp_path)
