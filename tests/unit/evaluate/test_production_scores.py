"""Production answers held against the criteria of the holdout: code on every one, a judge on a sample."""

import json
import time
from datetime import date

import pyarrow as pa
import pytest
from scipy.stats import chisquare

from flows.config import load as configuration
from flows.evaluate.production.judge_sample import Sample
from flows.lake.lake import SCHEMAS, Lake, from_rows
from flows.llm.client import FakeClient
from tests.evaluating import score_production

DAY = date(2026, 5, 4)
JUDGE = "- {name: polite, kind: judge, question: 'Is it polite?', samples_per_day: 20, severity: info}"


class Judge(FakeClient):
    """Says yes to all but what is rude."""

    async def ask(self, messages, params):
        word = "no" if "rude" in messages[-1]["content"] else "yes"
        self.queue.append(json.dumps({"reason": "so", "verdict": word}))
        return await super().ask(messages, params)


def workspace(folder, criteria, **files):
    (folder / "h.jsonl").write_text("{}")
    (folder / "c.yaml").write_text(criteria)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    schema = ", output_schema: s.json" if "s_json" in files else ""
    (folder / "genchi.yaml").write_text(
        f"app: a\nlake: lake\nroutes:\n  r: {{holdout: h.jsonl, criteria: c.yaml{schema}}}\n"
        "models:\n  pinned: {model: openai/old}\n  judge: {model: openai/judge}\n"
    )
    return configuration.load_config(folder / "genchi.yaml")


def call(n, text="fine", **changes):
    asked = {"messages_json": json.dumps([{"role": "user", "content": f"q{n}"}]), "input_text": f"q{n}"}
    return {
        "call_id": str(n), "route": "r", "model_served": "m", "output_text": text, "status": "success",
        **asked, **changes,
    }  # fmt: skip


def land(config, calls):
    Lake(config.lake).write("interactions", DAY, from_rows(calls, "interactions"))


def scores(config):
    return Lake(config.lake).read("scores", DAY, f"production-{DAY}").to_pylist()


def passed(config, criterion):
    return {row["subject_id"]: row["passed"] for row in scores(config) if row["criterion"] == criterion}


def test_production_answers_are_checked_against_the_routes_schema(tmp_path):
    config = workspace(tmp_path, "- {name: c, kind: exact}", s_json='{"type": "object", "required": ["queue"]}')
    land(config, [
        call(0, '{"queue": 1}'), call(1, '{"queue": 1}', is_shadow=False), call(2, "{}"), call(3, None),
        call(4, "{}", status="error"), call(5, "{}", is_shadow=True), call(6, "{}", route="other"),
    ])  # fmt: skip
    checked = score_production(config, DAY)
    assert (checked.scores, checked.failed, checked.unscored) == (4, 1, 1)
    assert passed(config, "output_schema") == {"0": True, "1": True, "2": False, "3": None}
    assert {row["reason"] for row in scores(config)} == {
        None, "$: 'queue' is a required property", "the answer has no text"
    }  # fmt: skip
    assert {(row["subject"], row["model"], row["inclusion_probability"]) for row in scores(config)} == {
        ("interaction", "m", 1.0)
    }


@pytest.mark.parametrize("text", ["", "{", None])
def test_an_output_schema_that_cannot_be_used_stops_its_own_check_only(tmp_path, caplog, text):
    config = workspace(tmp_path, "- {name: short, kind: length, max_chars: 9}", s_json=text or "")
    if text is None:
        (tmp_path / "s.json").unlink()
        config = configuration.load_config(config.path)
    land(config, [call(0, "{}"), call(1, "longer than nine")])
    score_production(config, DAY)
    assert passed(config, "output_schema") == {"0": None, "1": None}
    assert passed(config, "short") == {"0": True, "1": False}
    (line,) = (one for one in caplog.messages if "output_schema" in one)
    assert line.startswith(f"{config.path}: routes.r.output_schema: {tmp_path / 's.json'}: ")


def test_a_day_without_production_answers_has_no_scores(tmp_path):
    assert score_production(workspace(tmp_path, JUDGE), DAY).scores == 0


def test_code_criteria_look_at_every_answer_and_those_that_expect_something_are_left_out(tmp_path):
    config = workspace(
        tmp_path,
        "- {name: right, kind: exact}\n- {name: near, kind: numeric}\n- {name: has, kind: contains}\n"
        "- {name: word, kind: regex, pattern: fine}\n- {name: fast, kind: latency, max_ms: 100}\n"
        "- {name: cheap, kind: cost, max_usd: 0.1}\n- {name: short, kind: length, max_chars: 4}\n"
        "- {name: own, kind: python, function: 'checks:own'}\n- {name: json, kind: json_valid}\n"
        "- {name: better, kind: judge, question: q, mode: pairwise}\n",
        checks_py="def own(example, answer):\n    assert example['expected'] is None\n"
        "    return example['messages'][0]['content'] == 'q0' and example['input'] == 'q0'\n",
    )
    land(config, [call(0, latency_ms=50.0, cost_usd=0.2), call(1, "42", latency_ms=200.0, cost_usd=0.05), call(2)])
    score_production(config, DAY)
    assert {row["criterion"]: passed(config, row["criterion"]) for row in scores(config)} == {
        "word": {"0": True, "1": False, "2": True},
        "fast": {"0": True, "1": False, "2": None},
        "cheap": {"0": False, "1": True, "2": None},
        "short": {"0": True, "1": True, "2": True},
        "own": {"0": True, "1": False, "2": False},
        "json": {"0": False, "1": True, "2": False},
    }


def test_a_route_that_the_logs_do_not_name_is_the_default_one(tmp_path):
    config = workspace(tmp_path, "- {name: word, kind: regex, pattern: fine}")
    config.path.write_text(config.path.read_text().replace("  r:", "  default:"))
    config = configuration.load_config(config.path)
    land(config, [call(0, route=None)])
    score_production(config, DAY)
    assert passed(config, "word") == {"0": True}


def test_a_judge_sees_a_sample_of_known_probability_that_is_the_same_every_time(tmp_path):
    config, judge = workspace(tmp_path, JUDGE), Judge()
    land(
        config,
        [call(n, "rude" if n % 2 else "kind") for n in range(80)] + [call(99, None), call(98, "x", is_shadow=True)],
    )
    score_production(config, DAY, lambda _: judge, ask=True)
    first = scores(config)
    assert len(judge.asked) == len(first) == 20
    assert {row["inclusion_probability"] for row in first} == {0.25}
    assert all(row["passed"] == (int(row["subject_id"]) % 2 == 0) for row in first)
    judge = Judge()
    score_production(config, DAY, lambda _: judge, ask=True)
    assert (judge.asked, scores(config)) == ([], first)


def test_samples_are_drawn_alike_from_all_answers():
    drawn = []
    for start in range(0, 100_000, 200):
        sample = Sample("r", (), 20)
        sample.offer([str(n) for n in range(start, start + 120)])
        sample.offer([str(n) for n in range(start + 120, start + 200)])
        assert len(set(sample.call_ids(20))) == 20
        assert sample.call_ids(7) == sample.call_ids(20)[:7]
        drawn += [int(call_id) % 200 for call_id in sample.call_ids(20)]
    expected = len(drawn) / 200
    assert chisquare([drawn.count(place) for place in range(200)], [expected] * 200).pvalue > 0.001


def test_few_answers_are_all_judged_with_certainty(tmp_path):
    config = workspace(tmp_path, JUDGE)
    land(config, [call(n) for n in range(5)])
    score_production(config, DAY, lambda _: Judge(), ask=True)
    assert {row["inclusion_probability"] for row in scores(config)} == {1.0}
    assert len(scores(config)) == 5


def test_without_leave_nobody_is_asked_and_stored_verdicts_count(tmp_path):
    config, judge = workspace(tmp_path, JUDGE), Judge()
    land(config, [call(n) for n in range(5)])
    score_production(config, DAY, lambda _: judge)
    assert (judge.asked, scores(config)) == ([], [])
    score_production(config, DAY, lambda _: judge, ask=True)
    land(config, [call(n) for n in range(8)])
    score_production(config, DAY, lambda _: judge)
    assert len(judge.asked) == len(scores(config)) == 5


@pytest.mark.parametrize(
    "unset", ["model: 'openai/${NOWHERE}'", "model: openai/judge, api_base: 'http://${NOWHERE}/v1'"]
)
def test_without_the_judges_name_or_address_its_stored_scores_stay_as_they_are(tmp_path, unset):
    config, judge = workspace(tmp_path, JUDGE + "\n- {name: short, kind: length, max_chars: 9}"), Judge()
    land(config, [call(n) for n in range(5)])
    score_production(config, DAY, lambda _: judge, ask=True)
    before = scores(config)
    text = (tmp_path / "genchi.yaml").read_text()
    (tmp_path / "genchi.yaml").write_text(text.replace("model: openai/judge", unset))
    assert "NOWHERE" in (tmp_path / "genchi.yaml").read_text()
    score_production(configuration.load_config(tmp_path / "genchi.yaml"), DAY, lambda _: judge)
    assert scores(config) == before
    assert len(judge.asked) == 5


@pytest.mark.long
def test_a_million_answers_take_seconds(tmp_path):
    config = workspace(
        tmp_path, f"- {{name: word, kind: regex, pattern: '[Ff]ine'}}\n{JUDGE}", s_json='{"type": "object"}'
    )
    n = 1_000_000
    texts = [json.dumps({"queue": k, "text": "All is fine here. " * 10}) for k in range(5000)]
    columns = {
        "call_id": [f"c{k}" for k in range(n)],
        "route": ["r"] * n,
        "model_served": ["m"] * n,
        "output_text": [texts[k % 5000] for k in range(n)],
        "status": ["success"] * n,
        "messages_json": ["[]"] * n,
    }
    rows = pa.table(
        {name: pa.array(values, SCHEMAS["interactions"].field(name).type) for name, values in columns.items()}
    )
    Lake(config.lake).write("interactions", DAY, rows)
    start = time.perf_counter()
    checked = score_production(config, DAY, lambda _: Judge(), ask=True)
    assert checked.scores == 2 * n + 20
    assert time.perf_counter() - start < 60
