"""A log that is read as tasks, in a cluster of this process, while things change or are wrong."""

import json
import pickle
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.config import Config, load_config
from flows.ingest.landing import land
from flows.ingest.read import Content, LogFile, Span, digest_of
from flows.ingest.spread import pieces, readings
from tests.clusters import local_dask

DAY = date(2026, 3, 2)
LINES = [
    json.dumps({"call_id": f"call-{number:04d}", "started_at": f"{DAY}T10:00:00Z", "input_text": "x" * 500}) + "\n"
    for number in range(400)
]


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a scheduler with one worker of one thread: tasks are done in their order."""
    with local_dask(workers=1, threads=1) as found:
        yield found


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 20_000)


def configured(folder: Path, name: str, engine: str = "") -> Config:
    path = folder / f"{name}.yaml"
    path.write_text(
        f"app: desk\nlake: lakes/{name}\nuser_key_secret: one-secret-for-both\n"
        f"sources: [{{name: own, format: genchi, path: 'logs/{{day}}.jsonl'}}]\n{engine}"
    )
    return load_config(path)


def spread(folder: Path, address: str) -> Config:
    return configured(folder, "spread", f"engine: {{tasks: dask, address: '{address}'}}\n")


def landed(config: Config) -> list[Any]:
    lake = config.open_lake()
    manifest = lake.read("manifest", DAY).drop_columns(["read_at"])
    return [lake.read("interactions", DAY), lake.read("quarantine", DAY), manifest]


def test_lines_of_a_big_file_keep_their_numbers(tmp_path: Path, address: str) -> None:
    (tmp_path / "logs").mkdir()
    lines = list(LINES)
    for place in (3, 177, 399):
        lines[place] = f"no JSON at {place}\n\n"
    (tmp_path / "logs" / f"{DAY}.jsonl").write_text("".join(lines))
    alone, other = configured(tmp_path, "alone"), spread(tmp_path, address)
    assert land(alone, DAY) == land(other, DAY)
    assert landed(alone) == landed(other)
    assert landed(other)[1].column("line").to_pylist() == [4, 179, 402]


def test_a_file_that_changes_between_two_readings_is_read_as_it_is(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / f"{DAY}.jsonl"
    log.write_text("".join(LINES))
    changed = "".join(LINES).replace("call-0399", "other-399")

    def overtaken(file: LogFile, spans: list[Span]) -> tuple[Content, list[int]]:
        found = digest_of(file, spans)
        log.write_text(changed)
        return found

    monkeypatch.setattr(readings, "digest_of", overtaken)
    other = spread(tmp_path, address)
    land(other, DAY)
    assert "were read by this process" in caplog.text
    alone = configured(tmp_path, "alone")
    land(alone, DAY)
    *rows, manifest = landed(other)
    *rows_alone, manifest_alone = landed(alone)
    assert rows == rows_alone
    assert manifest.drop_columns(["modified_at"]) == manifest_alone.drop_columns(["modified_at"])
    assert "other-399" in landed(other)[0].column("call_id").to_pylist()


def test_what_dask_logs_of_a_task_has_no_secret(tmp_path: Path) -> None:
    config = configured(tmp_path, "own", "storage: {key: known, secret: hush-hush}\n")
    task = readings.Task(readings.Job("run", "x", config, b"one-secret"), pieces.Piece(config.sources[0], 0, []))
    assert "secret" not in repr(task)
    assert "hush" not in repr(task)
    assert b"hush-hush" in pickle.dumps(task), "workers reach the store with it"
