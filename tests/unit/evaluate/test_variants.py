"""Worked examples before a question, and a classical baseline, take part like any model."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from flows.config import load as configuration
from flows.config.load import Config
from flows.errors import ConfigError
from flows.evaluate.setup import load_setup
from flows.evaluate.setup.tfidf_classifier import Labelled, TfidfClassifier, text_pipeline
from flows.lake.lake import from_rows
from flows.llm.client import FakeClient
from tests.evaluating import evaluate_night

DAY, RUN = date(2026, 5, 4), "nightly-2026-05-04"
Row = dict[str, Any]


class Silent(FakeClient):
    """Says the same to everything."""

    async def ask(self, messages: Any, params: Any) -> Any:
        self.queue.append("billing")
        return await super().ask(messages, params)


def row(kind: str, number: int, text: str, expected: Any, route: str | None = "intent") -> Row:
    messages = [{"role": "system", "content": "Sort."}, {"role": "user", "content": text}]
    return {
        **{"set": kind, "route": route, "example_id": f"{kind}-{number:05d}", "version": "v", "input_text": text},
        "messages_json": json.dumps(messages),
        "expected_json": None if expected is None else json.dumps(expected),
    }


def workspace(folder: Path, candidates: str, rows: list[Row]) -> Config:
    for name in ("h.jsonl", "dev.jsonl"):
        (folder / name).touch()
    (folder / "c.yaml").write_text("- {name: right, kind: exact, severity: critical}")
    (folder / "genchi.yaml").write_text(
        "app: a\nlake: lake\ndev_set: dev.jsonl\nroutes:\n  intent: {holdout: h.jsonl, criteria: c.yaml}\n"
        f"models:\n  pinned: {{model: openai/old}}\n  candidates: {candidates}\n"
    )
    config = configuration.load_config(folder / "genchi.yaml")
    config.open_lake().write("examples", DAY, from_rows(rows, "examples"))
    return config


def evaluate(config: Config) -> tuple[dict[str, Silent], list[Row]]:
    """The fake clients by name, and the completions."""
    clients: dict[str, Silent] = {}
    evaluate_night(config, DAY, RUN, lambda model: clients.setdefault(model.name, Silent()))
    return clients, config.open_lake().read("completions", DAY, RUN).to_pylist()


TEXTS = ["where is my refund", "refund my last order please", "the app does not start", "app crashes at start"]
DEV = [
    *(row("dev", n, text, "billing" if n < 2 else {"class": "bug"}) for n, text in enumerate(TEXTS)),
    row("dev", 8, "app start app start app start", None),  # without `expected`: never shown
    row("dev", 9, "app start of another route", "x", route="other"),
    row("dev", 10, "does every app start", "bug", route=None),
]


def test_the_nearest_labelled_examples_of_the_dev_set_come_before_the_question(tmp_path: Path) -> None:
    requests = [row("holdout", 1, "does the app start", "bug"), row("holdout", 2, "Where is  my refund", "billing")]
    config = workspace(tmp_path, "[{model: openai/new, few_shot: [0, 2]}]", [*DEV, *requests])
    clients, completions = evaluate(config)
    sent = [messages for messages, _ in clients["openai/new few-shot 2"].asked]
    assert [message["role"] for message in sent[0]] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [message["content"] for message in sent[0][1:]] == [
        *("does every app start", "bug", "the app does not start", '{"class": "bug"}'),
        "does the app start",
    ]
    shown = {message["content"] for message in sent[1][1:-1:2]}
    assert "refund my last order please" in shown
    assert "where is my refund" not in shown  # the question itself, but for case and space
    assert [len(messages) for messages, _ in clients["openai/new"].asked] == [2, 2]
    assert {row["model"] for row in completions} == {"openai/old", "openai/new", "openai/new few-shot 2"}


def test_a_prompts_own_question_is_that_of_the_worked_examples_too(tmp_path: Path) -> None:
    (tmp_path / "prompts" / "intent").mkdir(parents=True)
    (tmp_path / "prompts" / "intent" / "v2.yaml").write_text(
        "- {role: system, content: Classify.}\n- {role: user, content: 'Text: {{input}}'}\n"
    )
    rows = [*DEV, row("holdout", 1, "does the app start", "bug")]
    config = workspace(tmp_path, "[{model: openai/new, prompts: [v2], few_shot: 1}]", rows)
    clients, _ = evaluate(config)
    assert [message["content"] for message in clients["openai/new @ v2 few-shot 1"].asked[0][0]] == [
        *("Classify.", "Text: the app does not start", '{"class": "bug"}', "Text: does the app start")
    ]


def test_a_dev_set_without_enough_labels_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    rows = [DEV[0], DEV[4], row("holdout", 1, "a", "b")]
    config = workspace(tmp_path, "[{model: openai/new, few_shot: 2}]", rows)
    wanted = "openai/new few-shot 2: route intent: `few_shot` needs 2 examples with `expected`, the dev set has 1;"
    with pytest.raises(ConfigError, match=wanted):
        evaluate(config)
    assert not config.open_lake().names("completions", DAY)


def clinc(shared: Path, count: int, intents: int) -> list[tuple[str, str]]:
    """Texts of the first intents by name, drawn at random, each with its intent."""
    rows = pq.read_table(shared / "data" / "clinc150" / "clinc150_full.parquet", columns=["text", "intent"]).to_pylist()
    wanted = sorted({row["intent"] for row in rows if row["intent"] != "oos"})[:intents]
    known = [(row["text"], row["intent"]) for row in rows if row["intent"] in wanted]
    return [known[place] for place in np.random.default_rng(5).choice(len(known), count, replace=False)]


def test_the_baseline_is_as_right_as_scikit_learns_cross_validation(tmp_path: Path, shared: Path) -> None:
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    labelled = clinc(shared, 400, 20)
    texts, labels = map(list, zip(*labelled, strict=True))
    rows = [row("holdout", n, *pair) for n, pair in enumerate(labelled)]
    _, completions = evaluate(workspace(tmp_path, "[{model: baseline/tfidf}]", rows))
    mine = sorted((row for row in completions if row["arm"] == "candidate"), key=lambda row: str(row["example_id"]))
    with threadpool_limits(1):
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        theirs = cross_val_predict(text_pipeline(20), texts, labels, groups=texts, cv=folds)
    assert [row["output_text"] for row in mine] == list(theirs)
    config = configuration.load_config(tmp_path / "genchi.yaml")
    variant = config.open_lake().read("model_variants", DAY, RUN).to_pylist()[1]
    assert variant["pass_rate"] == pytest.approx(np.mean(theirs == np.array(labels)))
    assert variant["pass_rate"] > 0.85
    assert {(row["cost_usd"], row["model_served"], row["status"]) for row in mine} == {(0.0, "baseline/tfidf", "ok")}
    assert all(0 < row["latency_ms"] < 1000 for row in mine)


def test_no_text_is_answered_by_a_model_that_has_seen_it() -> None:
    """Labels are drawn at random, so that only who has seen them can be right more often than by chance."""
    rng = np.random.default_rng(3)
    words = [f"word{number}" for number in range(60)]
    texts, labels = words * 2, [str(label) for label in rng.integers(0, 2, 60)] * 2  # each text twice
    classifier = TfidfClassifier(Labelled(texts, labels), Labelled(texts, labels))  # and in the dev set too
    right = np.mean([classifier.answer(text) == label for text, label in zip(words, labels, strict=False)])
    assert right < 0.75
    seen = text_pipeline(2).fit(texts, labels)
    assert np.mean(seen.predict(words) == np.array(labels[:60])) > 0.8


def test_the_dev_set_teaches_too_and_changed_lessons_are_another_question() -> None:
    few = Labelled(["a b", "c d", "e f", "g h", "i j", "k l"], ["x"] * 5 + ["y"])
    classifier = TfidfClassifier(
        few, Labelled(["zebra crossing"] * 9 + ["zebra"] * 99, ["y"] * 9 + ["no class of the holdout's"] * 99)
    )
    assert classifier.answer("zebra") == "y"
    assert classifier.version != TfidfClassifier(few, Labelled([], [])).version


def test_expected_objects_are_classes_as_json(tmp_path: Path) -> None:
    bug, billing = {"class": "bug"}, {"class": "billing"}
    rows = [row("holdout", n, f"app crashes {n}", bug) for n in range(10)]
    rows += [row("holdout", 10 + n, f"my refund {n}", billing) for n in range(10)]
    _, completions = evaluate(workspace(tmp_path, "[{model: baseline/tfidf}]", rows))
    answers = [row["output_text"] for row in completions if row["arm"] == "candidate"]
    assert answers == ['{"class": "bug"}'] * 10 + ['{"class": "billing"}'] * 10


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (
            [str(n) for n in range(51)],
            "51 different values of `expected`; a baseline supports at most 50 classes; restrict the model",
        ),
        (["a"] * 10, "needs at least 5 examples with `expected`, of two classes"),
        (["a", "b", "a"], "needs at least 5 examples"),
        ([None] * 10, "needs at least 5 examples"),
    ],
)
def test_a_route_that_does_not_classify_is_refused(tmp_path: Path, labels: list[str | None], complaint: str) -> None:
    rows = [row("holdout", n, f"text {n}", label) for n, label in enumerate(labels)]
    with pytest.raises(ConfigError, match="models: baseline/tfidf: route intent: " + complaint):
        evaluate(workspace(tmp_path, "[{model: baseline/tfidf}]", rows))


def test_what_cannot_be_learnt_is_said_before_a_night_begins(tmp_path: Path) -> None:
    config = workspace(tmp_path, "[{model: baseline/tfidf}, {model: openai/new, few_shot: 2}]", [])
    lines = [json.dumps({"example_id": n, "input": f"text {n}", "expected": str(n % 2)}) for n in range(6)]
    lines[0] = lines[0].replace("{", '{"route": "intent", ', 1)
    (tmp_path / "h.jsonl").write_text("\n".join(["no json", *lines]))
    with pytest.raises(
        ConfigError, match=r"openai/new few-shot 2: route intent: `few_shot` needs 2 .*, the dev set has 0;"
    ):
        load_setup(config)
    (tmp_path / "dev.jsonl").write_text("\n".join(lines))
    load_setup(config)
    (tmp_path / "h.jsonl").write_text("\n".join(lines[:3]))
    with pytest.raises(ConfigError, match="baseline/tfidf: route intent: needs at least 5 examples"):
        load_setup(config)
