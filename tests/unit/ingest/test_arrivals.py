"""Files are known by their content, what cannot be read is told, and a half line leaves quarantine."""

import gzip
import json
import logging
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard

from flows.cli.doctor import examine
from flows.config import load
from flows.config.load import Config
from flows.ingest import landing
from flows.lake.lake import Lake
from flows.lake.schemas import SCHEMAS
from tests.nobody import needs_root, open_folders

DAY, AFTER = date(2026, 3, 10), date(2026, 3, 11)
COUNTS = ("interactions", "feedback", "duplicates", "other", "quarantined")


def call(call_id: str, at: str = "2026-03-10T10:00:00Z") -> str:
    return json.dumps({"call_id": call_id, "started_at": at, "input_text": f"question {call_id}"}) + "\n"


def workspace(folder: Path, path: str = "logs/{day}/*.jsonl*", more: str = "") -> Config:
    for day in (DAY, AFTER):
        (folder / f"logs/{day}").mkdir(parents=True, exist_ok=True)
    source = f"{{name: s, format: genchi, path: '{path}'}}"
    (folder / "genchi.yaml").write_text(f"app: a\nlake: lake\n{more}sources: [{source}]\n", encoding="utf-8")
    return load.load_config(folder / "genchi.yaml")


def rows(settings: Config, table: str) -> list[dict[str, Any]]:
    store = Lake(settings.lake)
    return [{"night": day, **row} for day in store.days(table) for row in store.read(table, day).to_pylist()]


def ids(settings: Config) -> list[str]:
    return sorted(row["call_id"] for row in rows(settings, "interactions"))


def refused(settings: Config) -> list[tuple[date, str, int]]:
    """What is in quarantine; the manifests have to say the same, and to add up to the lake."""
    manifest = rows(settings, "manifest")
    found = [(row["night"], row["file"], row["line"]) for row in rows(settings, "quarantine")]
    for night, file in {(row["night"], row["file"]) for row in manifest}:
        told = sum(row["quarantined"] for row in manifest if (row["night"], row["file"]) == (night, file))
        assert told == sum(one[:2] == (night, file) for one in found), (night, file)
    assert all(row["records"] == sum(row[name] for name in COUNTS) for row in manifest)
    assert sum(row["interactions"] for row in manifest) == len(rows(settings, "interactions"))
    return found


def renamed(place: Path) -> None:
    place.rename(place.with_name("renamed.jsonl"))


def moved(place: Path) -> None:
    place.rename(place.parents[1] / str(AFTER) / "moved.jsonl")


def zipped(place: Path) -> None:
    place.with_name(f"{place.name}.gz").write_bytes(gzip.compress(place.read_bytes()))
    place.unlink()


def zipped_beside(place: Path) -> None:
    place.with_name(f"{place.name}.zst").write_bytes(zstandard.compress(place.read_bytes()))


def copied(place: Path) -> None:
    shutil.copy(place, place.with_name("0.jsonl"))


@pytest.mark.parametrize("path", ["logs/{day}/*.jsonl*", "logs/*/*.jsonl*"])
@pytest.mark.parametrize("change", [renamed, moved, zipped, zipped_beside, copied])
@pytest.mark.parametrize("lines", [3, 3000])
def test_what_was_read_is_not_read_again_under_another_name(tmp_path: Path, path: str, change: Any, lines: int) -> None:
    settings = workspace(tmp_path, path)
    place = tmp_path / f"logs/{DAY}/app.jsonl"
    place.write_text("".join(call(f"c{n}") for n in range(lines)) + '{"broken\n')
    landing.land(settings, DAY)
    before = refused(settings)
    assert len(before) == 1
    change(place)
    for night in (DAY, AFTER, AFTER):
        landed = landing.land(settings, night)
        assert (landed.interactions, landed.quarantined) in ((0, 0), (lines, 1))
    assert [one[:1] for one in refused(settings)] == [(DAY,)]
    assert len(rows(settings, "manifest")) == 1
    assert len(ids(settings)) == lines


def test_a_file_that_grew_under_another_name_is_read_for_its_new_lines(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    place = tmp_path / f"logs/{DAY}/app.jsonl"
    place.write_text(call("a") + '{"broken\n' + call("b"))
    landing.land(settings, DAY)
    grown = place.read_text() + call("c") + "{broken too\n"
    place.unlink()
    place.with_name("app.jsonl.gz").write_bytes(gzip.compress(grown.encode()))
    landed = landing.land(settings, AFTER)
    assert (landed.interactions, landed.duplicates, landed.quarantined) == (1, 3, 1)
    assert refused(settings) == [(DAY, f"logs/{DAY}/app.jsonl", 2), (AFTER, f"logs/{DAY}/app.jsonl.gz", 5)]
    assert landing.land(settings, date(2026, 3, 12)).files == 0


def test_two_names_of_one_content_in_the_first_night_are_read_once(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    place = tmp_path / f"logs/{DAY}/app.jsonl"
    place.write_text("".join(call(f"c{n}") for n in range(2000)) + '{"broken\n')
    zipped_beside(place)
    copied(place)
    assert landing.land(settings, DAY).records == 2001
    assert [one[1] for one in refused(settings)] == [f"logs/{DAY}/0.jsonl"]


def test_a_log_that_was_rotated_keeps_its_rejects_under_its_new_name(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    place = tmp_path / f"logs/{DAY}/app.jsonl"
    place.write_text(call("a") + '{"broken\n')
    landing.land(settings, DAY)
    renamed(place)
    place.write_text('{"broken anew\n' + call("b"))
    for _ in range(2):
        landing.land(settings, DAY)
        assert {one[1:] for one in refused(settings)} == {
            (f"logs/{DAY}/renamed.jsonl", 2), (f"logs/{DAY}/app.jsonl", 1)}  # fmt: skip
        assert ids(settings) == ["a", "b"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("then", [DAY, AFTER])
def test_a_half_line_leaves_quarantine_when_its_record_has_landed(tmp_path: Path, then: date, packed: bool) -> None:
    settings = workspace(tmp_path)
    place = tmp_path / f"logs/{DAY}/app.jsonl"
    whole = (call("a") + "{broken\n" + call("b") + call("c")).encode()
    place.write_bytes(whole[:-30])
    landing.land(settings, DAY)
    assert [one[2] for one in refused(settings)] == [2, 4]
    if packed:
        place.unlink()
        place = place.with_name("app.jsonl.gz")
        whole = gzip.compress(whole)
    place.write_bytes(whole)
    landing.land(settings, then)
    assert [one[2] for one in refused(settings)] == [2]
    assert ids(settings) == ["a", "b", "c"]
    landing.land(settings, AFTER)
    assert [one[2] for one in refused(settings)] == [2]


def test_a_compressed_file_that_was_read_half_leaves_quarantine_once_it_is_whole(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    place = tmp_path / f"logs/{DAY}/app.jsonl.gz"
    whole = gzip.compress("".join(call(f"c{n}") for n in range(5000)).encode())
    place.write_bytes(whole[: len(whole) // 2])
    landing.land(settings, DAY)
    assert len(refused(settings)) == 1
    place.write_bytes(whole)
    landing.land(settings, AFTER)
    assert refused(settings) == []
    assert len(ids(settings)) == 5000


def test_another_file_of_the_same_name_leaves_what_was_refused_of_the_first(tmp_path: Path) -> None:
    settings = workspace(tmp_path, "logs/*/*.jsonl")
    place = tmp_path / f"logs/{DAY}/app.jsonl"
    place.write_text(call("a") + "{broken\n")
    landing.land(settings, DAY)
    place.write_text(call("b") + "{broken\n" + call("c"))
    landed = landing.land(settings, AFTER)
    assert (landed.interactions, landed.quarantined) == (2, 1)
    assert [one[0] for one in refused(settings)] == [DAY, AFTER]


def test_manifests_of_an_older_genchi_are_understood(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    store = Lake(settings.lake)
    for number, pack in enumerate((bytes, gzip.compress)):
        place = tmp_path / f"logs/{DAY}/{number}.jsonl{'.gz' * number}"
        place.write_bytes(pack((call(f"c{number}") + "{broken\n").encode()))
    landing.land(settings, DAY)
    place = Path(str(store.partition("manifest", DAY)))
    older = store.read("manifest", DAY).drop_columns(["content_sha256", "content_bytes", "head_sha256", "problem"])
    pa.parquet.write_table(older, place)
    before = refused(settings)
    assert landing.land(settings, AFTER).files == 0
    renamed(tmp_path / f"logs/{DAY}/0.jsonl")
    assert landing.land(settings, AFTER).files == 0
    assert refused(settings) == before
    assert store.read("manifest", AFTER).schema == SCHEMAS["manifest"]


@pytest.mark.parametrize(("zone", "day", "at"), [
    ("Asia/Kolkata", DAY, "2026-03-09T18:30:00Z"), ("Pacific/Auckland", DAY, "2026-03-09T12:00:00Z"),
    ("America/Los_Angeles", DAY, "2026-03-11T05:00:00Z"), ("UTC", DAY, "2026-03-10T00:00:00Z"),
])  # fmt: skip
def test_a_day_is_whole_on_the_first_night_of_a_lake(tmp_path: Path, zone: str, day: date, at: str) -> None:
    settings = workspace(tmp_path, more=f"timezone: {zone}\n")
    folder = tmp_path / f"logs/{at[:10]}"
    folder.mkdir(exist_ok=True)
    (folder / "app.jsonl").write_text(call("a", at))
    landing.land(settings, day)
    assert [(row["night"], row["call_id"]) for row in rows(settings, "interactions")] == [(day, "a")]
    landed = landing.land_days(settings, day, AFTER)
    assert landed.interactions in (0, 1)
    assert ids(settings) == ["a"]
    refused(settings)


AS_NOBODY = """
import os, sys, logging
from datetime import date
import tests.unit.ingest.test_arrivals as here
from flows.ingest import landing
from flows.cli.doctor import examine
os.setgid(65534); os.setuid(65534)
logging.basicConfig(format="%(message)s", level="WARNING")
settings = here.load.load_config(sys.argv[1] + "/genchi.yaml")
landed = landing.land(settings, here.DAY)
print(landed.files, landed.unread, here.ids(settings))
print([finding.text for finding in examine(settings, here.DAY) if "permission" in finding.text])
"""


@needs_root
def test_what_may_not_be_read_is_told_and_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    settings = workspace(tmp_path, "logs/{day}/*/*.jsonl")
    folder = tmp_path / f"logs/{DAY}"
    for name in ("a/open.jsonl", "a/shut.jsonl", "b/shut.jsonl"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(call(name))
    (folder / "a/shut.jsonl").chmod(0)
    (folder / "b").chmod(0)
    open_folders(tmp_path)
    tmp_path.chmod(0o777)
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[:1] == ["1 2 ['a/open.jsonl']"], done.stderr
    for name in ("a/shut.jsonl", "b"):
        assert f"logs/{DAY}/{name}: permission denied; give the user that runs genchi" in done.stderr
        assert f"{name}: permission denied" in done.stdout.splitlines()[1]
    told = {row["file"]: row["problem"] for row in rows(settings, "manifest")}
    assert [file for file, problem in told.items() if problem is None] == [f"logs/{DAY}/a/open.jsonl"]
    assert len(told) == 3
    (folder / "a/shut.jsonl").chmod(0o644)  # root may read all of it anyway
    assert landing.land(settings, DAY).interactions == 3
    assert {row["problem"] for row in rows(settings, "manifest")} == {None}
    assert len(ids(settings)) == 3


def test_a_file_that_vanishes_before_it_is_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = workspace(tmp_path)
    for name in "ab":
        (tmp_path / f"logs/{DAY}/{name}.jsonl").write_text(call(name))
    found = landing.fetched

    def vanishing(files: Any) -> Any:
        (tmp_path / f"logs/{DAY}/a.jsonl").unlink()
        return found(files)

    monkeypatch.setattr(landing, "fetched", vanishing)
    with caplog.at_level(logging.WARNING, "genchi"):
        landed = landing.land(settings, DAY)
    assert (landed.files, landed.unread, ids(settings)) == (1, 1, ["b"])
    assert f"source s: logs/{DAY}/a.jsonl: it vanished before it was read" in caplog.text
    assert "1 files or folders could not be read" in landed.summary()


def test_a_file_that_cannot_be_read_any_more_keeps_what_was_read_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = workspace(tmp_path)
    (tmp_path / f"logs/{DAY}/a.jsonl").write_text(call("a") + "{broken\n")
    landing.land(settings, DAY)
    found = landing.fetched

    def failing(files: Any) -> Any:
        for file in found(files):
            file.open = lambda: (_ for _ in ()).throw(OSError(5, "Input/output error"))
            yield file

    monkeypatch.setattr(landing, "fetched", failing)
    assert landing.land(settings, DAY).unread == 1
    assert len(refused(settings)) == 1
    assert [row["problem"] for row in rows(settings, "manifest")] == ["input/output error", None]
    monkeypatch.setattr(landing, "fetched", found)
    assert landing.land(settings, DAY).unread == 0
    assert len(refused(settings)) == 1


def test_the_doctor_names_a_link_in_circles(tmp_path: Path) -> None:
    settings = workspace(tmp_path, "logs/**/*.jsonl")
    (tmp_path / "logs/round").symlink_to(tmp_path / "logs")
    (tmp_path / f"logs/{DAY}/a.jsonl").write_text(call("a"))
    assert any("logs/round: a loop of symbolic links" in finding.text for finding in examine(settings, DAY))
    landed = landing.land(settings, DAY)
    assert (landed.interactions, landed.unread) == (1, 1)
