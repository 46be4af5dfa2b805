"""Log formats of a workspace: picked up by path, never instead of one of genchi's own."""

from datetime import date
from pathlib import Path

import pytest

from flows.cli import init_command
from flows.cli.doctor import examine
from flows.config import known_formats, load_config
from flows.errors import ConfigError
from flows.extensions import check_extensions
from tests.examples import WORKSPACE

DAY = date(2026, 3, 2)
SOURCE = "app: a\nlake: lake\nsources: [{name: s, format: desk, path: 'logs/*.jsonl'}]\n"
CALL = '{"ticket": "T1", "at": "2026-03-02T10:00:00Z", "desk": "billing", "asked": "Where?", "said": "Here."}\n'


def workspace(folder: Path, select: str | None = None, name: str = "desk") -> Path:
    """A workspace with a source in a format of its own: that of the examples, or `select`."""
    (folder / "formats").mkdir()
    select = (WORKSPACE / "formats" / "desk.sql").read_text(encoding="utf-8") if select is None else select
    (folder / "formats" / f"{name}.sql").write_text(select, encoding="utf-8")
    (folder / "logs").mkdir()
    (folder / "logs" / "1.jsonl").write_text(CALL, encoding="utf-8")
    (folder / "genchi.yaml").write_text(SOURCE, encoding="utf-8")
    return folder / "genchi.yaml"


def test_a_source_names_a_format_of_the_workspace(tmp_path: Path) -> None:
    config = load_config(workspace(tmp_path))
    assert config.sources[0].format == "desk"
    assert known_formats(tmp_path)[-1] == "desk"
    check_extensions(config)


def test_a_format_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = workspace(tmp_path, name="other")
    with pytest.raises(ConfigError, match=r"unknown log format; use one of genchi, .*, other, or write `formats"):
        load_config(path)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("litellm", r"formats/litellm\.sql: `litellm` is a name of genchi's own; rename the file"),
        ("macros", r"formats/macros\.sql: `macros` is a name of genchi's own; rename the file"),
        ("a b", r"formats/a b\.sql: a format's name is a letter, then"),
    ],
)
def test_no_format_of_genchi_is_taken_over(tmp_path: Path, name: str, problem: str) -> None:
    path = workspace(tmp_path, name=name)
    path.write_text(SOURCE.replace("desk", "litellm"), encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        load_config(path)


@pytest.mark.parametrize(
    ("select", "problem"),
    [
        ("select file, line, nope as call_id from records", r"DuckDB cannot run it: .*nope"),
        ("select file, line, raw as call_id, raw as rout from records", r"unknown column `rout`; did you mean `route`"),
        ("drop table x", r"is no SELECT; a format must be one"),
    ],
)
def test_a_wrong_format_stops_a_run_before_it_begins_and_is_told_by_doctor_and_init(
    tmp_path: Path, select: str, problem: str
) -> None:
    path = workspace(tmp_path, select)
    config = load_config(path)
    with pytest.raises(ConfigError, match=rf"formats/desk\.sql: {problem}") as caught:
        check_extensions(config)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "lake").exists()
    told = [one.text for one in examine(config, DAY) if one.level == "misconfigured"]
    assert any(text.startswith("format desk: ") and str(caught.value) in text for text in told)
    path.unlink()
    with pytest.raises(ConfigError, match=r"formats/desk\.sql: "):
        init_command.run(str(tmp_path / "logs"), path, DAY, lambda _: None)


def test_a_broken_format_that_no_source_names_does_not_hide_what_others_read(tmp_path: Path) -> None:
    config = load_config(workspace(tmp_path))
    (tmp_path / "formats" / "broken.sql").write_text("select 1", encoding="utf-8")
    told = {one.level: one.text for one in examine(config, DAY) if one.text.startswith(("format", "source"))}
    assert "broken.sql: the SELECT lacks" in told["misconfigured"]
    assert "1 record of logs/1.jsonl: 1 call; route billing" in told["ok"]


def test_init_finds_logs_in_a_format_of_the_workspace(tmp_path: Path) -> None:
    path, told = workspace(tmp_path), list[str]()
    path.unlink()
    init_command.run(str(tmp_path / "logs"), path, DAY, told.append)
    assert load_config(path).sources[0].format == "desk"
    assert told[0].startswith("logs/1.jsonl: desk, 1 file")
