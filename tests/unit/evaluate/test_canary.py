"""The canary of the pinned model: what it costs, what it finds, and what it saves."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from flows.config import load as configuration
from flows.evaluate.canary import choose
from flows.evaluate.setup import load_setup, read_tasks
from flows.evaluate.setup.model_pair import ModelPair
from flows.lake.lake import Lake, from_rows, nightly_run_id
from flows.llm.client import Answer, FakeClient
from tests.evaluating import generate_night

FIRST = date(2026, 5, 4)
EXAMPLES, REPEATS, PROMPTS, ANSWERS = 40, 2, 20, 3
HOLDOUT, CANARY = EXAMPLES * REPEATS, PROMPTS * ANSWERS


class Talking(FakeClient):
    """Answers each question in its own manner, with some chance in it."""

    def __init__(self, manner, served="old-1"):
        super().__init__(cost_usd=0.01)
        self.manner, self.served, self.chance = manner, served, random.Random(7)

    async def ask(self, messages, params):
        text = self.manner(messages[-1]["content"], self.chance.random())
        self.queue.append(Answer("ok", text=text, model_served=self.served, system_fingerprint="fp", cost_usd=0.01))
        return await super().ask(messages, params)


def terse(question, chance):
    return f"{question}: yes" if chance < 0.8 else f"{question}: no"


def wordy(question, chance):
    return (
        f"Certainly! Let me think about {question} step by step.\n\n- The answer, in short, is **yes** ({chance:.1f})."
    )


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "h.jsonl").write_text("{}")
    (tmp_path / "c.yaml").write_text("- {name: right, kind: contains}")
    return configure(tmp_path)


def configure(folder, more="", canary=f"{{prompts: {PROMPTS}, answers: {ANSWERS}}}", candidate="{model: openai/new}"):
    (folder / "genchi.yaml").write_text(
        f"app: a\nlake: lake\nroutes:\n  yes_no: {{holdout: h.jsonl, criteria: c.yaml, repeats: {REPEATS}}}\n{more}"
        f"models:\n  pinned: {{model: openai/old}}\n  candidates: [{candidate}]\n  canary: {canary}\n"
    )
    return configuration.load_config(folder / "genchi.yaml")


def examples_of(count):
    return [
        {
            "set": "holdout",
            "route": "yes_no",
            "example_id": f"e{n}",
            "version": f"v{count}",
            "messages_json": json.dumps([{"role": "user", "content": f"q{n}"}]),
            "expected_json": '"yes"',
        }
        for n in range(count)
    ]


def night(config, number, pinned, examples=EXAMPLES):
    """What the number-th night asked of the pinned model and of the candidate, and its own row of the canary."""
    day = FIRST + timedelta(days=number)
    lake = Lake(config.lake)
    lake.write("examples", day, from_rows(examples_of(examples), "examples"))
    clients = {"openai/old": pinned, "openai/new": Talking(terse)}
    before = len(pinned.asked)
    generate_night(config, day, nightly_run_id(day), lambda model: clients[model.name])
    (row,) = lake.read("canaries", day).to_pylist() or [None]
    return len(pinned.asked) - before, len(clients["openai/new"].asked), row


def landed(config, number):
    day = FIRST + timedelta(days=number)
    return Lake(config.lake).read("completions", day, nightly_run_id(day)).to_pylist()


def test_the_first_night_asks_all_and_has_no_past_to_compare_with(workspace):
    asked, candidate, row = night(workspace, 0, Talking(terse))
    assert (asked, candidate) == (HOLDOUT, HOLDOUT)
    assert (row["model"], row["run_id"], row["p_value"]) == ("openai/old", "nightly-2026-05-04", None)
    assert (row["served_names"], row["fingerprints"]) == (["old-1"], ["fp"])
    assert len(landed(workspace, 0)) == 2 * HOLDOUT
    assert len(Lake(workspace.lake).read("completions", FIRST)) == 2 * HOLDOUT


def test_an_unchanged_pinned_model_costs_a_canary_and_a_candidate_is_asked_anew(workspace):
    pinned = Talking(terse)
    night(workspace, 0, pinned)
    for number in (1, 2):
        asked, candidate, row = night(workspace, number, pinned)
        assert (asked, candidate, row["n_prompts"]) == (CANARY, HOLDOUT, PROMPTS)
        assert row["p_value"] > 0.01
        mine = [row for row in landed(workspace, number) if row["arm"] == "pinned"]
        assert len(mine) == HOLDOUT
        assert {row["reused_from"] for row in mine} == {"nightly-2026-05-04"}
    assert night(workspace, 2, pinned)[:2] == (0, 0)


def test_another_model_behind_the_name_is_found_and_asked_anew_and_begins_an_era(workspace):
    old, new = Talking(terse), Talking(wordy)
    night(workspace, 0, old)
    night(workspace, 1, old)
    asked, _, row = night(workspace, 2, new)
    assert asked == CANARY + HOLDOUT
    assert row["p_value"] <= 0.01
    asked, _, row = night(workspace, 3, new)
    assert asked == CANARY
    assert row["p_value"] > 0.01
    sources = {row["reused_from"] for row in landed(workspace, 3) if row["arm"] == "pinned"}
    assert sources == {"nightly-2026-05-06"}


@pytest.mark.parametrize("by_hand", ["copies", "asks"])
def test_what_a_comparison_by_hand_brought_into_an_era_is_not_taken_for_the_eras(workspace, by_hand):
    old, new = Talking(terse), Talking(wordy, "new-1")
    if by_hand == "copies":
        night(workspace, 0, old)
        night(workspace, 1, old)
    day, lake = FIRST + timedelta(days=2), Lake(workspace.lake)
    lake.write("examples", day, from_rows(examples_of(EXAMPLES), "examples"))
    pair = ModelPair("openai/old", "openai/new", "yes_no")
    clients = {"openai/old": old, "openai/new": Talking(terse)}
    run_id = pair.run_id(workspace, day)
    generate_night(pair.narrowed(workspace), day, run_id, lambda model: clients[model.name], other_nights=True)
    night(workspace, 2, new)
    assert night(workspace, 3, new)[0] == CANARY
    mine = [row for row in landed(workspace, 3) if row["arm"] == "pinned"]
    assert {(row["model_served"], row["reused_from"]) for row in mine} == {("new-1", "nightly-2026-05-06")}


def test_a_candidate_that_sends_the_very_same_requests_is_asked_anew(tmp_path):
    (tmp_path / "h.jsonl").write_text("{}")
    (tmp_path / "c.yaml").write_text("- {name: right, kind: contains}")
    config = configure(tmp_path, candidate="{model: openai/old, name: openai/new}")
    pinned = Talking(terse)
    night(config, 0, pinned)
    assert night(config, 1, pinned, EXAMPLES + 1)[:2] == (CANARY + REPEATS, HOLDOUT + REPEATS)
    assert {row["reused_from"] for row in landed(config, 1) if row["arm"] == "candidate"} == {None}


def test_a_new_served_name_is_a_change_whatever_it_answers(workspace):
    night(workspace, 0, Talking(terse))
    renamed = Talking(terse, served="old-2")
    assert night(workspace, 1, renamed)[0] == CANARY + HOLDOUT
    assert night(workspace, 2, renamed)[0] == CANARY


def test_only_what_is_new_in_the_holdout_is_asked_of_an_unchanged_model(workspace):
    pinned = Talking(terse)
    night(workspace, 0, pinned)
    asked, _, row = night(workspace, 1, pinned, EXAMPLES + 1)
    assert asked == CANARY + REPEATS
    assert row["n_prompts"] >= PROMPTS - 1
    assert {row["holdout_version"] for row in landed(workspace, 1)} == {"v41"}


def test_a_night_of_the_past_does_not_take_answers_of_its_future(workspace):
    pinned = Talking(terse)
    night(workspace, 1, pinned)
    assert night(workspace, 0, pinned)[0] == HOLDOUT


def test_reuse_and_canary_can_be_switched_off(workspace):
    pinned = Talking(terse)
    config = configure(workspace.workspace, canary=f"{{prompts: {PROMPTS}, answers: {ANSWERS}, reuse: false}}")
    night(config, 0, pinned)
    assert night(config, 1, pinned)[0] == CANARY + HOLDOUT
    config = configure(workspace.workspace, canary="{prompts: 0}")
    assert night(config, 2, pinned) == (HOLDOUT, HOLDOUT, None)


def test_a_small_holdout_is_its_own_canary(workspace):
    config = configure(workspace.workspace, canary=f"{{prompts: {EXAMPLES}, answers: {ANSWERS}}}")
    old, new = Talking(terse), Talking(wordy)
    assert night(config, 0, old)[0] == HOLDOUT
    asked, _, row = night(config, 1, old)
    assert (asked, row["n_prompts"], row["n_answers"]) == (HOLDOUT, EXAMPLES, 2 * HOLDOUT)
    assert row["p_value"] > 0.01
    asked, _, row = night(config, 2, new)
    assert asked == HOLDOUT
    assert row["p_value"] <= 0.01


def test_the_budget_covers_the_canary(workspace):
    pinned = Talking(terse)
    night(workspace, 0, pinned)
    config = configure(workspace.workspace, "budget: {usd: 0.7, concurrency: 1}\n")
    asked, candidate, _ = night(config, 1, pinned)
    assert (asked, candidate) == (CANARY, 10)
    assert Counter(row["error_type"] for row in landed(config, 1)) == {None: HOLDOUT + 10, "budget": HOLDOUT - 10}


def test_a_silent_provider_is_no_change_and_its_answers_are_not_taken_for_unchanged(workspace):
    class Down(Talking):
        async def ask(self, messages, params):
            self.asked.append((messages, params))
            return Answer("error", error_type="ServiceUnavailableError")

    night(workspace, 0, Talking(terse))
    asked, _, row = night(workspace, 1, Down(terse))
    assert (asked, row["p_value"], row["served_names"]) == (CANARY + HOLDOUT, None, [])
    assert night(workspace, 2, Talking(terse))[0] == CANARY


def test_the_same_prompts_are_chosen_over_all_routes_while_they_are_there(workspace):
    night(workspace, 0, Talking(terse))
    (task,) = read_tasks(load_setup(workspace), FIRST)
    tasks = [task, replace(task, name="other")]
    chosen = choose(tasks, 10, 5)
    assert sum(len(one.examples) for one in chosen) == 10
    assert {one.route.repeats for one in chosen} == {5}
    gone = chosen[0].examples[0].example_id
    fewer = [replace(task, examples=[e for e in task.examples if e.example_id != gone]), tasks[1]]
    before, after = (
        {(one.name, e.example_id) for one in choose(some, 10, 5) for e in one.examples} for some in (tasks, fewer)
    )
    assert len(after) == 10
    assert before - after == {(chosen[0].name, gone)}
