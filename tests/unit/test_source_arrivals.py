"""A source that is late is told by the hour by which its days are usually complete, and only where that is known."""

import json
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from expectations import landed_logs
from flows.cli.doctor.log_checks import source_findings
from flows.config import Config, load_config
from flows.ingest import landing
from flows.lake import Lake, from_rows
from flows.source_arrivals import _in_words, arrivals

DAY = date(2026, 3, 20)


def workspace(folder: Path, more: str = "") -> Config:
    source = "{name: desk, format: genchi, path: 'logs/{day}.jsonl'}"
    (folder / "genchi.yaml").write_text(f"app: a\nlake: lake\n{more}sources: [{source}]\n", encoding="utf-8")
    return load_config(folder / "genchi.yaml")


def past(
    config: Config,
    days: int = 10,
    changed: timedelta | None = timedelta(hours=2, minutes=9, seconds=30),
    read: timedelta = timedelta(hours=3),
) -> None:
    """Manifests of the days before DAY: when their file changed and was read, from the end of the day in UTC."""
    lake = Lake(config.lake)
    for n in range(1, days + 1):
        night = DAY - timedelta(days=n)
        end = datetime.combine(night, datetime.min.time(), UTC) + timedelta(days=1)
        row = {
            "source": "desk", "file": f"{night}.jsonl", "sha256": str(n), "bytes": 1, "records": 100,
            "interactions": 100, "feedback": 0, "duplicates": 0, "other": 0, "quarantined": 0, "read_at": end + read,
            "modified_at": None if changed is None else end + changed,
        }  # fmt: skip
        lake.write("manifest", night, from_rows([row], "manifest"))


def test_the_hour_is_that_of_the_files_and_in_the_time_zone(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    past(config)
    found = arrivals(config, Lake(config.lake), DAY)["desk"]
    assert (found.usual, found.nights, found.is_late) == ("02:10 of the next day", 10, True)
    assert (
        found.told(DAY) == "source desk has no records of 2026-03-20; it is usually complete by 02:10 of the next day"
    )
    there = workspace(tmp_path, "timezone: America/New_York\n")
    assert arrivals(there, Lake(config.lake), DAY)["desk"].usual == "22:10 of the day itself"


def test_without_a_time_of_the_file_the_hour_is_that_of_the_reading(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    past(config, changed=None)
    assert arrivals(config, Lake(config.lake), DAY)["desk"].usual == "03:00 of the next day"


@pytest.mark.parametrize(
    ("days", "read"),
    [(6, timedelta(hours=3)), (10, timedelta(days=9))],
    ids=["too few nights", "a backfill"],
)
def test_nothing_is_said_where_no_hour_is_known(tmp_path: Path, days: int, read: timedelta) -> None:
    config = workspace(tmp_path)
    past(config, days, read=read)
    found = arrivals(config, Lake(config.lake), DAY)["desk"]
    assert (found.usual, found.is_late) == ("", False)
    assert landed_logs.frame(config, DAY)["usually"].tolist() == [""]


def test_a_night_tells_a_late_source(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = workspace(tmp_path)
    past(config)
    (tmp_path / "logs").mkdir()
    file = tmp_path / f"logs/{DAY}.jsonl"
    lines = [{"call_id": f"c{n}", "started_at": f"{DAY}T10:00:00Z", "input_text": "q"} for n in range(60)]
    with caplog.at_level(logging.WARNING, "genchi"):
        landing.land(config, DAY)
        assert (
            "source desk has no records of 2026-03-20; it is usually complete by 02:10 of the next day" in caplog.text
        )
        assert landed_logs.frame(config, DAY)[["arrived", "late"]].values.tolist() == [[0, 0]], "one check tells it"
        file.write_text("".join(json.dumps(one) + "\n" for one in lines[:40]), encoding="utf-8")
        landing.land(config, DAY)
        assert "source desk has only 40 records of 2026-03-20" in caplog.text
    frame = landed_logs.frame(config, DAY)
    assert frame[["arrived", "late"]].values.tolist() == [[40, 1]]
    assert frame["usually"].tolist() == ["; it is usually complete by 02:10 of the next day"]
    caplog.clear()
    file.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    landing.land(config, DAY)
    assert "usually" not in caplog.text
    assert landed_logs.frame(config, DAY)["late"].tolist() == [0]


def test_the_manifest_has_the_time_of_the_file(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    (tmp_path / "logs").mkdir()
    file = tmp_path / f"logs/{DAY}.jsonl"
    file.write_text(json.dumps({"call_id": "c", "started_at": f"{DAY}T10:00:00Z", "input_text": "q"}), encoding="utf-8")
    landing.land(config, DAY)
    row = Lake(config.lake).read("manifest", DAY).to_pylist()[0]
    assert abs(row["modified_at"].timestamp() - file.stat().st_ctime) < 1


def test_doctor_says_the_usual_hour(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    past(config)
    said = [(one.level, one.text) for one in source_findings(config, DAY)]
    assert said[-1] == ("ok", "source desk: usually complete by 02:10 of the next day (10 nights known)")


def test_a_manifest_of_an_older_version_is_read(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    past(config, changed=None)
    place = Lake(config.lake).backend.place(f"manifest/day={DAY - timedelta(days=1)}/data.parquet")
    import pyarrow.parquet as pq

    pq.write_table(pq.ParquetFile(place).read().drop_columns(["modified_at"]), place)
    assert arrivals(config, Lake(config.lake), DAY)["desk"].nights == 10
    assert isinstance(Lake(config.lake).read("manifest", DAY - timedelta(days=1)), pa.Table)


@pytest.mark.parametrize(
    ("hour", "said"),
    [
        (-50.0, "00:00 of the day itself"),
        (-0.5, "23:30 of the day itself"),
        (2.0, "02:00 of the next day"),
        (26.0, "02:00 2 days later"),
    ],
)
def test_an_hour_is_a_time_of_the_clock_even_of_a_file_older_than_its_day(hour: float, said: str) -> None:
    assert _in_words(hour) == said
