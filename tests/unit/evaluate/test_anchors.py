"""The judge grades the same labelled answers again each night, and one that has changed is told from its own past."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from flows.config import load as configuration
from flows.evaluate import flow
from flows.evaluate.anchor import anchor_set, people, regrade_anchors
from flows.evaluate.generate import budget
from flows.evaluate.setup import read_setup
from flows.lake import lookup
from flows.lake.lake import Lake, from_rows
from flows.llm.client import Answer, FakeClient
from flows.retention import EXPIRED

FIRST = date(2026, 5, 4)
POLITE = "- {name: polite, kind: judge, question: 'Is it polite?'}"


class Judge(FakeClient):
    """Says yes to all but what is rude, and no to `strict` of the polite answers."""

    def __init__(self, strict=0, cost_usd=None, served="judge-1"):
        super().__init__(cost_usd=cost_usd)
        self.strict, self.served = strict, served

    async def ask(self, messages, params):
        said = json.loads(messages[1]["content"].split("\n")[3])
        number = int(said["answer"].split()[1])
        word = "no" if said["answer"].startswith("rude") or number < self.strict else "yes"
        text = json.dumps({"reason": "so", "verdict": word})
        self.queue.append(Answer("ok", text=text, model_served=self.served, cost_usd=self.cost_usd))
        return await super().ask(messages, params)


def workspace(folder, criteria=POLITE, more="", usd=""):
    (folder / "h.jsonl").write_text("{}")
    (folder / "c.yaml").write_text(criteria)
    (folder / "genchi.yaml").write_text(
        f"app: a\nlake: lake\n{usd}routes:\n  r: {{holdout: h.jsonl, criteria: c.yaml}}\n"
        f"models:\n  pinned: {{model: openai/old}}\n  judge: {{model: openai/judge}}\n{more}"
    )
    return configuration.load_config(folder / "genchi.yaml")


def version_of(config):
    return read_setup(config).criteria["r"][0].version


def label(config, n, passed, **changes):
    return {
        "label_id": f"l{n}", "subject": "interaction", "subject_id": str(n), "route": "r", "criterion": "polite",
        "criterion_version": version_of(config), "annotator": "a", "at": datetime(2026, 5, 3, 8, tzinfo=UTC),
        "passed": passed, "queue_day": FIRST - timedelta(days=1), "draw": "random", **changes,
    }  # fmt: skip


def land_labels(config, n=80, failed=30, day=FIRST - timedelta(days=1), start=0):
    """Calls with an answer each, of which the first `failed` are rude, and a label of each."""
    lake = Lake(config.lake)
    calls = [
        {"call_id": str(start + one), "route": "r", "input_text": f"q{one}", "status": "success",
         "output_text": f"{'rude' if one < failed else 'kind'} {start + one}"}
        for one in range(n)
    ]  # fmt: skip
    lake.write("interactions", day, from_rows(calls, "interactions"))
    rows = [label(config, start + one, one >= failed, queue_day=day) for one in range(n)]
    lake.write("annotations", day, from_rows(rows, "annotations"))
    return rows


def night(config, n, judge):
    return regrade_anchors(read_setup(config), FIRST + timedelta(days=n), lambda model: judge)


def test_a_judge_that_becomes_strict_is_told_and_its_new_level_is_then_its_past(tmp_path):
    config = workspace(tmp_path)
    land_labels(config)
    found = [night(config, n, Judge()) for n in range(6)]
    assert [(one.asked, one.wanted) for one in found] == [(80, 80)] * 6
    assert [one.p_value for one in found] == [None, None, None, 1.0, 1.0, 1.0]
    assert night(config, 6, Judge(strict=48, served="judge-2")).p_value < 1e-9
    (row,) = [row for row in compared(config, 6) if row["route"] == "*"]
    assert row["agreement_before"] == 1.0
    assert row["agreement"] == pytest.approx(1 - 18 / 80)
    assert (row["unlike"], row["unlike_before"]) == (18 / 80, 0.0)
    assert (row["n_items"], row["n_nights"], row["served_names"]) == (80, 6, ["judge-2"])
    later = [night(config, n, Judge(strict=48)).p_value for n in range(7, 11)]
    assert later == [None, None, 1.0, 1.0]  # the past begins with the night of the change


def compared(config, n):
    return Lake(config.lake).read("anchor_tests", FIRST + timedelta(days=n)).to_pylist()


def test_each_criterion_of_the_judge_has_a_row_those_without_labels_too(tmp_path):
    other = "- {name: short, kind: length, max_words: 5}\n- {name: honest, kind: judge, question: 'Is it true?'}"
    pair = "- {name: better, kind: judge, question: 'Which?', mode: pairwise}"
    config = workspace(tmp_path, f"{POLITE}\n{other}\n{pair}")
    land_labels(config)
    night(config, 0, Judge(strict=40))
    rows = {(row["route"], row["criterion"]): row["agreement"] for row in compared(config, 0)}
    assert rows == {("*", "*"): 1 - 10 / 80, ("r", "polite"): 1 - 10 / 80, ("r", "honest"): None}


def test_a_night_that_runs_again_sends_what_failed_and_nothing_else(tmp_path):
    config = workspace(tmp_path)
    land_labels(config)

    class Failing(Judge):
        async def ask(self, messages, params):
            answer = await super().ask(messages, params)
            return (
                replace(answer, status="error", text=None, error_type="down")
                if "kind 7" in messages[1]["content"]
                else answer
            )

    assert night(config, 0, Failing()).asked == 80
    assert night(config, 0, Judge()).asked == 10
    grades = Lake(config.lake).read("anchor_grades", FIRST).to_pylist()
    assert (len(grades), {row["verdict"] == row["label_passed"] for row in grades}) == (80, {True})
    assert night(config, 1, Judge()).asked == 80  # another night is never answered from a store


def test_below_60_labelled_answers_nothing_is_sent(tmp_path):
    config = workspace(tmp_path)
    land_labels(config, 59)
    assert night(config, 0, Judge()).wanted == 0
    assert not Lake(config.lake).days("anchors")
    land_labels(config, 1, day=FIRST, start=100)
    assert night(config, 1, Judge()).wanted == 60


def test_without_an_anchor_set_in_the_configuration_nothing_is_sent(tmp_path):
    config = workspace(tmp_path, more="  anchor: {answers: 0}\n")
    land_labels(config)
    assert night(config, 0, Judge()).wanted == 0


def test_the_set_keeps_its_texts_and_grows_until_it_is_full(tmp_path):
    config = workspace(tmp_path, more="  anchor: {answers: 100}\n")
    land_labels(config, 90, failed=30)
    assert night(config, 0, Judge()).wanted == 80  # half of the places are for failed answers
    Lake(config.lake).remove("interactions", FIRST - timedelta(days=1), "data")  # as `retention` does
    land_labels(config, 40, failed=40, day=FIRST, start=1000)
    judge = Judge()
    assert night(config, 1, judge).wanted == 100
    assert {row["label_passed"] for row in stored(config)} == {True, False}
    assert sum(row["label_passed"] for row in stored(config)) == 50
    assert len({row["subject_id"] for row in stored(config)}) == 100
    assert night(config, 1, Judge()).wanted == 100


def test_answers_whose_calls_are_gone_take_no_places(tmp_path, monkeypatch):
    config = workspace(tmp_path, more="  anchor: {answers: 100}\n")
    lake, read = Lake(config.lake), []
    days = [FIRST - timedelta(days=n) for n in (4, 3, 2, 1)]
    for place, day in enumerate(days):
        land_labels(config, 200, failed=100, day=day, start=place * 1000)
    lake.remove("interactions", days[0])
    calls = lake.read("interactions", days[1])
    lake.write("interactions", days[1], calls.slice(0, 0), EXPIRED)  # as `retention` does
    lake.remove("interactions", days[1])
    lake.write("interactions", days[2], lake.read("interactions", days[2]).slice(0, 1))  # the others were deleted

    def rows_with(lake, table, day, **more):
        read.append(day)
        return lookup.rows_with(lake, table, day, **more)

    monkeypatch.setattr(anchor_set, "rows_with", rows_with)
    assert night(config, 0, Judge()).wanted == 100
    assert sum(row["label_passed"] for row in stored(config)) == 50
    assert {int(row["subject_id"]) // 1000 for row in stored(config)} <= {2, 3}
    assert sorted(read) == [days[2]] * 2 + [days[3]] * 2  # twice at most, however many are missing
    assert night(config, 1, Judge()).wanted == 100
    assert len(read) == 4


def stored(config):
    lake = Lake(config.lake)
    return [row for day in lake.days("anchors") for row in lake.read("anchors", day).to_pylist()]


def test_a_label_that_was_taken_back_takes_its_answer_out(tmp_path):
    config = workspace(tmp_path)
    land_labels(config)
    night(config, 0, Judge())
    back = label(config, 500, None, label_id="back", subject_id="7", retracts="l7")
    Lake(config.lake).write("annotations", FIRST, from_rows([back], "annotations"), "later")
    assert night(config, 1, Judge()).wanted == 79


def test_what_people_disagree_about_is_left_out_unless_a_third_judgement_decides(tmp_path):
    config = workspace(tmp_path)
    rows = [
        label(config, 1, True), label(config, 1, False, label_id="b", annotator="b"),
        label(config, 2, True), label(config, 2, False, label_id="c", annotator="b"),
        label(config, 2, False, label_id="d", annotator="c", draw="disagreement"),
        label(config, 3, False, label_id="e"),
        label(config, 3, True, label_id="f", at=datetime(2026, 5, 3, 9, tzinfo=UTC)),
        label(config, 4, None, label_id="g"),
        label(config, 5, True, label_id="h", criterion_version="another"),
    ]  # fmt: skip
    lake = Lake(config.lake)
    lake.write("annotations", FIRST, from_rows(rows, "annotations"))
    key = ("r", "polite", version_of(config))
    found = people.labelled_answers(lake, FIRST, {key})
    assert [(one.subject_id, one.passed) for one in found[key]] == [("2", False), ("3", True)]
    assert people.labelled_answers(lake, FIRST - timedelta(days=1), {key}) == {}


def test_imported_labels_find_their_call_on_the_days_before(tmp_path):
    config = workspace(tmp_path)
    rows = land_labels(config)
    imported = [row | {"queue_day": None, "at": datetime(2026, 5, 20, tzinfo=UTC)} for row in rows]
    Lake(config.lake).write("annotations", FIRST - timedelta(days=1), from_rows(imported, "annotations"))
    assert night(config, 0, Judge()).wanted == 80


def test_answers_of_an_evaluation_are_found_with_their_conversations(tmp_path):
    config = workspace(tmp_path)
    lake, run = Lake(config.lake), f"nightly-{FIRST}"
    examples = [
        {"set": "holdout", "route": "r", "example_id": str(n), "version": "v", "input_text": f"q{n}"} for n in range(70)
    ]
    answers = [
        {"run_id": run, "model": "openai/old", "route": "r", "example_id": str(n), "repeat": 0, "status": "ok",
         "request_hash": str(n), "output_text": f"kind {n}"}
        for n in range(70)
    ]  # fmt: skip
    lake.write("examples", FIRST, from_rows(examples, "examples"))
    lake.write("completions", FIRST, from_rows(answers, "completions"), run)
    ids = [f"{run}/openai/old/r/{n}/0" for n in range(70)]
    rows = [label(config, n, True, subject="completion", subject_id=one, queue_day=FIRST) for n, one in enumerate(ids)]
    lake.write("annotations", FIRST, from_rows(rows, "annotations"))
    assert night(config, 0, Judge()).wanted == 70
    (row,) = [row for row in stored(config) if row["subject_id"] == ids[5]]
    assert (json.loads(row["messages_json"]), row["output_text"]) == ([{"role": "user", "content": "q5"}], "kind 5")


def test_the_anchor_set_has_a_share_of_the_budget_that_counts_as_the_nights(tmp_path):
    config = workspace(tmp_path, usd="budget: {usd: 100}\n")
    land_labels(config)
    judge = Judge(cost_usd=0.5)
    assert night(config, 0, judge).asked == 20
    assert budget.spent_usd(config, FIRST, f"nightly-{FIRST}") == 10.0
    assert night(config, 0, judge).asked == 0
    assert budget.spent_usd(config, FIRST, "compare-1") == 0.0


def test_half_of_the_places_are_for_failed_answers_and_the_choice_is_always_the_same():
    answers = [people.Labelled(f"l{n}", "interaction", str(n), n % 4 > 0, FIRST, True) for n in range(400)]
    chosen = anchor_set.choose(answers, [], 150)
    assert (sum(one.passed for one in chosen), len(chosen)) == (75, 150)
    assert anchor_set.choose(reversed(answers), [], 150) == chosen
    assert anchor_set.choose(answers, [True] * 75 + [False] * 75, 150) == []


@pytest.mark.parametrize(("ask", "steps"), [(True, ["regrade", "check", "again"]), (False, ["check", "again"])])
def test_a_night_grades_the_anchor_set_before_the_judge_judges_anything_else(monkeypatch, ask, steps):
    done = []
    again = SimpleNamespace(first=lambda first: first)
    monkeypatch.setattr(flow, "regrade", lambda *_: done.append("regrade"))
    monkeypatch.setattr(flow, "check_production", lambda *_: done.append("check"))
    monkeypatch.setattr(flow, "score_again", lambda *_: done.append("again") or again)
    flow.score_night.fn(SimpleNamespace(), FIRST, FIRST, ask)
    assert done == steps
