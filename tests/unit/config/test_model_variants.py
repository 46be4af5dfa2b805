"""A model with several prompts or numbers of examples is as many entrants, each by a name of its own."""

from pathlib import Path

import pytest

from flows.config.load import Config, load_config
from flows.errors import ConfigError

HEAD = "app: a\nlake: lake\ndev_set: dev.jsonl\nroutes:\n  triage: {holdout: h.jsonl, criteria: c.yaml}\n"


def load(folder: Path, models: str, head: str = HEAD) -> Config:
    for name in ("dev.jsonl", "h.jsonl", "c.yaml"):
        (folder / name).touch()
    (folder / "genchi.yaml").write_text(f"{head}models: {models}\n", encoding="utf-8")
    return load_config(folder / "genchi.yaml", {})


def test_the_matrix_of_prompts_and_models_is_spelt_out_with_the_pinned_model_first(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        "{pinned: {model: openai/old, prompts: [v2]}, candidates: [{model: openai/new, prompts: [as-is, v1, v2]},"
        " {model: openai/small, few_shot: 3}, {model: openai/tiny, prompts: [v2], few_shot: [0, 5], params: {n: 1}}]}",
    )
    assert [model.name for model in settings.all_models()] == [
        *("openai/old", "openai/old @ v2", "openai/new", "openai/new @ v1", "openai/new @ v2"),
        *("openai/small few-shot 3", "openai/tiny @ v2", "openai/tiny @ v2 few-shot 5"),
    ]
    assert [model.arm for model in settings.all_models()] == ["pinned", *["candidate"] * 7]
    last = settings.all_models()[-1]
    assert (last.model, last.base, last.prompt_version, last.shots) == ("openai/tiny", "openai/tiny", "v2", 5)
    assert last.params == {"n": 1}


def test_a_candidate_takes_part_on_the_routes_it_names(tmp_path: Path) -> None:
    settings = load(tmp_path, "{pinned: {model: old}, candidates: [{model: new, routes: [triage]}, {model: newer}]}")
    assert [model.name for model in settings.models_on("triage")] == ["old", "new", "newer"]
    assert [model.name for model in settings.models_on("chat")] == ["old", "newer"]


@pytest.mark.parametrize(
    ("models", "complaint"),
    [
        ("{pinned: {model: a}, candidates: [{model: b, name: a}]}", "duplicate name 'a'"),
        ("{pinned: {model: a, prompts: [v1, v1]}}", "duplicate name 'a @ v1'"),
        ("{pinned: {model: a, routes: [triage]}}", "models: a: `routes` is for candidates"),
        ("{pinned: {model: baseline/tfidf}}", "`baseline/...` is for candidates"),
        ("{pinned: {model: a}, candidates: [{model: b, routes: [triag]}]}", "no route 'triag'; did you mean `triage`?"),
        ("{pinned: {model: a, prompts: [../v1]}}", "`models.pinned.prompts.0`: string should match pattern"),
        ("{pinned: {model: a, few_shot: 51}}", "`models.pinned.few_shot.0`: input should be less than or equal to 50"),
    ],
)
def test_what_is_wrong_with_an_entrant_is_said_in_one_line(tmp_path: Path, models: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, models)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_examples_to_show_need_a_dev_set(tmp_path: Path) -> None:
    head = HEAD.replace("dev_set: dev.jsonl\n", "")
    with pytest.raises(ConfigError, match="`few_shot` takes its examples from the `dev_set`, which is not set; set it"):
        load(tmp_path, "{pinned: {model: a}, candidates: [{model: b, few_shot: 2}]}", head)
