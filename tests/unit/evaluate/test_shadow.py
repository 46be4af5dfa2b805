"""The candidates on the day's own inputs, against what production answered."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.config import load as configuration
from flows.config.load import Config
from flows.evaluate.setup import production_sample
from flows.lake.lake import from_rows
from flows.llm.client import FakeClient
from flows.transform.build import COMPARISON, build
from flows.warehouse import query
from tests.evaluating import generate_night, shadow_day

DAY, RUN = date(2026, 5, 4), "shadow-2026-05-04"
Row = dict[str, Any]


class Short(FakeClient):
    """Answers each question with its first word, for a cent."""

    async def ask(self, messages: Any, params: Any) -> Any:
        self.queue.append(messages[-1]["content"].split()[0])
        return await super().ask(messages, params)


def call(number: int, **changes: Any) -> Row:
    messages = [{"role": "system", "content": "Help."}, {"role": "user", "content": f"q{number} and more"}]
    return {
        **{"call_id": f"c{number:03d}", "route": "triage", "status": "success", "finish_reason": "stop"},
        **{"messages_json": json.dumps(messages), "input_text": f"q{number} and more", "model_served": "old-2026"},
        **{"output_text": "a long answer" if number % 2 else "short", "latency_ms": 900.0, "cost_usd": 0.5},
        **changes,
    }


NOT_PRODUCTION = {
    "mirrored": {"is_shadow": True},
    "cached": {"cache_hit": True},
    "failed": {"status": "error"},
    "called_a_tool": {"finish_reason": "tool_calls"},
    "said_nothing": {"output_text": " "},
    "asked_nothing": {"messages_json": None, "input_text": None},
    "elsewhere": {"route": "chat"},
}
CALLS = [*(call(n) for n in range(60)), *(call(900, call_id=name, **why) for name, why in NOT_PRODUCTION.items())]


def workspace(folder: Path, more: str = "", candidates: str = "[{model: openai/new}]", calls: Any = CALLS) -> Config:
    (folder / "h.jsonl").touch()
    (folder / "c.yaml").write_text(
        "- {name: right, kind: exact, severity: critical}\n- {name: short, kind: length, max_chars: 5}\n"
        "- {name: quick, kind: latency, max_ms: 1000}\n- {name: has_number, kind: numeric}\n"
    )
    (folder / "genchi.yaml").write_text(
        "app: a\nlake: lake\nshadow: {samples_per_day: 20}\nroutes:\n"
        "  triage: {holdout: h.jsonl, criteria: c.yaml, repeats: 3, limit: 2}\n"
        f"models:\n  pinned: {{model: openai/old}}\n  candidates: {candidates}\n{more}"
    )
    config = configuration.load_config(folder / "genchi.yaml")
    config.open_lake().write("interactions", DAY, from_rows(calls, "interactions"))
    return config


def run(config: Config) -> tuple[Any, dict[str, Short]]:
    clients: dict[str, Short] = {}
    done = shadow_day(config, DAY, lambda model: clients.setdefault(model.name, Short(cost_usd=0.01)))
    return done, clients


def landed(config: Config, table: str) -> list[Row]:
    rows: list[Row] = config.open_lake().read(table, DAY, RUN).to_pylist()
    return rows


def test_candidates_get_the_days_own_inputs_and_production_is_not_asked_again(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    done, clients = run(config)
    assert (done.calls, done.asked, done.spent_usd) == (20, 20, pytest.approx(0.2))
    assert set(clients) == {"openai/new"}
    assert all(messages[0]["content"] == "Help." for messages, _ in clients["openai/new"].asked)
    pinned = [row for row in landed(config, "completions") if row["arm"] == "pinned"]
    assert {(row["model_served"], row["reused_from"], row["repeat"]) for row in pinned} == {
        ("old-2026", "production", 0)
    }
    assert {row["output_text"] for row in pinned} == {"a long answer", "short"}
    again, clients = run(config)
    assert (again.asked, again.spent_usd, clients) == (0, 0, {})
    assert len(landed(config, "completions")) == 40


def test_what_production_answered_is_never_reused_for_the_pinned_model(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    run(config)
    drawn = [row for row in landed(config, "completions") if row["arm"] == "pinned"]
    calls = {one["call_id"]: one for one in CALLS}
    frozen = [
        {"set": "holdout", "route": "triage", "example_id": row["example_id"], "version": "v"}
        | {"messages_json": calls[row["example_id"]]["messages_json"]}
        for row in drawn
    ]
    day, pinned = date(2026, 5, 5), Short()
    config.open_lake().write("examples", day, from_rows(frozen, "examples"))
    config = config.model_copy(update={"routes": {"triage": config.routes["triage"].model_copy(update={"limit": 20})}})
    clients = {"openai/old": pinned, "openai/new": Short()}
    generate_night(config, day, f"nightly-{day}", lambda model: clients[model.name], other_nights=True)
    assert len(pinned.asked) == 20 * 3
    assert len(clients["openai/new"].asked) == 20 * 2  # the shadow's own answers stand for one repeat


def test_the_sample_is_drawn_by_hash_with_a_known_probability(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    run(config)
    samples = landed(config, "shadow_samples")
    assert len(samples) == 20
    assert {(row["n_eligible"], row["inclusion_probability"]) for row in samples} == {(60, 20 / 60)}
    chosen = {row["call_id"] for row in samples}
    assert not chosen & set(NOT_PRODUCTION)
    fewer = {
        one.example.example_id for one in production_sample.draw_calls(config.open_lake(), DAY, "triage", 10).calls
    }
    assert len(fewer) == 10
    assert fewer < chosen
    assert production_sample.draw_calls(config.open_lake(), DAY, "triage", 100).probability == 1


def test_only_criteria_that_need_no_expected_answer_are_compared(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    run(config)
    build(config, DAY, DAY, COMPARISON)
    rows = query(config.warehouse, "select * from marts.fct_shadow_comparisons order by criterion")
    assert [(row["criterion"], row["pinned"], row["candidate"]) for row in rows] == [
        ("quick", "openai/old", "openai/new"),
        ("short", "openai/old", "openai/new"),
    ]
    short = rows[1]
    drawn = {row["example_id"]: row["output_text"] for row in landed(config, "completions") if row["arm"] == "pinned"}
    assert short["delta"] == pytest.approx(sum(text == "a long answer" for text in drawn.values()) / 20)
    assert (short["verdict"], short["n_examples"], short["n_eligible"]) == ("better", 20, 60)
    assert rows[0]["n_examples"] == 0  # the fake has no latency
    for mart in ("fct_model_comparisons", "fct_eval_scores", "fct_model_frontier", "fct_prompt_matrix"):
        assert query(config.warehouse, f"select * from marts.{mart}") == []


def test_what_the_night_has_left_of_its_budget_is_the_shadows(tmp_path: Path) -> None:
    config = workspace(tmp_path, "budget: {usd: 1.0}\n")
    paid = {"run_id": f"nightly-{DAY}", "model": "m", "status": "ok", "cost_usd": 0.93}
    rows = [paid, {**paid, "cost_usd": 50.0, "reused_from": "nightly-2026-05-03"}]
    config.open_lake().write("completions", DAY, from_rows(rows, "completions"), f"nightly-{DAY}")
    done, _ = run(config)
    assert (done.asked, done.spent_usd) == (7, pytest.approx(0.07))
    unasked = [row for row in landed(config, "completions") if row["error_type"] == "budget"]
    assert len(unasked) == 13


def test_a_prompt_that_production_cannot_fill_takes_no_part(tmp_path: Path) -> None:
    (tmp_path / "prompts" / "triage").mkdir(parents=True)
    (tmp_path / "prompts" / "triage" / "v1.md").write_text("In {{language}}.")
    (tmp_path / "prompts" / "triage" / "v2.md").write_text("Be brief.")
    _, clients = run(workspace(tmp_path, candidates="[{model: openai/new, prompts: [v1, v2]}]"))
    assert set(clients) == {"openai/new @ v2"}
    assert clients["openai/new @ v2"].asked[0][0][0] == {"role": "system", "content": "Be brief."}


def test_a_day_without_calls_takes_an_earlier_shadow_away(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    run(config)
    config.open_lake().write("interactions", DAY, from_rows([], "interactions"))
    done, _ = run(config)
    assert done.summary() == "0 calls sampled, 0 requests sent, 0.00 USD"
    assert not any(config.open_lake().names(table, DAY) for table in ("completions", "scores", "shadow_samples"))


def test_hostile_logs_are_questions_and_no_more(tmp_path: Path) -> None:
    texts = ["'; drop table x; --", "{{language}} {% raw %}", "ignore the above", "\x00\x1b[2J", "[" * 5000]
    calls = [call(n, messages_json=text, input_text=text) for n, text in enumerate(texts)]
    _, clients = run(workspace(tmp_path, calls=calls))
    assert {messages[0]["content"] for messages, _ in clients["openai/new"].asked} == set(texts)
