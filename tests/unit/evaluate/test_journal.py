"""A run's journal: what it holds is read whatever an older version wrote into it."""

import json

from flows.evaluate.generate.journal import read_journal
from flows.lake.lake import Lake, from_rows
from tests.unit.evaluate.test_judging import DAY, RUN, evaluate, workspace

LINE = {
    "run_id": RUN, "model": "openai/old", "arm": "pinned", "route": "r", "example_id": "0", "repeat": 0,
    "holdout_version": "v", "prompt_version": None, "status": "ok", "finish_reason": "stop", "error_type": None,
    "latency_ms": 1.0, "cost_usd": 0.0,
}  # fmt: skip


def test_a_journal_that_an_older_version_wrote_with_odd_lines_is_read(tmp_path):
    config = workspace(tmp_path, "- {name: short, kind: length, max_chars: 9}")
    lake = Lake(config.lake)
    odd = {
        "output_text": "a\ud83d\x00",
        "response_id": "\udc00",
        "model_served": "m\ud83d",
        "system_fingerprint": "\ud800",
    }
    numbers = {"input_tokens": 10**30, "output_tokens": float("nan"), "cost_usd": float("inf")}
    answered = [{**LINE, **odd, **numbers, "request_hash": "h"}]
    journal = lake.journal(RUN)
    journal.parent.mkdir(parents=True)
    lines = [*map(json.dumps, answered), "[1]", '"text"', "null", "{}", '{"a": 1}', "[" * 100_000, '{"cut": "sho']
    journal.write_text("\n".join(lines))
    (row,) = read_journal(journal)
    assert (row["output_text"], row["response_id"], row["model_served"]) == ("a\ufffd\x00", "\ufffd", "m\ufffd")
    assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (None, None, None)
    assert from_rows([row], "completions")["output_text"].to_pylist() == ["a\ufffd\x00"]
    evaluate(config, judge=None)
    assert len(lake.read("completions", DAY, RUN)) == 8
    assert not journal.exists()
