"""How the parts of workers become the files of a day: real files in a real lake."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from flows.errors import RunError
from flows.ingest.write import day_files
from flows.lake import Lake, join_staging
from flows.lake.lake import from_rows

DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def nothing_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_files, "_SMALL_ROWS", 1)


def rows_of(*names: str) -> list[dict[str, object]]:
    return [{"call_id": name, "kind": "thumbs", "at": datetime(2026, 3, 2, 8, tzinfo=UTC)} for name in names]


def publish(lake: Lake, parts: list[str], own: str = "", old_lost: str = "", new_lost: str = "") -> None:
    """Publish rows, one for each letter; of those in `old_lost` and `new_lost` another stays."""
    old = lake.read("feedback", DAY).column("call_id").to_pylist()
    new = [*"".join(parts), *own]
    with lake.lock("ingest"), lake.staging() as staged:
        files = []
        for part in parts:
            with join_staging(lake, staged.name) as other:
                path = other.scratch("rows")
                pq.write_table(from_rows(rows_of(*part), "feedback"), path)
                files.append(other.hand_in(path))
        path = staged.scratch("own")
        pq.write_table(from_rows(rows_of(*own), "feedback"), path)
        day_files.stage_day(
            staged, lake, "feedback", DAY, parts=files, own=path,
            old_lost=np.array([name in old_lost for name in old], bool),
            new_lost=np.array([name in new_lost for name in new], bool),
        )  # fmt: skip
        path.unlink(missing_ok=True)


def stored(lake: Lake) -> dict[str, str]:
    """The rows of each file."""
    return {
        name: "".join(lake.read("feedback", DAY, name).column("call_id").to_pylist())
        for name in lake.names("feedback", DAY)
    }


def test_parts_are_published_as_they_are_and_beside_the_old_files(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    publish(lake, ["ab", "cd", "ef"], own="gh", new_lost="ef")
    assert stored(lake) == {"data": "ab", "data_00001": "cd", "data_00002": "gh"}
    publish(lake, ["ij", "kl"], new_lost="k")
    assert stored(lake) == {
        "data": "ab", "data_00001": "cd", "data_00002": "gh", "data_00003": "ij", "data_00004": "l",
    }  # fmt: skip
    assert not lake.faults(is_deep=True)
    assert not lake.backend.children("_staging")


def test_old_files_that_lose_rows_become_one(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    publish(lake, ["ab", "cd", "ef"])
    publish(lake, ["gh"], old_lost="c")
    assert stored(lake) == {"data": "abdef", "data_00001": "gh"}
    publish(lake, ["xyz"], old_lost="abdefgh")
    assert stored(lake) == {"data": "xyz"}
    publish(lake, ["q"], new_lost="q")
    assert stored(lake) == {"data": "xyz"}


def test_a_run_of_one_process_and_small_parts_make_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path / "lake")
    publish(lake, ["ab", "cd"])
    with lake.lock("retention"):
        lake.write("feedback", DAY, from_rows([], "feedback"), "expired")
    publish(lake, [], own="ef")
    assert stored(lake) == {"data": "abcdef", "expired": ""}
    monkeypatch.setattr(day_files, "_SMALL_ROWS", 100)
    publish(lake, ["gh", "ij"], old_lost="a")
    assert stored(lake) == {"data": "bcdefghij", "expired": ""}


def publish_lost_part(lake: Lake) -> None:
    """Adopt a part whose file is gone, as one is that a worker has written on another machine."""
    with lake.staging() as staged:
        with join_staging(lake, staged.name) as other:
            path = other.scratch("rows")
            pq.write_table(from_rows(rows_of("z"), "feedback"), path)
            staged.adopt(other.hand_in(path), "feedback", DAY)
        path.unlink()


def test_a_part_that_is_not_to_be_seen_stops_the_publication(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    publish(lake, ["ab"])
    with lake.lock("ingest"):
        with pytest.raises(RunError, match=r"a worker has written this file, and it is not to be seen here"):
            publish_lost_part(lake)
        assert not lake.backend.children("_staging")
    assert stored(lake) == {"data": "ab"}
