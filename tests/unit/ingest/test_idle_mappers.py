"""A mapper that was planned for one run serves the next, as long as it is the same."""

from pathlib import Path

import duckdb
import pytest

from flows.errors import ConfigError
from flows.ingest.map import idle_mappers
from flows.ingest.map.idle_mappers import MapperOf
from flows.ingest.read import RECORDS, REFUSED, Batch

NOTHING = Batch(RECORDS.empty_table(), REFUSED.empty_table())
OWN = "select file, line, raw ->> '{}' as call_id, raw ->> 'at' as started_at from records"


@pytest.fixture(autouse=True)
def none_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_mappers, "_idle", [])


def test_a_mapper_is_used_again_by_one_at_a_time_and_only_with_the_same_secret() -> None:
    first = MapperOf("genchi", b"secret")
    first.give_back()
    again, beside, other = MapperOf("genchi", b"secret"), MapperOf("genchi", b"secret"), MapperOf("genchi", b"another")
    assert again.mapper is first.mapper
    assert len({id(one.mapper) for one in (again, beside, other)}) == 3


def test_a_format_that_changed_is_planned_again(tmp_path: Path) -> None:
    place = tmp_path / "formats" / "own.sql"
    place.parent.mkdir()
    place.write_text(OWN.format("id"), encoding="utf-8")
    first = MapperOf("own", workspace=tmp_path)
    first.give_back()
    place.write_text(OWN.format("key"), encoding="utf-8")
    assert MapperOf("own", workspace=tmp_path).mapper is not first.mapper
    place.write_text("select", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.sql: DuckDB cannot run it"):
        MapperOf("own", workspace=tmp_path)


def test_one_that_was_planned_long_ago_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = MapperOf("genchi")
    first.give_back()
    monkeypatch.setattr(idle_mappers, "_OLD_S", 0.0)
    assert MapperOf("genchi").mapper is not first.mapper


def test_of_many_idle_ones_the_first_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_mappers, "_MOST", 1)
    two = [MapperOf("genchi"), MapperOf("genchi")]
    for one in two:
        one.give_back()
    assert len(two[1].mapper.map(NOTHING).interactions) == 0
    with pytest.raises(duckdb.ConnectionException):
        two[0].mapper.map(NOTHING)
