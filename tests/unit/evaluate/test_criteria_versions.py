"""Versions of criteria on the record, and the window scored again when a criterion changes."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from flows.config import load as configuration
from flows.evaluate.production import production_scores, rescore_window, rescoring, score_days
from flows.evaluate.setup import note_versions, read_setup, read_versions
from flows.lake.lake import Lake, from_rows
from flows.llm.client import FakeClient

LAST = date(2026, 5, 8)
DAYS = [LAST - timedelta(days=n) for n in range(4, -1, -1)]
SHORT = "- {name: short, kind: length, max_chars: %d}\n"
JUDGE = "- {name: polite, kind: judge, question: 'Is it %s?', samples_per_day: 4, severity: info}\n"


class Judge(FakeClient):
    """Says yes."""

    async def ask(self, messages, params):
        self.queue.append(json.dumps({"reason": "so", "verdict": "yes"}))
        return await super().ask(messages, params)


def workspace(folder, criteria, more=""):
    (folder / "h.jsonl").write_text("{}")
    (folder / "c.yaml").write_text(criteria)
    (folder / "genchi.yaml").write_text(
        "app: a\nlake: lake\nroutes:\n  r: {holdout: h.jsonl, criteria: c.yaml}\n"
        f"models:\n  pinned: {{model: openai/old}}\n  judge: {{model: openai/judge}}\n{more}"
    )
    return configuration.load_config(folder / "genchi.yaml")


def land(config):
    for day in DAYS:
        calls = [
            {"call_id": f"{day}-{n}", "route": "r", "model_served": "m", "output_text": "x" * n, "status": "success",
             "input_text": "q"} for n in range(1, 11)
        ]  # fmt: skip
        Lake(config.lake).write("interactions", day, from_rows(calls, "interactions"))


def scores(config, day, criterion="short"):
    rows = Lake(config.lake).read("scores", day, f"production-{day}").to_pylist()
    return [row for row in rows if row["criterion"] == criterion]


def versions_of(config, day, criterion="short"):
    return {row["criterion_version"] for row in scores(config, day, criterion)}


def test_each_version_is_noted_once_with_its_author_and_reason(tmp_path):
    config = workspace(tmp_path, "- {name: short, kind: length, max_chars: 5, author: Ada, reason: too long}")
    assert [note_versions(read_setup(config), day) for day in DAYS[:2]] == [1, 0]
    (tmp_path / "c.yaml").write_text("- {name: short, kind: length, max_chars: 4}")
    assert note_versions(read_setup(config), DAYS[2]) == 1
    first, second = read_versions(Lake(config.lake))
    assert (first.author, first.reason, second.author) == ("Ada", "too long", None)
    assert first.since == datetime(DAYS[0].year, DAYS[0].month, DAYS[0].day, tzinfo=UTC)
    assert json.loads(first.definition_json) == {"name": "short", "kind": "length", "max_chars": 5}
    assert first.criterion_version != second.criterion_version


def test_a_version_that_is_in_use_again_is_noted_again(tmp_path):
    noted = []
    for chars, day in ((5, 0), (4, 1), (5, 2), (5, 3), (4, 3), (5, 3)):
        config = workspace(tmp_path, SHORT % chars)
        noted.append(note_versions(read_setup(config), DAYS[day]))
    assert noted == [1, 1, 1, 0, 1, 1]
    found = read_versions(Lake(config.lake))
    assert [one.criterion_version for one in found] == [found[0].criterion_version, found[1].criterion_version] * 2 + [
        found[0].criterion_version
    ]
    assert found == sorted(found, key=lambda one: one.since)
    assert len({one.since for one in found}) == len(found)


def test_a_night_of_the_past_that_is_run_again_notes_a_version_once(tmp_path):
    for chars, day in ((5, 0), (4, 3)):
        note_versions(read_setup(workspace(tmp_path, SHORT % chars)), DAYS[day])
    assert note_versions(read_setup(workspace(tmp_path, SHORT % 4)), DAYS[1]) == 0
    assert [note_versions(read_setup(workspace(tmp_path, SHORT % 3)), DAYS[1]) for _ in range(2)] == [1, 0]


def test_author_reason_and_severity_are_no_part_of_a_version(tmp_path):
    config = workspace(tmp_path, SHORT % 5)
    note_versions(read_setup(config), LAST)
    (tmp_path / "c.yaml").write_text(
        "- {name: short, kind: length, max_chars: 5, author: B, reason: r, severity: info}"
    )
    assert note_versions(read_setup(config), LAST) == 0


def test_a_changed_criterion_scores_the_window_again(tmp_path):
    config = workspace(tmp_path, SHORT % 5)
    land(config)
    score_days(read_setup(config), DAYS[0], DAYS[-2])
    (tmp_path / "c.yaml").write_text(SHORT % 3)
    setup = read_setup(config)
    score_days(setup, LAST, LAST)
    again = rescore_window(setup, LAST, LAST)
    assert (again.days, again.criteria, again.first(LAST)) == (tuple(DAYS[:-1]), ("r/short",), DAYS[0])
    for day in DAYS:
        assert sum(row["passed"] for row in scores(config, day)) == 3
    assert len({version for day in DAYS for version in versions_of(config, day)}) == 1
    assert rescore_window(setup, LAST, LAST).days == ()


def test_nothing_is_scored_again_where_no_criterion_changed_or_one_left(tmp_path):
    config = workspace(tmp_path, SHORT % 5 + "- {name: json, kind: json_valid}\n")
    land(config)
    score_days(read_setup(config), DAYS[0], LAST)
    (tmp_path / "c.yaml").write_text(SHORT % 5)
    assert rescore_window(read_setup(config), LAST, LAST).days == ()
    assert len(scores(config, DAYS[0], "json")) == 10


def test_going_back_to_an_older_version_scores_again_too(tmp_path):
    config = workspace(tmp_path, SHORT % 5)
    land(config)
    note_versions(read_setup(config), LAST - timedelta(days=100))
    (tmp_path / "c.yaml").write_text(SHORT % 3)
    score_days(read_setup(config), DAYS[0], DAYS[-2])
    (tmp_path / "c.yaml").write_text(SHORT % 5)
    setup = read_setup(config)
    score_days(setup, LAST, LAST)
    assert rescore_window(setup, LAST, LAST).days == tuple(DAYS[:-1])


@pytest.mark.parametrize(("price", "n_days"), [(0.0, 4), (1.0, 2)])
def test_a_judge_scores_the_window_again_as_far_as_its_share_of_the_budget_goes(tmp_path, price, n_days):
    budget = "budget: {usd: 40, concurrency: 1}\n"
    config = workspace(tmp_path, JUDGE % "polite" + SHORT % 5, budget)
    land(config)
    score_days(read_setup(config), DAYS[0], DAYS[-2], lambda _: Judge(), ask=True)
    (tmp_path / "c.yaml").write_text(JUDGE % "kind" + SHORT % 5)
    setup, judge = read_setup(config), Judge(cost_usd=price)
    score_days(setup, LAST, LAST, lambda _: judge, ask=True)
    new = versions_of(config, LAST, "polite")
    again = rescore_window(setup, LAST, LAST, lambda _: judge, ask=True)
    assert again.days == tuple(DAYS[4 - n_days : 4])
    assert [versions_of(config, day, "polite") == new for day in DAYS] == [False] * (4 - n_days) + [True] * (n_days + 1)
    assert all(len(scores(config, day)) == 10 and len(scores(config, day, "polite")) == 4 for day in DAYS)


def test_only_what_has_changed_is_scored_again(tmp_path, monkeypatch):
    config = workspace(tmp_path, SHORT % 5 + "- {name: json, kind: json_valid}\n" + JUDGE % "polite")
    land(config)
    score_days(read_setup(config), DAYS[0], DAYS[-2], lambda _: Judge(), ask=True)
    before = [(scores(config, day, "json"), scores(config, day, "polite")) for day in DAYS[:-1]]
    (tmp_path / "c.yaml").write_text(SHORT % 3 + "- {name: json, kind: json_valid}\n" + JUDGE % "polite")
    setup, scored = read_setup(config), []
    note_versions(setup, LAST)

    def seen(*given, **named):
        rows = production_scores.scored_rows(*given, **named)
        scored.append(set(rows["criterion"].to_pylist()))
        return rows

    monkeypatch.setattr(rescoring, "scored_rows", seen)
    assert rescore_window(setup, LAST, LAST).days == tuple(DAYS[:-1])
    assert scored == [{"short"}] * 4
    assert [(scores(config, day, "json"), scores(config, day, "polite")) for day in DAYS[:-1]] == before


def test_without_asking_a_changed_judge_leaves_the_window_as_it_is(tmp_path, monkeypatch):
    config = workspace(tmp_path, JUDGE % "polite")
    land(config)
    score_days(read_setup(config), DAYS[0], DAYS[-2], lambda _: Judge(), ask=True)
    before = [scores(config, day, "polite") for day in DAYS]
    (tmp_path / "c.yaml").write_text(JUDGE % "kind")
    setup = read_setup(config)
    note_versions(setup, LAST)
    monkeypatch.setattr(rescoring, "scored_rows", lambda *_, **__: pytest.fail("a day was scored for nothing"))
    assert rescore_window(setup, LAST, LAST).days == ()
    assert [scores(config, day, "polite") for day in DAYS] == before
