"""The queue of a day, drawn from a lake: what is in it, with which probability, and that it stays as it was drawn."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.config import Config, load_config
from flows.lake import from_rows
from flows.review import Question, add_items, journal_of
from flows.review.flow import draw
from flows.review.queue.day_queue import draw_queue
from flows.review.queue.questions import shares
from tests.unit.review.labelled import label

DAY = date(2026, 3, 10)
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
POLITE = Question("a", "polite", "v1", "Is it polite?", "judge-1")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "genchi.yaml"
    path.write_text("app: shop\nlake: lake\n", encoding="utf-8")
    return load_config(path, {})


def land(config: Config, count: int, day: date = DAY, **more: Any) -> list[str]:
    rows = [
        {"call_id": f"{more.get('route', 'a')}-{day}-{n}", "route": "a", "started_at": AT, "status": "success",
         "model_served": "m", "input_text": f"question {n}", "output_text": f"answer {n}", "latency_ms": float(n % 90),
         "cost_usd": 0.1, "session_id": f"s{n // 3}", **more}
        for n in range(count)
    ]  # fmt: skip
    file = str(more.get("route", "data"))
    config.open_lake().write("interactions", day, from_rows(rows, "interactions"), file)
    return [str(row["call_id"]) for row in rows]


def judge(config: Config, call_ids: list[str], *, fails: int) -> None:
    rows = [
        {"subject": "interaction", "subject_id": call_id, "criterion": "polite", "criterion_version": "v1",
         "route": "a", "passed": n >= fails, "reason": f"because {n}"}
        for n, call_id in enumerate(call_ids)
    ]  # fmt: skip
    config.open_lake().write("scores", DAY, from_rows(rows, "scores"), "production")


def queue(config: Config, day: date = DAY) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = config.open_lake().read("review_queue", day).to_pylist()
    return rows


def strata(config: Config) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = config.open_lake().read("review_strata", DAY).to_pylist()
    return rows


def test_a_route_without_a_judge_is_asked_whether_its_answers_are_good(config: Config) -> None:
    land(config, 300)
    assert draw_queue(config, DAY, []).summary() == "30 answers to review of 1 route, 5 of them by a second person too"
    rows = queue(config)
    assert {(row["criterion"], row["question"], row["judge"]) for row in rows} == {
        ("overall", "Is this answer good?", None)
    }
    assert [row["position"] for row in rows] == list(range(1, 36))
    first = [row for row in rows if not row["is_second"]]
    assert {row["subject_id"] for row in rows if row["is_second"]} < {row["subject_id"] for row in first}
    sessions = [json.loads(row["item_json"])["call"]["session_id"] for row in first]
    assert len(set(sessions)) == len(sessions) == 30
    assert all(0 < row["inclusion_probability"] <= 1 for row in rows)


def test_strata_hold_every_call_of_the_pool_and_what_was_drawn_of_each(config: Config) -> None:
    judge(config, land(config, 400)[:300], fails=30)
    draw_queue(config, DAY, [POLITE])
    sizes = {row["stratum"]: row["stratum_size"] for row in strata(config)}
    assert sum(sizes.values()) == 300
    assert sum(size for name, size in sizes.items() if name.endswith(":fail")) == 30
    drawn = Counter(row["stratum"] for row in queue(config) if row["stratum"] and not row["is_second"])
    assert drawn == {row["stratum"]: row["sample_size"] for row in strata(config) if row["sample_size"]}
    assert drawn["plain:fail"] >= 5  # of 30 in 300: at random it would be 3
    for row in queue(config):
        assert (row["judge"], row["judge_verdict"]) == ("judge-1", not row["stratum"].endswith(":fail"))
        assert row["judge_reason"].startswith("because")


def test_rates_are_drawn_for_evenly_by_the_verdict(config: Config, tmp_path: Path) -> None:
    (tmp_path / "genchi.yaml").write_text("app: shop\nlake: lake\nreview: {draw: rates}\n", encoding="utf-8")
    config = load_config(tmp_path / "genchi.yaml", {})
    judge(config, land(config, 600, session_id=None), fails=60)
    draw_queue(config, DAY, [POLITE])
    drawn = Counter(row["stratum"].partition(":")[2] for row in queue(config) if not row["is_second"])
    assert drawn == {"fail": 15, "pass": 15}


def test_the_same_day_is_drawn_the_same_and_another_day_is_not(config: Config) -> None:
    land(config, 300)
    draw_queue(config, DAY, [])
    first = queue(config)
    draw_queue(config, DAY, [])
    assert queue(config) == first
    ids = {row["subject_id"].rpartition("-")[2] for row in first}
    other = DAY + timedelta(days=1)
    land(config, 300, other)
    draw_queue(config, other, [])
    assert {row["subject_id"].rpartition("-")[2] for row in queue(config, other)} != ids


def test_nothing_is_drawn_twice_within_sixty_days(config: Config) -> None:
    ids = land(config, 100, session_id=None)
    seen = [{"route": "a", "criterion": "overall", "subject": "interaction", "subject_id": one} for one in ids[:40]]
    config.open_lake().write("review_queue", DAY - timedelta(days=59), from_rows(seen[:20], "review_queue"))
    labels = [one | {"label_id": one["subject_id"]} for one in seen[20:]]
    config.open_lake().write("annotations", DAY - timedelta(days=2), from_rows(labels, "annotations"))
    draw_queue(config, DAY, [])
    assert not {row["subject_id"] for row in queue(config)} & set(ids[:40])
    assert sum(row["stratum_size"] for row in strata(config)) == 60


def test_a_queue_with_labels_stays_as_it_was_drawn(config: Config) -> None:
    land(config, 200)
    draw_queue(config, DAY, [])
    before = queue(config)
    label = {"label_id": "1", "queue_day": DAY, "subject_id": before[0]["subject_id"], "passed": True}
    config.open_lake().write("annotations", DAY + timedelta(days=1), from_rows([label], "annotations"))
    land(config, 400)
    again = draw_queue(config, DAY, [])
    assert again.summary().endswith("; kept, because 1 label hangs on it")
    assert queue(config) == before


def test_every_route_has_its_turn(config: Config) -> None:
    for route in "abcde":
        land(config, 60, route=route)
    asked = Counter[str]()
    for later in range(5):
        day = DAY + timedelta(days=later)
        for route in "abcde":
            land(config, 60, day, route=route)
        draw_queue(config, day, [])
        asked.update(row["route"] for row in queue(config, day) if not row["is_second"])
    assert asked == dict.fromkeys("abcde", 30)


def test_a_share_that_a_question_cannot_fill_goes_to_the_others() -> None:
    assert shares([4, 500, 500], 30, turn=0) == [4, 13, 13]
    assert shares([2, 3], 30, turn=0) == [2, 3]
    assert shares([], 30, turn=0) == []
    assert sum(shares([3] * 20, 30, turn=7)) == 30
    assert shares([100], 0, turn=0) == [0]


def test_feedback_and_slow_calls_make_strata_of_their_own_and_say_why(config: Config) -> None:
    ids = land(config, 300, session_id=None)
    down = [{"call_id": one, "kind": "thumbs", "at": AT, "value": "-1", "comment": "wrong"} for one in ids[:4]]
    config.open_lake().write("feedback", DAY, from_rows(down, "feedback"))
    draw_queue(config, DAY, [])
    named = {row["stratum"]: row for row in queue(config)}
    assert {row["stratum"]: row["stratum_size"] for row in strata(config)} == {
        "bad_feedback:unjudged": 4, "costly:unjudged": 3, "plain:unjudged": 293,
    }  # fmt: skip
    reasons = {row["reason"] for row in queue(config) if row["draw"] == "targeted"}
    assert "the user was not content: thumbs -1 wrong" in reasons
    assert json.loads(named["bad_feedback:unjudged"]["item_json"])["context"] == [
        {"title": "the user said", "text": "thumbs -1 wrong"}
    ]


def test_calls_that_the_judge_has_not_seen_come_without_a_probability(config: Config) -> None:
    ids = land(config, 300, session_id=None)
    judge(config, ids[:100], fails=10)
    down = [{"call_id": one, "kind": "rating", "at": AT, "value": "1"} for one in ids[200:210]]
    config.open_lake().write("feedback", DAY, from_rows(down, "feedback"))
    draw_queue(config, DAY, [POLITE])
    beside = [row for row in queue(config) if row["inclusion_probability"] is None]
    assert len(beside) == 5
    assert {row["subject_id"] for row in beside} <= set(ids[200:210])
    assert {(row["draw"], row["stratum"], row["judge"]) for row in beside} == {("targeted", None, None)}
    assert len([row for row in queue(config) if not row["is_second"]]) == 30


def test_a_queue_that_people_judge_while_the_night_runs_is_not_drawn_again(config: Config) -> None:
    land(config, 300)
    lake = config.open_lake()
    with lake.lock("test"):
        draw.fn(config, DAY, [])
        before = queue(config)
        labelled = label("while-it-runs", subject_id=before[0]["subject_id"], queue_day=DAY, at=AT + timedelta(days=1))
        journal_of(config.state).append([labelled])
        land(config, 10)
        assert draw.fn(config, DAY, []).judged == 1
    assert queue(config) == before


def test_a_queue_that_people_judge_while_it_is_drawn_anew_stays(config: Config) -> None:
    land(config, 300)
    draw_queue(config, DAY, [])
    before, lake, looks = queue(config), config.open_lake(), list[int]()
    labelled = {"label_id": "1", "queue_day": DAY, "subject_id": before[0]["subject_id"], "passed": True}

    def collect() -> None:
        looks.append(1)
        if len(looks) == 2:
            lake.write("annotations", DAY + timedelta(days=1), from_rows([labelled], "annotations"))

    land(config, 10)
    assert draw_queue(config, DAY, [], collect).judged == 1
    assert queue(config) == before


def test_calls_without_an_answer_do_not_count_as_drawn_of_their_stratum(config: Config) -> None:
    land(config, 100, session_id=None)
    land(config, 100, session_id=None, route="b", output_text=None)
    lake = config.open_lake()
    mixed = [*lake.read("interactions", DAY, "data").to_pylist(), *lake.read("interactions", DAY, "b").to_pylist()]
    lake.remove("interactions", DAY, "b")
    lake.write("interactions", DAY, from_rows([row | {"route": "a"} for row in mixed], "interactions"))
    draw_queue(config, DAY, [])
    rows = [row for row in queue(config) if not row["is_second"]]
    shown = Counter(row["stratum"] for row in rows)
    assert 0 < sum(shown.values()) < 30
    assert {row["stratum"]: row["sample_size"] for row in strata(config)} == {
        row["stratum"]: shown[row["stratum"]] for row in strata(config)
    }
    assert {row["sample_size"] for row in rows} == {shown[row["stratum"]] for row in rows}


def test_no_samples_no_calls_and_no_texts_make_no_queue(config: Config, tmp_path: Path) -> None:
    assert draw_queue(config, DAY, [POLITE]).summary() == "nothing to review"
    land(config, 50, output_text=None)
    assert draw_queue(config, DAY, []).summary() == "nothing to review"
    land(config, 50, status="error")
    assert draw_queue(config, DAY, []).summary() == "nothing to review"
    land(config, 50)
    (tmp_path / "genchi.yaml").write_text("app: shop\nlake: lake\nreview: {samples_per_day: 0}\n", encoding="utf-8")
    assert draw_queue(load_config(tmp_path / "genchi.yaml", {}), DAY, []).summary() == "nothing to review"


def test_items_that_are_handed_in_come_after_the_drawn_ones_with_their_texts(config: Config) -> None:
    land(config, 100)
    draw_queue(config, DAY, [])
    old = queue(config)[0]
    later = DAY + timedelta(days=3)
    land(config, 100, later)
    draw_queue(config, later, [])
    item = {name: old[name] for name in ("route", "subject", "subject_id", "criterion", "question")}
    named = item | {"criterion_version": "v2"}
    gone = named | {"subject_id": "not in any lake"}
    lake = config.open_lake()
    assert add_items(lake, later, [named, gone]) == 1
    assert add_items(lake, later, [named, gone]) == 1
    (added,) = [row for row in queue(config, later) if row["draw"] == "relabel"]
    assert (added["item_json"], added["inclusion_probability"]) == (old["item_json"], None)
    assert added["position"] == max(row["position"] for row in queue(config, later))
    assert draw_queue(config, later, []).answers == 30  # drawn again, and what was handed in stays
    assert len([row for row in queue(config, later) if row["draw"] == "relabel"]) == 1
