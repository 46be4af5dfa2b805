"""An older lake is brought up to date by whoever takes a lock of it, loses nothing, and a later one is left alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pytest

from flows.errors import LockedError, RunError
from flows.lake import lock, migration
from flows.lake.lake import Lake, from_rows
from tests.unit.lake.test_lock import held_by_another

DAY = date(2026, 3, 2)
ROWS = [{"run_id": "nightly-2026-03-02", "route": "triage", "model": "openai/old"}]


def lake_of_version_1(folder: Path) -> Lake:
    """A lake as the first version wrote it: `entrants`, and no note of a version."""
    lake = Lake(folder / "lake")
    lake.write("model_variants", DAY, from_rows(ROWS, "model_variants"), "nightly-2026-03-02")
    lake.write("model_variants", DAY, from_rows([], "model_variants"), "expired")
    (folder / "lake" / "model_variants").rename(folder / "lake" / "entrants")
    (folder / "lake" / "_version").unlink()
    return lake


def test_a_lake_without_a_note_is_of_version_1_where_it_has_tables_and_new_where_it_has_none(tmp_path: Path) -> None:
    assert Lake(tmp_path / "new").version == migration.VERSION
    assert lake_of_version_1(tmp_path).version == 1


@pytest.mark.parametrize("take", [Lake.run, Lake.lock])
def test_taking_a_lock_brings_every_row_and_mark_along(
    take: Callable[[Lake, str], AbstractContextManager[None]], tmp_path: Path
) -> None:
    lake = lake_of_version_1(tmp_path)
    with take(lake, "nightly"):
        assert lake.version == migration.VERSION
    (row,) = lake.read("model_variants", DAY).to_pylist()
    assert {key: row[key] for key in ROWS[0]} == ROWS[0]
    assert lake.names("model_variants", DAY) == ["expired", "nightly-2026-03-02"]
    assert not (tmp_path / "lake" / "entrants").exists()


def test_a_migration_that_was_killed_in_the_middle_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = lake_of_version_1(tmp_path)
    moves = iter([True, False])
    move = type(lake.backend).move

    def dies(backend: object, source: str, target: str) -> None:
        if not next(moves):
            raise KeyboardInterrupt
        move(backend, source, target)  # type: ignore[arg-type]  # the backend of the test's own lake

    with monkeypatch.context() as patched:
        patched.setattr(type(lake.backend), "move", dies)
        with pytest.raises(KeyboardInterrupt), lake.lock("nightly"):
            pass
    assert lake.version == 1
    with lake.lock("nightly"):
        assert lake.names("model_variants", DAY) == ["expired", "nightly-2026-03-02"]


def test_a_lake_of_a_later_version_is_not_touched(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with lake.lock("nightly"):
        pass
    note = tmp_path / "lake" / "_version"
    note.write_text(f"{migration.VERSION + 1}\n")
    with pytest.raises(RunError, match=f"reads up to version {migration.VERSION}"), lake.lock("nightly"):
        pass
    assert note.read_text() == f"{migration.VERSION + 1}\n"
    note.write_text("two")
    with pytest.raises(RunError, match="expected a version number"), lake.lock("nightly"):
        pass


def test_what_a_backup_of_an_earlier_version_holds_fits_where_no_file_has_changed_since() -> None:
    assert [migration.has_same_files(version) for version in (1, 2, 3, 4)] == [False, True, True, False]


def test_a_run_of_a_genchi_with_one_lock_is_waited_for_before_the_lake_is_migrated(tmp_path: Path) -> None:
    lake = lake_of_version_1(tmp_path)
    with held_by_another(tmp_path / "lake", lock.WRITE):
        for take in (lake.run, lake.lock):
            with pytest.raises(LockedError, match="locked by `genchi nightly`"), take("ack", 0.2):
                pass
        assert lake.version == 1
    with lake.lock("ack"):
        assert lake.version == migration.VERSION
