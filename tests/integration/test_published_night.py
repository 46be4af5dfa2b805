"""A night whose marts are read without its warehouse: on this machine, and in a real object store."""

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from expectations.validate import validate
from flows.alerts.digest import of_night
from flows.cli import breach_list
from flows.config import Config, load_config
from flows.demo.workspace import write_workspace
from flows.evaluate.propose.described import describe_calls, describe_examples
from flows.export import export_tables, publish_marts, rows_of_tables
from flows.lake.store_addresses import Storage
from flows.marts import PublishedMarts, built_marts
from flows.report import evidently_page
from flows.report.flow import write_again
from flows.review.page.night_incidents import incidents_of
from flows.review.queue.night_findings import findings_of
from tests.integration import in_process
from tests.integration.servers import make_bucket, object_store

LAST = date(2026, 3, 31)
DAYS = 3
pytestmark = pytest.mark.long


def small(folder: Path, **settings: Any) -> Path:
    """The last days of the demo, with forty examples asked once."""
    path = write_workspace(folder, LAST, days=DAYS)
    holdout = folder / "holdouts" / "triage.jsonl"
    holdout.write_text("".join(holdout.read_text().splitlines(keepends=True)[:40]))
    found = yaml.safe_load(path.read_text())
    found["routes"]["triage"]["repeats"] = 1
    path.write_text(yaml.safe_dump(found | settings))
    return path


def run(path: Path, *arguments: str) -> None:
    done = in_process.genchi(*arguments, "--config", str(path))
    assert done.returncode in (0, 1), done.stderr


def assert_as_built(config: Config) -> None:
    """Every mart has the same rows, as published and in every exported table, as the warehouse has."""
    built, published = built_marts(config), PublishedMarts(config.open_lake())
    exported = dict(rows_of_tables(config)) if config.export else {}
    assert set(built.columns()) == set(published.columns()) >= set(exported)
    n = 0
    for name, columns in built.columns().items():
        rows = [repr(tuple(row.values())) for row in built.query(f"from marts.{name} order by all")]
        n += len(rows)
        assert [repr(tuple(row.values())) for row in published.query(f"from marts.{name} order by all")] == rows, name
        if name in exported:
            with duckdb.connect() as connection:
                connection.execute("set timezone = 'UTC'")
                connection.register("exported", exported[name])
                found = connection.execute(f"select {', '.join(columns)} from exported order by all").fetchall()
            assert list(map(repr, found)) == rows, name
    assert n > 1000


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Path:
    """A workspace after a backfill and a night."""
    path = small(tmp_path_factory.mktemp("published"), export={"format": "iceberg", "path": "tables"}, evidently=True)
    run(path, "backfill", "--start", "2026-03-29", "--end", "2026-03-30")
    run(path, "nightly", "--day", str(LAST))
    return path


def test_a_night_publishes_and_exports_all_its_marts_row_for_row(night: Path) -> None:
    assert_as_built(load_config(night))


def told(config: Config, day: date) -> dict[str, Any]:
    """All that a night tells, made anew from its marts: without the seconds of each stage."""
    results = [vars(result) for result in validate(config, day, [])]
    write_again(config, day, with_index=True)
    page = (config.reports / str(day) / "index.html").read_text(encoding="utf-8")
    drawing = evidently_page.write(config, day, config.reports / str(day) / "again.html")
    route = next(iter(config.routes))
    return {
        "checks": results,
        "page": page,
        "index": (config.reports / "index.html").read_text(encoding="utf-8"),
        "digest": of_night(config, day),
        "breaches": breach_list.read(config, day),
        "incidents": incidents_of(config, day),
        "findings": findings_of(PublishedMarts(config.open_lake()), day),
        "evidently": drawing,
        "calls": describe_calls(config, [day], route, []).typos,
        "examples": describe_examples(config, [day], route).typos,
    }


def test_page_checks_and_digest_are_the_same_without_the_warehouse(night: Path, tmp_path: Path) -> None:
    shutil.copytree(night.parent, tmp_path / "other", symlinks=True)
    config = load_config(tmp_path / "other" / night.name)
    with_it = told(config, LAST)
    config.warehouse.unlink()
    without_it = told(config, LAST)
    assert not config.warehouse.exists()
    assert len(with_it["checks"]) > 5
    assert with_it["calls"]
    assert with_it["evidently"].is_written
    for name, found in with_it.items():
        assert without_it[name] == found, name


def test_a_killed_build_of_the_warehouse_loses_no_published_history(night: Path, tmp_path: Path) -> None:
    shutil.copytree(night.parent, tmp_path / "other", symlinks=True)
    path = tmp_path / "other" / night.name
    config = load_config(path)
    before = PublishedMarts(config.open_lake()).query("from marts.fct_usage_daily order by all")
    config.warehouse.unlink()
    run(path, "transform", "--day", str(LAST))
    assert PublishedMarts(config.open_lake()).query("from marts.fct_usage_daily order by all") == before


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """A store with a bucket `genchi`."""
    with object_store(tmp_path_factory.mktemp("weed")) as reached:
        make_bucket(reached, "genchi")
        yield reached


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("format_", ["delta", "iceberg", "parquet"])
def test_marts_in_a_real_object_store_are_those_of_the_warehouse(
    tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch, format_: str, night: Path
) -> None:
    monkeypatch.setenv("KEY", str(storage.key))
    monkeypatch.setenv("SECRET", str(storage.secret))
    path = small(
        tmp_path,
        lake=f"s3://genchi/{format_}/lake",
        export={"format": format_, "path": f"s3://genchi/{format_}/tables"},
        storage={"key": "${KEY}", "secret": "${SECRET}", "endpoint_url": storage.endpoint_url},
    )
    config = load_config(path)
    if format_ == "delta":  # a whole night; of the others the stage alone
        run(path, "nightly", "--day", str(LAST))
    else:
        shutil.copy(night.parent / "lake" / "warehouse.duckdb", config.warehouse)
        for again in (False, True):
            with config.open_lake().lock("test"):
                published = publish_marts(config, LAST, LAST)
                written = export_tables(config)
            assert (published.written == 0, written.days == 0) == (again, again)
    assert_as_built(config)
    kept = [place for place in tmp_path.rglob("*") if place.is_file()]
    assert not [place for place in kept if re.search(rb"hush-hush", place.read_bytes())]
