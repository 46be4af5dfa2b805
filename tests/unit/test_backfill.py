"""Which days a backfill does, and how long it says that it takes."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from flows import backfill, backfill_estimate
from flows.backfill import Backfilled, Request, _together, estimated
from flows.backfill_days import Ledger, Plan
from flows.backfill_estimate import BUILD_AS_DAYS, Rates, Took, Work
from flows.cli import main
from flows.config import load_config
from flows.errors import ConfigError, RunError
from flows.evaluate import EvalSetup, load_setup
from flows.ingest.landing import land_days
from flows.lake import each_day
from flows.lake.lake import Lake, from_rows
from flows.retention import apply

FIRST = date(2026, 3, 1)
DAYS = tuple(each_day(FIRST, FIRST + timedelta(days=3)))


def log(folder: Path, day: date, count: int = 2) -> None:
    lines = [
        {"call_id": f"{day}-{n}", "started_at": f"{day}T10:00:0{n}Z", "input_text": "hi", "output_text": "ho"}
        for n in range(count)
    ]
    (folder / f"{day}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def setup_of(folder: Path, more: str = "") -> EvalSetup:
    source = "{name: app, format: genchi, path: '{day}.jsonl'}"
    (folder / "genchi.yaml").write_text(f"app: a\nlake: lake\nsources: [{source}]\n{more}", encoding="utf-8")
    return load_setup(load_config(folder / "genchi.yaml", {}))


@pytest.fixture
def done(tmp_path: Path) -> EvalSetup:
    """A workspace whose days a backfill has read and built; the marts are made by hand."""
    for day in DAYS:
        log(tmp_path, day)
    setup = setup_of(tmp_path)
    land_days(setup.config, DAYS[0], DAYS[-1])
    built(setup, DAYS)
    with setup.config.open_lake().lock("test"):
        ledger = Ledger(setup)
        ledger.note("ingest", DAYS)
        ledger.note("transform", DAYS)
    return setup


def built(setup: EvalSetup, days: Sequence[date]) -> None:
    with duckdb.connect(str(setup.config.warehouse)) as connection:
        connection.execute("create schema marts; create table marts.fct_usage_daily (day date)")
        connection.executemany("insert into marts.fct_usage_daily values (?)", [[day] for day in days])


def plan(setup: EvalSetup, *, is_forced: bool = False) -> Plan:
    return Ledger(setup).plan(DAYS[0], DAYS[-1], None, is_forced=is_forced)


def test_a_first_backfill_does_all_days(tmp_path: Path) -> None:
    for day in DAYS:
        log(tmp_path, day)
    found = plan(setup_of(tmp_path))
    assert found.to_read == found.due == DAYS
    assert (found.files, found.bytes) == (4, sum(path.stat().st_size for path in tmp_path.glob("*.jsonl")))
    assert not (tmp_path / "lake" / "_backfill").exists()


def test_days_that_are_done_are_passed_over_unless_they_are_forced(done: EvalSetup) -> None:
    assert plan(done).due == ()
    assert plan(done, is_forced=True).to_read == DAYS


@pytest.mark.parametrize(
    ("name", "read_again"), [("features.csv", 0), ("dbt/models/own.sql", 0), ("formats/own.sql", len(DAYS))]
)
def test_days_are_done_again_when_what_the_workspace_adds_has_changed(
    name: str, read_again: int, done: EvalSetup
) -> None:
    place = done.config.workspace / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("select 1", encoding="utf-8")
    found = plan(done)
    assert (len(found.to_read), found.due) == (read_again, DAYS)


def test_a_day_whose_log_has_grown_is_read_again(done: EvalSetup) -> None:
    log(done.config.workspace, DAYS[2], 5)
    assert plan(done).to_read == plan(done).due == (DAYS[2],)


def test_a_log_that_came_late_is_read(done: EvalSetup) -> None:
    (done.config.workspace / f"{DAYS[1]}.jsonl").unlink()
    with done.config.open_lake().lock("test"):
        Ledger(done).note("ingest", [DAYS[1]])
    assert plan(done).to_read == ()
    log(done.config.workspace, DAYS[1])
    assert plan(done).to_read == (DAYS[1],)


def test_another_configuration_or_test_set_does_all_days_again(done: EvalSetup) -> None:
    folder = done.config.workspace
    assert plan(setup_of(folder, "alerts: [{kind: webhook, url: 'http://127.0.0.1:1/'}]\n")).due == ()
    assert plan(setup_of(folder, "redact: [email]\n")).to_read == DAYS
    (folder / "dev.jsonl").write_text('{"example_id": "1", "input": "hi"}\n', encoding="utf-8")
    more = setup_of(folder, "dev_set: dev.jsonl\n")
    with more.config.open_lake().lock("test"):
        Ledger(more).note("ingest", DAYS)
    assert plan(more).to_read == ()
    (folder / "dev.jsonl").write_text('{"example_id": "1", "input": "ho"}\n', encoding="utf-8")
    assert plan(more).to_read == DAYS


def test_marts_are_built_again_if_the_calls_of_their_window_have_changed(done: EvalSetup) -> None:
    lake = Lake(done.config.lake)
    lake.write("interactions", DAYS[0] - timedelta(days=10), from_rows([], "interactions"))
    assert plan(done).due == DAYS
    assert plan(done).to_read == ()


def test_marts_that_a_night_has_changed_or_somebody_deleted_are_built_again(done: EvalSetup) -> None:
    with done.config.open_lake().lock("test"):
        Ledger(done).forget("transform", DAYS[2])
    assert plan(done).due == DAYS[2:]
    done.config.warehouse.unlink()
    assert plan(done).due == DAYS


def test_a_note_that_cannot_be_read_is_none(done: EvalSetup) -> None:
    (done.config.workspace / "lake" / "_backfill" / "done.json").write_text("{", encoding="utf-8")
    assert plan(done).to_read == DAYS


def test_a_database_is_always_read_again(tmp_path: Path) -> None:
    setup = setup_of(tmp_path)
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nsources: [{name: db, format: litellm, dsn: 'postgresql://u@127.0.0.1/x'}]\n",
        encoding="utf-8",
    )
    setup = load_setup(load_config(tmp_path / "genchi.yaml", {}))
    with setup.config.open_lake().lock("test"):
        Ledger(setup).note("ingest", DAYS)
    assert plan(setup).to_read == DAYS
    assert "1 database" in " ".join(backfill_estimate.lines(setup.config, plan(setup), 0, None))


def test_the_estimate_says_what_is_done_how_much_is_read_and_by_what_it_knows_the_time(done: EvalSetup) -> None:
    log(done.config.workspace, DAYS[3], 4)
    found = plan(done)
    first = list(backfill_estimate.lines(done.config, found, 1, None))
    assert first[0] == "2026-03-01 to 2026-03-04: 4 days, 3 of them done and unchanged"
    assert first[1] == "to read: 1 file of 0.4 kB, about 4 calls"
    assert first[2:4] == ["to build: 1 day at once, from 2026-03-04 on, and 1 page", "no model is asked"]
    assert first[4].startswith("about 8 s, by what a first backfill took on two cores: ingest 0 s, ")
    took = Took(10.0, Work(found.bytes // 2, 2, 1))
    with done.config.open_lake().lock("test"):
        backfill_estimate.note_rates(done.config, Rates("the backfill of a to b", {"ingest": took, "report": took}))
    *_, last = backfill_estimate.lines(done.config, found, 6, None)
    assert last == (
        "about 80 s, by the backfill of a to b: ingest 20 s, report 60 s; semantics, production, transform: not known"
    )


def test_the_time_is_that_of_the_newest_night_where_no_backfill_ran(done: EvalSetup) -> None:
    config, night = done.config, DAYS[3]
    rows = [
        {"run": f"nightly-{night}", "stage": stage, "position": n, "seconds": 5.0}
        for n, stage in enumerate(("ingest", "transform"))
    ]
    Lake(config.lake).write("night_runs", night, from_rows(rows, "night_runs"), f"nightly-{night}")
    found = backfill_estimate.known_rates(config)
    assert found is not None
    assert found.whose == f"the night of {night}"
    of_night = found.stages["ingest"].work.bytes
    assert of_night == (config.workspace / f"{night}.jsonl").stat().st_size
    assert found.of("ingest", Work(3 * of_night, 9, 9)) == 15.0
    assert found.of("transform", Work(0, BUILD_AS_DAYS + 2, 0)) == pytest.approx(5.0 * (2 * BUILD_AS_DAYS + 2) / 44)
    assert found.of("semantics", Work(1, 1, 1)) is None


def test_the_first_day_is_read_alone_and_the_others_in_groups_of_neighbors() -> None:
    days = [FIRST + timedelta(days=n) for n in (0, 1, 2, 3, 7, 8)]
    assert [len(group) for group in _together(days)] == [1, 3, 2]
    assert [len(group) for group in _together([FIRST + timedelta(days=n) for n in range(20)])] == [1, 14, 5]


def test_pages_are_of_the_last_days_and_of_those_that_have_none(tmp_path: Path) -> None:
    found = Plan(DAYS, (), (DAYS[3],), {})
    (tmp_path / str(DAYS[2])).mkdir()
    (tmp_path / str(DAYS[2]) / "index.html").touch()
    assert Request(DAYS[0], DAYS[3], pages=3).days_with_page(found, tmp_path) == [DAYS[1], DAYS[3]]
    assert Request(DAYS[0], DAYS[3], pages=0).days_with_page(found, tmp_path) == []
    assert Request(DAYS[0], DAYS[3], pages=99).days_with_page(found, tmp_path) == [DAYS[0], DAYS[1], DAYS[3]]


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ConfigError, match="is before --start"):
        Request(DAYS[1], DAYS[0]).check()


def test_days_whose_rows_are_gone_are_refused_before_anything_is_read(done: EvalSetup) -> None:
    config = done.config.model_copy(update={"retention": {"interactions": 1}})
    apply(config, DAYS[-1])
    with pytest.raises(RunError, match="rows were removed by `retention`"):
        list(estimated(done, Request(DAYS[0], DAYS[1])))
    assert list(estimated(done, Request(DAYS[0], DAYS[-1])))


def test_an_exit_code_of_critical_incidents_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = setup_of(tmp_path).config.path
    command = ["backfill", "--config", str(path), "--start", str(DAYS[0]), "--end", str(DAYS[1])]
    for critical, code, said in ((0, 0, ""), (2, 1, "exit code 1: 2 critical incidents on these days\n")):
        result = Backfilled(DAYS[0], DAYS[1], critical=critical)
        monkeypatch.setattr(backfill, "run_backfill", lambda *_, result=result, **__: result)
        assert (main(command), capsys.readouterr().out) == (code, said)
