"""The evaluation against recorded answers of real models, over HTTP, with and without faults."""

import json
import re
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import date

import pytest

from flows.config import load as configuration
from flows.lake.lake import Lake, from_rows
from flows.llm.client import LiteLLMClient
from tests.conftest import SHARED
from tests.evaluating import evaluate_night

SERVER, ANSWERS = SHARED / "tools" / "replay_server.py", SHARED / "data" / "llmdrift" / "happy_numbers.parquet"
DAY, RUN = date(2026, 5, 4), "nightly-2026-05-04"

pytestmark = pytest.mark.skipif(
    not (SERVER.exists() and ANSWERS.exists()), reason="the recorded answers lie beside the repository, in ../shared"
)


@contextmanager
def replay(*options, port=0):
    command = [sys.executable, str(SERVER), "--answers", str(ANSWERS), "--port", str(port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def workspace(folder, url, examples, repeats=1):
    import pyarrow.parquet as pq

    recorded = pq.read_table(ANSWERS, columns=["model", "id", "query", "ref_answer"]).to_pylist()
    requests = [row for row in recorded if row["model"].endswith("gpt-4-0314")][:examples]
    (folder / "h.jsonl").write_text("{}")
    (folder / "c.yaml").write_text("- {name: correct, kind: exact, extract: 'boxed\\{([^}]*)\\}'}")
    (folder / "genchi.yaml").write_text(
        f"app: a\nlake: lake\nroutes:\n  count: {{holdout: h.jsonl, criteria: c.yaml, repeats: {repeats}}}\n"
        f"models:\n  pinned: {{model: openai/gpt-4-0314, api_base: '{url}'}}\n"
        f"  candidates:\n    - {{model: openai/gpt-4-0613, api_base: '{url}'}}\n  canary: {{prompts: 0}}\n"
    )
    config = configuration.load_config(folder / "genchi.yaml")
    rows = [
        {
            "set": "holdout",
            "route": "count",
            "example_id": row["id"],
            "version": "v",
            "messages_json": json.dumps([{"role": "user", "content": row["query"]}]),
            "input_text": row["query"],
            "expected_json": json.dumps(row["ref_answer"]),
        }
        for row in requests
    ]
    Lake(config.lake).write("examples", DAY, from_rows(rows, "examples"))
    return config


def overall(config, table):
    return [row for row in Lake(config.lake).read(table, DAY, RUN).to_pylist() if row["slice"] == "*"]


def recorded_rate(model, examples):
    import pyarrow.parquet as pq

    rows = [row for row in pq.read_table(ANSWERS).to_pylist() if row["model"].endswith(model)][:examples]
    boxes = [[re.search(r"boxed\{[^}]*\}", row[column] or "") for column in ("ref_answer", "answer")] for row in rows]
    return sum(bool(got) and got[0].lower() == wanted[0].lower() for wanted, got in boxes) / examples


def test_the_recorded_models_get_their_recorded_rates_over_http(tmp_path):
    with replay() as url:
        config = workspace(tmp_path, url, 60)
        result = evaluate_night(config, DAY, RUN)
    assert (result.generation.asked, result.failed) == (120, 0)
    old, new = (recorded_rate(model, 60) for model in ("gpt-4-0314", "gpt-4-0613"))
    assert [row["pass_rate"] for row in overall(config, "estimates")] == pytest.approx([old, new])
    (found,) = overall(config, "comparisons")
    assert found["delta"] == pytest.approx(new - old)
    assert found["ci_low"] < found["delta"] < found["ci_high"] < 0
    assert found["q_value"] < 0.001


def test_with_faults_every_question_ends_up_scored_or_counted_unscored(tmp_path):
    with replay("--fault", "429:0.3", "--fault", "500:0.2", "--garble-rate", "0.05") as url:
        config = workspace(tmp_path, url, 20, repeats=2)
        result = evaluate_night(config, DAY, RUN, lambda model: LiteLLMClient(model, first_pause_s=0.01))
    completions = Lake(config.lake).read("completions", DAY, RUN).to_pylist()
    assert len(completions) == 80
    assert sum(row["status"] == "ok" for row in completions) >= 70
    assert result.unscored == result.failed == sum(row["status"] != "ok" for row in completions)
    answered = Counter(row["model"] for row in completions if row["status"] == "ok")
    for row in overall(config, "estimates"):
        assert row["n_unscored"] + answered[row["model"]] == 40


@pytest.mark.long  # for three seconds, and not half a minute as in a night, is a provider that is down tried
def test_a_server_that_stops_in_the_middle_leaves_answers_unscored_until_it_is_back(tmp_path):
    class Stopping(LiteLLMClient):
        """Stops the server at the thirtieth question."""

        asked = 0

        async def ask(self, messages, params):
            Stopping.asked += 1
            if Stopping.asked == 30:
                first.close()
            return await super().ask(messages, params)

    def ask(client):
        return evaluate_night(config, DAY, RUN, lambda model: client(model, first_pause_s=0.01, patience_s=3.0))

    with ExitStack() as first:
        url = first.enter_context(replay())
        config = workspace(tmp_path, url, 30, repeats=2)
        result = ask(Stopping)
    assert 0 < result.failed < 120
    assert result.unscored == result.failed
    with replay(port=url.split(":")[-1].split("/")[0]):
        again = ask(LiteLLMClient)
    assert (again.generation.asked, again.failed) == (result.failed, 0)
    old, new = (recorded_rate(model, 30) for model in ("gpt-4-0314", "gpt-4-0613"))
    assert [row["pass_rate"] for row in overall(config, "estimates")] == pytest.approx([old, new])


def test_a_server_that_comes_back_while_questions_wait_changes_no_figure(tmp_path):
    class Waiting(LiteLLMClient):
        """Stops the server at the thirtieth question, with others in flight, and starts it again."""

        asked = 0

        async def ask(self, messages, params):
            Waiting.asked += 1
            if Waiting.asked == 30:
                first.close()
                second.enter_context(replay(port=url.split(":")[-1].split("/")[0]))
            return await super().ask(messages, params)

    with ExitStack() as first, ExitStack() as second:
        url = first.enter_context(replay())
        config = workspace(tmp_path, url, 30, repeats=2)
        result = evaluate_night(config, DAY, RUN, lambda model: Waiting(model, first_pause_s=0.05))
    assert (result.generation.asked, result.failed) == (120, 0)
    old, new = (recorded_rate(model, 30) for model in ("gpt-4-0314", "gpt-4-0613"))
    assert [row["pass_rate"] for row in overall(config, "estimates")] == pytest.approx([old, new])
