"""Scores made as tasks, in a cluster of this process: row for row those of one process."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from flows.config import Config, load_config
from flows.evaluate.production import score_days
from flows.evaluate.production.day_checks import ChecksJob, day_checks
from flows.evaluate.score.answer_scoring import RouteScorer
from flows.evaluate.setup import read_setup, read_tasks
from flows.lake import file_pieces, from_rows, parquet_files
from flows.llm.client import FakeClient
from tests.clusters import local_dask
from tests.evaluating import evaluate_night

DAY, RUN = date(2026, 5, 4), "nightly-2026-05-04"
CRITERIA = """
- {name: right, kind: exact}
- {name: polite, kind: judge, question: 'Is it polite?', samples_per_day: 20, severity: info}
- {name: word, kind: regex, pattern: fine}
- {name: own, kind: python, function: 'checks:own'}
- {name: valid, kind: json_schema, schema: s.json}
- {name: fast, kind: latency, max_ms: 100}
"""
FILES = {
    "checks.py": "import os\ndef own(example, answer):\n    return (len(answer) + len(example['input'])) % 2 == 0\n",
    "s.json": '{"type": "object", "required": ["queue"]}',
    "c.yaml": CRITERIA,
    "short.yaml": "- {name: short, kind: length, max_chars: 30}",
    "h.jsonl": "{}",
}
TEXTS = ["fine", '{"queue": 1}', "{}", '```json\n{"queue": 1}\n```', "not so fine", None, '{"queue": "fine"}']


class Says(FakeClient):
    """A model that says something else each time; a judge that says yes."""

    async def ask(self, messages, params):
        is_judge = "DATA-" in str(messages)
        self.queue.append(json.dumps({"reason": "so", "verdict": "yes"}) if is_judge else TEXTS[len(self.asked) % 5])
        return await super().ask(messages, params)


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a scheduler with one worker of two threads."""
    with local_dask(workers=1, threads=2) as found:
        yield found


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Batches so small that a day has many, of which two at a time are a task."""
    monkeypatch.setattr(parquet_files, "ROWS_AT_ONCE", 8)
    monkeypatch.setattr(file_pieces, "ROWS_AT_ONCE", 8)
    monkeypatch.setattr(file_pieces, "_PIECE_GROUPS", 2)


def workspace(folder, name, more=""):
    for file, text in FILES.items():
        (folder / file).write_text(text)
    path = folder / f"{name}.yaml"
    path.write_text(
        f"app: a\nlake: lakes/{name}\nroutes:\n  r: {{holdout: h.jsonl, criteria: c.yaml, output_schema: s.json}}\n"
        "  q: {holdout: h.jsonl, criteria: short.yaml}\n"
        "models:\n  pinned: {model: openai/old}\n  candidates:\n    - {model: openai/new}\n"
        f"  judge: {{model: openai/judge, api_key: hush-hush}}\n{more}"
    )
    config = load_config(path)
    lake = config.open_lake()
    calls = [
        {
            "call_id": str(n), "route": [None, "r", "q"][n % 3], "model_served": "m", "output_text": TEXTS[n % 7],
            "status": "error" if n % 11 == 0 else "success", "is_shadow": n % 13 == 0, "latency_ms": 10.0 * n,
            "messages_json": json.dumps([{"role": "user", "content": f"q{n}"}]), "input_text": f"q{n}",
        }
        for n in range(100)
    ]  # fmt: skip
    for file, some in (("data", calls[:60]), ("data_00001", calls[60:])):
        with lake.writing("interactions", DAY, file) as land:
            land(from_rows(some, "interactions"))
    examples = [
        {
            "set": "holdout", "route": "r", "example_id": str(n), "version": "v", "input_text": f"q{n}",
            "messages_json": json.dumps([{"role": "user", "content": f"q{n}"}]), "expected_json": '"fine"',
        }
        for n in range(30)
    ]  # fmt: skip
    lake.write("examples", DAY, from_rows(examples, "examples"))
    return config


def both(folder, address) -> tuple[Config, Config]:
    engine = f"engine: {{tasks: dask, address: '{address}'}}\n"
    return workspace(folder, "alone"), workspace(folder, "spread", engine)


def clients(config: Config) -> Any:
    made: dict[str, Says] = {}
    return lambda model: made.setdefault(model.name, Says())


def test_scores_of_production_are_those_of_one_process(tmp_path, address):
    alone, spread = both(tmp_path, address)
    for config in (alone, spread):
        score_days(read_setup(config), DAY, DAY, clients(config), ask=True)
    ours, theirs = (config.open_lake().read("scores", DAY, f"production-{DAY}") for config in (alone, spread))
    assert set(ours["criterion"].to_pylist()) == {"output_schema", "polite", "word", "own", "valid", "fast", "short"}
    assert len(ours) > 150
    assert ours.equals(theirs)


def test_scores_of_answers_are_those_of_one_process(tmp_path, address):
    alone, spread = both(tmp_path, address)
    for config in (alone, spread):
        evaluate_night(config, DAY, RUN, clients(config))
    for table in ("scores", "estimates", "comparisons"):
        ours, theirs = (config.open_lake().read(table, DAY, RUN) for config in (alone, spread))
        assert len(ours) > 5
        assert ours.equals(theirs), table
        if table == "scores":
            assert {"right", "polite", "own", "valid:unwrapped"} <= set(ours["criterion"].to_pylist())


def test_tasks_of_workers_call_no_function_of_the_workspace_and_no_judge(tmp_path):
    config = workspace(tmp_path, "alone")
    setup = read_setup(config)
    given = day_checks(setup, None, {"r": 20})
    mine = {name for _, name in given.part(is_self_contained=True).pairs}
    assert mine == {"output_schema", "word", "valid", "fast", "short"}
    assert [name for _, name in given.part(is_self_contained=False).pairs] == ["own"]
    task = next(one for one in read_tasks(setup, DAY) if one.name == "r")
    of_workers = RouteScorer(task, "openai/old").self_contained()
    assert [one.name for one in of_workers.task.criteria] == ["right", "word", "valid", "fast"]
    assert not of_workers.task.variants
    assert "hush" not in repr(ChecksJob(config.open_lake(), given))
