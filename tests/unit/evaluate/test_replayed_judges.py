"""Recorded verdicts of real judges on LLMBar's Natural items, replayed over HTTP and counted by genchi."""

import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from flows.config import load as configuration
from flows.evaluate.criteria import judge_prompt
from flows.lake.lake import Lake, from_rows
from flows.llm.client import LiteLLMClient
from tests.evaluating import evaluate_night, score_night

DAY, RUN = date(2023, 10, 11), "nightly-2023-10-11"
QUESTION = "Which of the two answers follows the instruction better?"


@contextmanager
def replay(shared, answers, *options):
    command = [sys.executable, str(shared / "tools" / "replay_server.py"), "--answers", str(answers), "--port", "0"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def read(shared, name):
    import pyarrow.parquet as pq

    return pq.read_table(shared / "data" / "llmbar" / f"{name}.parquet").to_pylist()


def conversation(item):
    # The number keeps apart two items that might have the same instruction.
    return [{"role": "user", "content": f"{item['input']}\n[{item['item']}]"}]


def recorded(item, first, second, winner):
    """The row that the replay server gives to genchi's question about two answers; `winner` is 1, 2 or None."""
    messages = judge_prompt.messages_for(
        "pairwise", QUESTION, conversation(item), [item[f"output_{first}"], item[f"output_{second}"]]
    )
    word = {first: "first", second: "second"}.get(winner)
    said = json.dumps({"reason": "as recorded", "verdict": word}) if word else "Neither can be told."
    return {"model": "judge", "query": messages[-1]["content"], "answer": said}


def workspace(folder, shared, judge):
    """The answers to replay, and the routes' holdout; output 1 is the pinned model's, output 2 the candidate's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    items = read(shared, "items")
    mine = [row for row in read(shared, "judgements") if (row["judge"], row["protocol"]) == (judge, "Vanilla")]
    given = {row["item"]: row for row in mine}
    answers = []
    for item in items:
        query = conversation(item)[0]["content"]
        answers += [{"model": f"model-{n}", "query": query, "answer": item[f"output_{n}"]} for n in "12"]
        answers.append(recorded(item, "1", "2", given[item["item"]]["winner_original_order"]))
        answers.append(recorded(item, "2", "1", given[item["item"]]["winner_swapped_order"]))
    pq.write_table(pa.Table.from_pylist(answers), folder / "answers.parquet")
    rows = [
        {
            "set": "holdout",
            "route": "follow",
            "example_id": str(item["item"]),
            "version": "v",
            "messages_json": json.dumps(conversation(item)),
            "input_text": item["input"],
            "expected_json": json.dumps(item["gold"]),
        }
        for item in items
    ]
    return {str(item["item"]): item["gold"] for item in items}, rows, folder / "answers.parquet"


def configured(folder, url, rows):
    (folder / "h.jsonl").write_text("{}")
    (folder / "c.yaml").write_text(f"- {{name: better, kind: judge, mode: pairwise, question: '{QUESTION}'}}")
    at = f"api_base: '{url}'"
    (folder / "genchi.yaml").write_text(
        "app: a\nlake: lake\nroutes:\n  follow: {holdout: h.jsonl, criteria: c.yaml}\n"
        f"models:\n  pinned: {{model: openai/model-1, {at}}}\n  candidates:\n    - {{model: openai/model-2, {at}}}\n"
        f"  judge: {{model: openai/judge, {at}, params: {{temperature: 0}}}}\n"
    )
    config = configuration.load_config(folder / "genchi.yaml")
    Lake(config.lake).write("examples", DAY, from_rows(rows, "examples"))
    return config


def figures(config, gold):
    """The share of right verdicts and of those that a swap does not change, by genchi's scores; and how many it has."""
    scores = Lake(config.lake).read("scores", DAY, RUN).to_pylist()
    found = {row["example_id"]: row["score"] for row in scores if row["model"] == "openai/model-2"}
    scored = {key: score for key, score in found.items() if score is not None}
    right = sum(score if gold[key] == "2" else 1 - score for key, score in scored.items()) / len(scored)
    return right, sum(score != 0.5 for score in scored.values()) / len(scored), len(scored)


@pytest.mark.parametrize(
    ("judge", "right", "stable"),
    [
        ("GPT-4", 0.955, 0.950),  # as published
        pytest.param("Falcon", 0.740, 0.520, marks=pytest.mark.long),
    ],
)
def test_a_recorded_judge_is_as_right_and_as_stable_as_it_was(tmp_path, shared, judge, right, stable):
    gold, rows, answers = workspace(tmp_path, shared, judge)
    with replay(shared, answers) as url:
        config = configured(tmp_path, url, rows)
        result = evaluate_night(config, DAY, RUN)
    assert (result.generation.asked, result.judging.asked, result.failed) == (200, 200, 0)
    assert figures(config, gold) == (pytest.approx(right), pytest.approx(stable), 100)
    score_night(config, DAY, RUN)  # the server is gone: nothing is asked
    assert figures(config, gold) == (pytest.approx(right), pytest.approx(stable), 100)


def test_what_a_judge_did_not_decide_is_unscored_and_counted(tmp_path, shared):
    gold, rows, answers = workspace(tmp_path, shared, "PaLM2")
    with replay(shared, answers) as url:
        config = configured(tmp_path, url, rows)
        result = evaluate_night(config, DAY, RUN)
    assert figures(config, gold)[2] == 98
    assert result.unscored == 2
    assert result.judging.without_verdict >= 2


def test_two_nights_of_a_recorded_judge_ask_the_second_time_only_what_it_did_not_decide(tmp_path, shared):
    _, rows, answers = workspace(tmp_path, shared, "PaLM2")
    with replay(shared, answers) as url:
        config = configured(tmp_path, url, rows)
        first = evaluate_night(config, DAY, RUN)
        lake, tomorrow = config.open_lake(), DAY + timedelta(days=1)
        lake.write("examples", tomorrow, lake.read("examples", DAY))
        second = evaluate_night(config, tomorrow, f"nightly-{tomorrow}")
    undecided = first.judging.without_verdict
    assert undecided >= 2
    assert (second.judging.asked, second.judging.reused) == (undecided, 200 - undecided)
    assert (second.judging.without_verdict, second.unscored) == (undecided, first.unscored)


@pytest.mark.long
def test_faults_of_the_judges_provider_change_no_figure(tmp_path, shared):
    gold, rows, answers = workspace(tmp_path, shared, "GPT-4")
    with replay(shared, answers, "--fault", "429:0.3", "--fault", "500:0.2", "--garble-rate", "0.05") as url:
        config = configured(tmp_path, url, rows)
        for _ in range(4):  # what failed for good is asked again at the next run
            result = evaluate_night(config, DAY, RUN, lambda model: LiteLLMClient(model, first_pause_s=0.01))
    assert result.unscored == 0
    assert figures(config, gold) == (pytest.approx(0.955), pytest.approx(0.950), 100)
