"""The format of a log is found by reading a sample of it, and what was read is told."""

from datetime import date
from pathlib import Path

import pytest

from flows.config.load import Config, Source
from flows.errors import ConfigError
from flows.ingest.preview.discovery import Discovery, discover
from flows.ingest.preview.newest_file import located
from flows.ingest.preview.sample_reading import Previewer
from tests.reading import CASES, GOLDEN, format_of

CALL = '{{"call_id": "{0}", "started_at": "{1}T10:00:00Z", "route": "{2}", "input_text": "hi", "output_text": "ho"}}\n'


def workspace(folder: Path, **more: object) -> Config:
    return Config.model_validate({"app": "a", "lake": "lake", "path": folder / "genchi.yaml", **more}, context=folder)


def looked_at(folder: Path, place: str | Path, **more: object) -> Discovery:
    return discover(workspace(folder, **more), str(place))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def previewer() -> Previewer:
    """One for all cases: to plan all formats takes seconds."""
    return Previewer(workspace(GOLDEN))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_format_of_every_golden_log_is_found(previewer: Previewer, case: Path) -> None:
    expected = format_of(case)
    wrong = "openai" if expected != "openai" else "langfuse"
    config = workspace(case, sources=[{"name": "s", "format": wrong, "path": "input.jsonl"}])
    newest = located(config, config.sources[0], date(2026, 3, 2)).newest
    assert newest is not None
    as_configured, best, *_ = previewer.read(config.sources[0], newest)
    assert best.format == expected
    assert as_configured.format == wrong
    assert as_configured.is_worse_than(best)


def test_a_sample_is_counted_by_what_became_of_its_records(previewer: Previewer) -> None:
    source = Source(name="s", format="genchi", path="input.jsonl")
    config = workspace(GOLDEN / "genchi_own", sources=[source.model_dump()])
    newest = located(config, config.sources[0], date(2026, 3, 2)).newest
    assert newest is not None
    reading = previewer.read(config.sources[0], newest)[0]
    assert (reading.records, reading.calls, reading.feedback, reading.quarantined) == (6, 3, 1, 2)
    assert (reading.incomplete, reading.unreadable) == (1, (("output_tokens", 1),))
    assert reading.routes == ("default", "triage")
    assert reading.days == (date(2026, 3, 2),)
    assert sum(count for _, count in reading.reasons) == 2


def test_several_formats_in_one_folder_are_several_sources(tmp_path: Path) -> None:
    for case in ("litellm_gateway", "otel_spans"):
        text = (GOLDEN / case / "input.jsonl").read_text(encoding="utf-8")
        for day in ("2026-03-01", "2026-03-02"):
            write(tmp_path / "logs" / day / f"{case}.jsonl", text)
    write(tmp_path / "logs" / "notes.txt", "not a log\n")
    found = looked_at(tmp_path, tmp_path / "logs")
    assert [(source.format, source.path, source.files) for source in found.sources] == [
        ("litellm", "logs/{day}/litellm_gateway.jsonl", 2),
        ("otel", "logs/{day}/otel_spans.jsonl", 2),
    ]
    assert found.sources[0].days == (date(2026, 3, 1), date(2026, 3, 2))
    assert found.ignored == (("logs/notes.txt", "no format reads it"),)


def test_days_come_from_the_calls_where_no_name_has_one(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", CALL.format("1", "2026-03-01", "r") + CALL.format("2", "2026-03-04", "r"))
    (source,) = looked_at(tmp_path, tmp_path / "a.jsonl").sources
    assert source.path == "a.jsonl"
    assert source.days == (date(2026, 3, 1), date(2026, 3, 4))


def test_a_glob_may_have_its_day_and_is_looked_at_as_it_stands(tmp_path: Path) -> None:
    for day in ("2026-03-01", "2026-03-02"):
        write(tmp_path / "logs" / f"{day}.log", CALL.format(day, day, "r"))
    (source,) = looked_at(tmp_path, f"{tmp_path}/logs/{{day}}.log").sources
    assert (source.path, source.files) == ("logs/{day}.log", 2)


def test_an_empty_newest_file_does_not_hide_the_format(tmp_path: Path) -> None:
    write(tmp_path / "logs" / "2026-03-01.jsonl", CALL.format("1", "2026-03-01", "r"))
    write(tmp_path / "logs" / "2026-03-02.jsonl", "")
    (source,) = looked_at(tmp_path, tmp_path / "logs").sources
    assert (source.format, source.newest) == ("genchi", "logs/2026-03-01.jsonl")


def test_logs_outside_of_the_workspace_keep_their_whole_path(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "2026-03-02.jsonl", CALL.format("1", "2026-03-02", "r"))
    (tmp_path / "workspace").mkdir()
    (source,) = looked_at(tmp_path / "workspace", tmp_path / "elsewhere").sources
    assert source.path == f"{tmp_path}/elsewhere/{{day}}.jsonl"


def test_lake_and_reports_are_no_logs(tmp_path: Path) -> None:
    write(tmp_path / "lake" / "x.jsonl", CALL.format("1", "2026-03-02", "r"))
    write(tmp_path / "app" / "x.jsonl", CALL.format("1", "2026-03-02", "r"))
    (source,) = looked_at(tmp_path, tmp_path).sources
    assert source.path == "app/x.jsonl"


def test_a_place_that_is_not_there_is_an_error_with_its_fix(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or folder; name a folder, a glob"):
        looked_at(tmp_path, tmp_path / "nowhere")


def test_the_newest_file_is_that_of_the_newest_day_in_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "since-2026-12-31"  # a day in another place than the pattern's
    for day in ("2026-03-02", "2026-03-01", "2026-99-99"):
        write(folder / "logs" / f"{day}.jsonl", "")
    config = workspace(folder, sources=[{"name": "s", "format": "genchi", "path": "logs/{day}.jsonl"}])
    found = located(config, config.sources[0], date(2026, 3, 1))
    assert found.newest is not None
    assert (found.for_day, found.newest.name, found.newest_day) == (1, "logs/2026-03-02.jsonl", date(2026, 3, 2))
