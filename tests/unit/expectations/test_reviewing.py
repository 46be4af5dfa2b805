"""A queue that nobody judges is told to the rota: once as a warning, then once a week."""

from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.config import Config
from flows.config.sections import Review
from flows.errors import RunError
from flows.lake import from_rows

FIRST = date(2026, 3, 3)  # a Tuesday


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        path=tmp_path / "genchi.yaml",
        app="desk",
        lake=tmp_path / "lake",
        warehouse=tmp_path / "warehouse.duckdb",
        review=Review(rota=("Ada", "Bo"), within=3),
    )


def reviewed(config: Config, counts: dict[date, int]) -> None:
    """A mart in which so many answers of each day's queue were judged."""
    config.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.fct_review_daily (day date, route text, queued bigint, reviewed bigint)")
        for day, count in counts.items():
            connection.execute("insert into marts.fct_review_daily values (?, 'a', 30, ?)", [day, count])


def told(config: Config, night: date) -> list[tuple[str, str]]:
    """Severity and words of what fails. The results are stored, as a night stores them."""
    from expectations import checkpoints, results, reviewing

    frame = reviewing.frame(config, night)
    checked = checkpoints.run(checkpoints.new_context(), reviewing.suite(config), frame)
    found = results.read(reviewing.NAME, frame, checked)
    config.open_lake().write("expectation_results", night, from_rows(map(asdict, found), "expectation_results"))
    return [(row.severity, row.observed) for row in found if not row.success]


def nights(first: date, count: int) -> list[date]:
    """So many days from `first` on."""
    return [first + timedelta(days=n) for n in range(count)]


def test_the_first_queue_that_is_too_old_warns_and_names_whose_week_it_is(config: Config) -> None:
    reviewed(config, {FIRST - timedelta(days=1): 30} | dict.fromkeys(nights(FIRST, 4), 0))
    assert told(config, FIRST + timedelta(days=2)) == []  # it has one night more
    ((severity, words),) = told(config, FIRST + timedelta(days=3))
    assert severity == "warning"
    assert words.startswith("nobody judged 1 queue (2026-03-03); this week: ")
    relaxed = config.model_copy(update={"risk": "relaxed"})
    assert [severity for severity, _ in told(relaxed, FIRST + timedelta(days=3))] == ["info"]


def test_while_nobody_judges_it_warns_once_a_week(config: Config) -> None:
    reviewed(config, dict.fromkeys(nights(FIRST, 30), 0))
    after = nights(FIRST + timedelta(days=3), 21)
    warned = [night for night in after if told(config, night)[0][0] == "warning"]
    assert warned == [after[0], date(2026, 3, 8), date(2026, 3, 15), date(2026, 3, 22)]  # then Sundays, for Monday
    assert told(config, date(2026, 3, 10)) == [
        ("info", "nobody judged 5 queues (2026-03-03 to 2026-03-07); this week: Bo")
    ]
    assert {words.rpartition(" ")[2] for night in after for _, words in told(config, night)} == {"Ada", "Bo"}


def test_several_queues_at_once_that_no_night_has_told_of_warn_too(config: Config) -> None:
    reviewed(config, dict.fromkeys(nights(FIRST, 9), 0))
    wednesday = FIRST + timedelta(days=8)
    told(config, FIRST - timedelta(days=1))
    assert [severity for severity, _ in told(config, wednesday)] == ["warning"]  # no night ran before it
    assert [severity for severity, _ in told(config, wednesday + timedelta(days=1))] == ["info"]
    # A late label of an older queue leaves two newer ones, of which no night has told.
    reviewed(config, dict.fromkeys(nights(FIRST, 9), 0) | {FIRST + timedelta(days=5): 1})
    ((severity, words),) = told(config, FIRST + timedelta(days=10))
    assert (severity, words.partition(";")[0]) == ("warning", "nobody judged 2 queues (2026-03-09 to 2026-03-10)")


def test_one_judgement_is_enough_and_no_rota_is_not_told(config: Config) -> None:
    reviewed(config, dict.fromkeys(nights(FIRST, 5), 0) | {FIRST + timedelta(days=1): 1})
    assert told(config, FIRST + timedelta(days=4)) == []
    from expectations import validate

    def names(given: Config) -> list[str]:
        return [suite.NAME for suite in validate.applicable(given)]

    assert names(config) == ["verdicts", "nights", "review"]
    assert names(config.model_copy(update={"review": Review()})) == ["verdicts", "nights"]
    assert names(config.model_copy(update={"review": Review(rota=("Ada",), samples_per_day=0)})) == [
        "verdicts",
        "nights",
    ]


def test_a_warehouse_without_the_mart_says_what_builds_it(config: Config) -> None:
    duckdb.connect(str(config.warehouse)).close()
    with pytest.raises(RunError, match=r"fct_review_daily.*`genchi transform` builds it"):
        told(config, FIRST)
