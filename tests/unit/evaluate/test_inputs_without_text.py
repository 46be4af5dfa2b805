"""Images, sounds and files are inputs: frozen, asked, hashed and scored as texts are."""

import json
from datetime import date

import pytest

from flows.config import load as configuration
from flows.evaluate.examples import Example
from flows.evaluate.setup.prompts import Prompt
from flows.ingest import example_sets
from flows.lake.lake import Lake
from tests.evaluating import evaluate_night
from tests.unit.evaluate.test_judging import Says

DAY = date(2026, 5, 4)


def image(number):
    return {"type": "image_url", "image_url": {"url": f"https://a.example/{number}.png"}}


@pytest.fixture
def config(tmp_path):
    rows = [{"example_id": str(n), "messages": [{"role": "user", "content": [image(n)]}]} for n in range(3)]
    rows[2]["messages"][0]["content"].insert(0, {"type": "text", "text": "What is this?"})
    (tmp_path / "h.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "c.yaml").write_text("- {name: short, kind: length, max_chars: 9}")
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nroutes:\n  r: {holdout: h.jsonl, criteria: c.yaml}\n"
        "models:\n  pinned: {model: openai/old}\n  candidates:\n    - {model: openai/new}\n"
    )
    return configuration.load_config(tmp_path / "genchi.yaml")


def test_an_image_alone_is_asked_hashed_and_scored(config):
    example_sets.freeze(config, DAY)
    clients = {"openai/old": Says(lambda _: "a cat"), "openai/new": Says(lambda _: "a very long dog")}
    evaluate_night(config, DAY, f"nightly-{DAY}", lambda model: clients[model.name])
    frozen = {row["example_id"]: row["input_text"] for row in Lake(config.lake).read("examples", DAY).to_pylist()}
    assert frozen == {"0": "", "1": "", "2": "What is this?"}
    asked = [messages[0]["content"][-1] for messages, _ in clients["openai/old"].asked]
    assert asked == [image(0), image(1), image(2)]
    answers = Lake(config.lake).read("completions", DAY).to_pylist()
    assert len({row["request_hash"] for row in answers}) == 6
    scores = Lake(config.lake).read("scores", DAY).to_pylist()
    assert {(row["model"], row["passed"]) for row in scores} == {("openai/old", True), ("openai/new", False)}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([image(1)], [{"type": "text", "text": "Describe: "}, image(1)]),
        ([{"type": "text", "text": "this"}, image(1)], [{"type": "text", "text": "Describe: this"}, image(1)]),
        ("this", "Describe: this"),
    ],
)
def test_a_prompt_keeps_the_images_of_the_input(tmp_path, content, expected):
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    example = Example("1", "v", ({"role": "user", "content": content},), row={"input": text})
    prompt = Prompt(tmp_path / "p.yaml", ({"role": "user", "content": "Describe: {{input}}"},), "v")
    assert prompt.question(example) == [{"role": "user", "content": expected}]
