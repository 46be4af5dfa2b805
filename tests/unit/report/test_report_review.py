"""The page says what there is to review, whose week it is, and who judged the queue before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.config import Config, load_config
from flows.config.rota import on_duty
from flows.lake import from_rows
from flows.report.page import write_report
from tests.unit.report import synthetic

DAY = synthetic.DAY  # a Tuesday
BEFORE = DAY - timedelta(days=1)
AT = datetime(2024, 5, 14, 9, tzinfo=UTC)


def page(root: Path, **marts: list[dict[str, Any]]) -> str:
    """The page of a night whose queue has three answers, one of them for two people."""
    root.mkdir(exist_ok=True)
    given = synthetic.config(root)
    path = root / "review.yaml"
    path.write_text(f"app: desk\nlake: {given.lake}\nreview: {{rota: [<b>Bo</b>, Ada]}}\n", encoding="utf-8")
    config: Config = load_config(path, {})
    synthetic.write_warehouse(config.warehouse, synthetic.marts() | marts)
    rows = [{"subject_id": f"c{n}", "is_second": n == 3} for n in range(4)]
    config.open_lake().write("review_queue", DAY, from_rows(rows, "review_queue"))
    return write_report(config, DAY).path.read_text()


def of_day(day: object, reviewed: int, **more: Any) -> dict[str, Any]:
    """A row of fct_review_daily."""
    return {"day": day, "route": "triage", "queued": 30, "reviewed": reviewed} | more


def test_the_page_names_the_queue_the_next_step_and_whose_week_it_is(tmp_path: Path) -> None:
    html = page(tmp_path)
    assert "<b>3 answers</b>: <code>genchi review --day 2024-05-14</code>; 1 of them for a second person too." in html
    assert "This week: <b>&lt;b&gt;Bo&lt;/b&gt;</b>." in html
    assert "Reviewed of the queue before" not in html


def test_the_page_says_who_judged_the_queue_before_and_that_a_reviewer_was_simulated(tmp_path: Path) -> None:
    person = {
        "day": BEFORE, "route": "triage", "reviewed": 15, "seconds_median": 8.0, "seconds_median_of_routes": 11.0,
        "last_at": AT,
    }  # fmt: skip
    reviewers = [
        person | {"annotator": "Ada", "annotator_kind": "person"},
        person
        | {"annotator": "Ada", "annotator_kind": "person", "route": "reply", "reviewed": 5, "seconds_median": 30.0},
        person | {"annotator": "robot", "annotator_kind": "simulated", "reviewed": 4, "seconds_median_of_routes": None},
    ]
    html = page(tmp_path, fct_review_daily=[of_day(BEFORE, 24)], fct_reviewers_daily=reviewers)
    told = "Reviewed of the queue before: 24 of 30 (Ada: 20, 11.0 s each; robot, a simulated reviewer: 4)."
    assert told in html


def test_the_page_names_the_queues_that_nobody_judged_in_time(tmp_path: Path) -> None:
    days = [of_day(DAY - timedelta(days=age), 0) for age in range(1, 6)] + [of_day(DAY - timedelta(days=6), 9)]
    html = page(tmp_path, fct_review_daily=days)
    assert "Nobody judged 3 queues (2024-05-09 to 2024-05-11)." in html
    assert "Nobody judged" not in page(tmp_path / "other", fct_review_daily=[of_day(DAY - timedelta(days=3), 1)])


def test_a_night_without_a_queue_says_nothing_of_review(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    synthetic.write_warehouse(config.warehouse, synthetic.marts())
    assert "To review" not in write_report(config, DAY).path.read_text()


def test_the_turn_goes_on_each_monday_morning_also_over_a_new_year() -> None:
    rota = ("Ada", "Bo", "Cy")
    sunday = DAY.replace(year=2020, month=12, day=20)  # its queue is open from Monday on
    names = [on_duty(rota, sunday + timedelta(days=7 * week)) for week in range(6)]
    assert len(set(names[:3])) == 3
    assert names[3:] == names[:3]
    assert all(on_duty(rota, sunday + timedelta(days=n)) == names[0] for n in range(7))
    assert on_duty(rota, sunday - timedelta(days=1)) == names[2]
    assert on_duty((), DAY) is None
