"""What is corrupt is named with its file and its mend, and what was published is compared with what is there."""

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from flows.errors import RunError
from flows.lake import CorruptError
from flows.lake.lake import Lake, from_rows
from tests.publishing import DAYS, die_at_every_step, publish

DAY = date(2026, 3, 2)
ROWS = [{"call_id": f"c{n}", "input_text": f"text {n} " * 50, "route": "r"} for n in range(500)]
CORRUPT = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[:-40],
    "half": lambda content: content[: len(content) // 2],
    "garbage": lambda content: os.urandom(len(content)),
    "a broken page": lambda content: content[:100] + os.urandom(2000) + content[2100:],
    "a broken end": lambda content: content[:-60] + os.urandom(52) + content[-8:],
}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(tmp_path / "lake")
    with found.lock("test"):
        found.write("interactions", DAY, from_rows(ROWS, "interactions"))
        with found.writing("scores", DAY, "nightly-2026-03-02") as write:
            write(from_rows([{"subject_id": "s"}], "scores"))
        publish(found, 1)
    return found


def place_of(lake: Lake, table: str = "interactions") -> Path:
    return Path(lake.partition(table, DAY, "nightly-2026-03-02" if table == "scores" else "data"))


@pytest.mark.parametrize("kind", CORRUPT)
def test_a_corrupt_file_is_named_with_its_mend(lake: Lake, kind: str) -> None:
    place = place_of(lake)
    place.write_bytes(CORRUPT[kind](place.read_bytes()))
    for read in (lambda: lake.read("interactions", DAY), lambda: list(lake.batches("interactions", DAY))):
        with pytest.raises(CorruptError) as caught:
            read()
        assert str(caught.value).startswith(f"{place}: not a readable Parquet file (")
        assert str(caught.value).endswith("delete it and run `genchi ingest --day 2026-03-02`")
        assert "\n" not in str(caught.value)
    (fault,) = lake.faults(is_deep=True)
    assert fault.text.startswith(f"{place}: the file has changed: ")


def test_a_lake_is_as_it_was_published(lake: Lake) -> None:
    assert lake.faults() == []
    assert lake.faults(is_deep=True) == []


def test_a_file_that_is_gone_or_has_another_size_is_found_without_reading_it(lake: Lake) -> None:
    place_of(lake).unlink()
    place = place_of(lake, "scores")
    place.write_bytes(place.read_bytes() + b"more")
    gone, changed = lake.faults()
    assert gone.text == (
        f"{place_of(lake)}: the file is gone; it had 500 rows; restore it from a backup, or delete it and run"
        " `genchi ingest --day 2026-03-02`"
    )
    assert "when it was written with 1 rows" in changed.text
    assert changed.text.endswith("`genchi evaluate --day 2026-03-02`")


def test_a_change_that_keeps_the_size_is_found_by_reading(lake: Lake) -> None:
    place = place_of(lake)
    content = bytearray(place.read_bytes())
    content[200] ^= 1
    place.write_bytes(content)
    assert lake.faults() == []
    assert [fault.what for fault in lake.faults(is_deep=True)] == [
        "the file has changed: its content is not that which was written with 500 rows"
    ]


def test_a_night_tells_once_of_a_file_that_is_gone_and_again_when_it_is_run_again(lake: Lake) -> None:
    place_of(lake).unlink()
    for night, told in ((DAY, 1), (DAY, 1), (date(2026, 3, 3), 0)):
        with lake.lock("nightly"):
            assert len(lake.faults(night=night)) == told
    assert len(lake.faults(is_deep=True)) == 1  # doctor tells it as long as it is so


def test_what_is_written_or_removed_by_genchi_is_no_fault(lake: Lake) -> None:
    with lake.lock("test"):
        lake.write("interactions", DAY, from_rows(ROWS[:3], "interactions"))
        lake.remove("scores", DAY, "nightly-2026-03-02")
        publish(lake, 2)
    assert lake.faults(is_deep=True) == []


def write_one(lake: Lake) -> None:
    lake.write("interactions", DAY, from_rows(ROWS[:3], "interactions"))


def write_in_parts(lake: Lake) -> None:
    with lake.writing("scores", DAY, "nightly-2026-03-02") as write:
        write(from_rows([{"subject_id": "s"}, {"subject_id": "t"}], "scores"))


@pytest.mark.parametrize("replace", [write_one, write_in_parts, lambda lake: publish(lake, 2)])
@pytest.mark.parametrize("flushes", range(20))  # that succeed: more than any of the three needs
def test_a_disk_that_refuses_at_any_step_leaves_no_false_fault(
    lake: Lake, replace: Callable[[Lake], None], flushes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, left = os.fsync, iter(range(flushes))

    def refuse(descriptor: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "no space left")
        flush(descriptor)

    with lake.lock("test"):
        monkeypatch.setattr(os, "fsync", refuse)
        with suppress(RunError):
            replace(lake)
        monkeypatch.undo()
    assert lake.faults(is_deep=True) == []


def test_a_run_that_dies_at_any_step_leaves_no_false_fault(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    die_at_every_step(lake)
    assert lake.faults(is_deep=True) == []


def test_a_file_of_an_older_genchi_is_not_recorded_and_only_its_end_is_read(lake: Lake) -> None:
    place = place_of(lake).with_name("older.parquet")
    place.write_bytes(place_of(lake).read_bytes())
    assert lake.faults(is_deep=True) == []
    place.write_bytes(b"PAR1")
    assert [Path(fault.place) for fault in lake.faults(is_deep=True)] == [place]


def test_a_torn_inventory_is_named(lake: Lake) -> None:
    place = Path(lake.root) / "_inventory" / "2026-03.json"
    place.write_text(place.read_text()[:50])
    with pytest.raises(CorruptError, match=r"_inventory/2026-03\.json: not a readable inventory; delete it"):
        lake.faults()


@pytest.mark.parametrize(
    "commit",
    [
        '{"files": {"manifest/day=2026-0',
        "[]",
        "null",
        '{"files": {}}',
        '{"files": [1], "remove": []}',
        json.dumps({"files": {"../../outside.parquet": "0.parquet"}, "remove": []}),
        json.dumps({"files": {"/etc/outside.parquet": "0.parquet"}, "remove": []}),
        json.dumps({"files": {"manifest/day=2026-03-01/../../../outside.parquet": "0.parquet"}, "remove": []}),
        json.dumps({"files": {"manifest/day=2026-03-01/data.parquet": "../../secret.parquet"}, "remove": []}),
        json.dumps({"files": {}, "remove": ["../outside.parquet"]}),
        json.dumps({"files": {}, "remove": ["_lock"]}),
        "[" * 100_000,
    ],
)
def test_a_torn_or_hostile_commit_moves_nothing_and_is_named_with_its_mend(lake: Lake, commit: str) -> None:
    outside = Path(lake.root).parent / "outside.parquet"
    outside.write_bytes(b"outside")
    folder = Path(lake.root) / "_staging" / "ab12"
    folder.mkdir(parents=True)
    (folder / "0.parquet").write_bytes(b"staged")
    (folder / "commit.json").write_text(commit)
    with pytest.raises(CorruptError) as caught, lake.lock("test"):
        pass
    assert str(caught.value).startswith(f"{folder}/commit.json: not a valid commit (")
    assert f"delete the folder {folder} and run the same command again" in str(caught.value)
    assert outside.read_bytes() == b"outside"
    assert lake.read("manifest", DAYS[0]).num_rows == 2
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    with lake.lock("test"):
        pass


def test_a_folder_that_is_no_day_is_named(lake: Lake) -> None:
    place_of(lake).parent.rename(place_of(lake).parent.with_name("day=2026-3-2"))
    with pytest.raises(RunError, match=r"interactions/day=2026-3-2: '2026-3-2' is not a day; rename it"):
        lake.days("interactions")


def test_an_empty_secret_of_user_keys_is_not_used(lake: Lake) -> None:
    with lake.lock("test"):
        lake.user_key_secret()
        (Path(lake.root) / "_reference" / "user_key_secret").write_text("")
        with pytest.raises(RunError, match="user_key_secret: is empty; restore it"):
            lake.user_key_secret()


def test_the_empty_files_of_a_new_lake_are_made_again(lake: Lake) -> None:
    with lake.lock("test"):
        lake.create()
        place = Path(lake.partition("scores", date(1970, 1, 1), "empty"))
        place.write_bytes(b"")
        lake.create()
    assert place.read_bytes()[-4:] == b"PAR1"
