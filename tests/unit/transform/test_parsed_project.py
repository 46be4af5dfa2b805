"""What dbt has parsed for one workspace serves another: with the same settings, and on its own lake."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows import project
from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.transform import built_before, dbt_runner, parsed_project
from flows.transform.build import days_of_build, variables
from flows.transform.dbt_events import without_debugging
from flows.transform.dbt_runner import run_dbt
from flows.transform.parse_ahead import parsing_ahead
from flows.warehouse import query

DAY = date(2026, 3, 4)


def workspace(folder: Path, calls: int, **more: object) -> Config:
    """One whose lake has so many calls."""
    lake = folder / "it's $lake [1]"
    config = Config.model_validate(
        {"path": folder / "genchi.yaml", "app": "a", "lake": lake, "warehouse": lake / "warehouse.duckdb", **more}
    )
    rows = [
        {"call_id": str(n), "route": "r", "started_at": datetime(2026, 3, 4, 12, tzinfo=UTC), "status": "success"}
        for n in range(calls)
    ]
    Lake(lake).write("interactions", DAY, from_rows(rows, "interactions"))
    Lake(lake).create()
    return config


def built(config: Config) -> int:
    """The calls in the table that is built of the lake, with its seeds."""
    asked = ["build", "--exclude-resource-type", "unit_test", "test", "--select", "+fct_usage_daily"]
    run_dbt(config, asked, variables(config), days_of_build(DAY, DAY))
    found = query(config.warehouse, "select cast(sum(calls) as bigint) as n from marts.fct_usage_daily")
    return int(found[0]["n"])


def parsed(config: Config) -> bytes:
    return (config.state / "_dbt" / "target" / parsed_project.FILE).read_bytes()


def test_a_second_workspace_takes_what_the_first_has_left_and_reads_its_own_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first, second = workspace(tmp_path / "first", 2), workspace(tmp_path / "second", 3)
    assert (built(first), built(second)) == (2, 3)
    # dbt writes its file again, with the time, where it has parsed anything.
    assert parsed(second) == parsed(first)
    assert [path.read_bytes() for path in (tmp_path / "cache" / "genchi").iterdir()] == [parsed(first)]
    other = workspace(tmp_path / "other", 4, window_days=7)
    assert built(other) == 4
    assert parsed(other) != parsed(first)
    assert len(list((tmp_path / "cache" / "genchi").iterdir())) == 2


@pytest.mark.long
def test_what_was_parsed_of_a_project_at_another_place_is_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = workspace(tmp_path / "one", 2)
    places = [tmp_path / "checkout", tmp_path / "moved"]
    shutil.copytree(project.DBT_PROJECT, places[0])
    for place in places:
        if place != places[0]:
            places[0].rename(place)
        for module in (project, built_before, dbt_runner, parsed_project):
            monkeypatch.setattr(module, "DBT_PROJECT", place)
        assert built(config) == 2
        assert built(workspace(tmp_path / f"another, {place.name}", 3)) == 3
    assert len(list((tmp_path / "cache" / "genchi").iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = workspace(tmp_path / "one", 1)
    run_dbt(config, ["parse"], variables(config), {})
    assert parsed(config)
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "")
    run_dbt(config, ["parse"], variables(config), {})


def test_what_is_parsed_ahead_serves_the_first_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = workspace(tmp_path, 2, engine={"threads": 2})
    config.path.write_text('app: a\nlake: "it\'s $lake [1]"\n', encoding="utf-8")
    with parsing_ahead(config) as process:
        assert process is not None
        assert process.wait(300) == 0
    assert not config.warehouse.exists()
    with parsing_ahead(config) as process:
        assert process is None
    (kept,) = (tmp_path / "cache" / "genchi").iterdir()
    assert built(config) == 2
    assert parsed(config) == kept.read_bytes()


def test_dbt_makes_no_messages_for_debugging() -> None:
    from dbt_common.events import functions
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.types import Note

    seen: list[str] = []
    manager = functions.get_event_manager()
    manager.add_callback(lambda message: seen.append(message.info.msg))
    try:
        with without_debugging():
            functions.fire_event(Note(msg="hidden"), level=EventLevel.DEBUG)
            functions.fire_event(Note(msg="told"), level=EventLevel.INFO)
        functions.fire_event(Note(msg="told again"), level=EventLevel.DEBUG)
    finally:
        manager.callbacks.pop()
    assert seen == ["told", "told again"]
