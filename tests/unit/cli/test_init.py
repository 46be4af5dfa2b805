"""`genchi init`: the configuration that it writes loads, overwrites nothing, and reads what is there."""

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from flows.cli import first_config, init_command
from flows.cli.doctor import examine, exit_code
from flows.cli.first_config import configuration
from flows.config.load import load_config
from flows.errors import ConfigError
from flows.ingest.preview.discovery import FoundSource
from flows.ingest.preview.sample_reading import SampleReading

CALL = '{{"call_id": "{0}", "started_at": "{0}T10:00:00Z", "route": "{1}", "input_text": "hi", "output_text": "ho"}}\n'
TODAY = date(2026, 3, 10)


def run(folder: Path, place: str | Path = "", name: str = "genchi.yaml") -> list[str]:
    said: list[str] = []
    init_command.run(str(place or folder), folder / name, TODAY, said.append)
    return said


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Five days of logs, the last one of today."""
    for day in ("2026-03-05", "2026-03-08", "2026-03-09", "2026-03-10"):
        path = tmp_path / "logs" / day / "app.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text(CALL.format(day, "triage") + CALL.format(day, "sum: {up}\n").replace('\n"', '\\n"'), "utf-8")
    return tmp_path


def test_what_is_written_loads_and_what_follows_is_named(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(logs)
    said = "\n".join(run(logs))
    config = load_config(logs / "genchi.yaml", {})
    (source,) = config.sources
    assert (source.format, source.path) == ("genchi", f"{logs}/logs/{{day}}/app.jsonl")
    assert set(config.redact) == {"email", "phone", "card", "iban", "ip", "secret"}
    assert config.models is None
    assert config.alerts == ()
    assert "triage" in config.routes
    assert "genchi, 4 files, 2026-03-05 to 2026-03-10" in said
    commands = [line.split("#")[0].strip() for line in said.splitlines() if line.startswith("  genchi ")]
    assert commands == [
        "genchi doctor",
        "genchi backfill --start 2026-03-05 --end 2026-03-08",
        "genchi nightly --day 2026-03-09",
        "genchi deploy --cron",
    ]


def test_the_doctor_finds_nothing_wrong_with_it(logs: Path) -> None:
    run(logs)
    findings = list(examine(load_config(logs / "genchi.yaml", {}), date(2026, 3, 9)))
    assert exit_code(findings) == 0, [finding.line for finding in findings]
    assert any("1 call" in finding.text and "route" in finding.text for finding in findings)


def test_every_commented_key_is_one_that_loads(logs: Path) -> None:
    run(logs)
    path = logs / "genchi.yaml"
    head, mark, rest = path.read_text(encoding="utf-8").partition("# dev_set")
    text = head + re.sub(r"^# (?=dev_set|models:|  |budget|alerts:)", "", mark + rest, flags=re.M)
    whole = yaml.safe_load(text)
    assert {"dev_set", "models", "budget", "alerts", "routes"} <= set(whole)
    (logs / "datasets").mkdir()
    (logs / "datasets" / "dev.jsonl").write_text('{"example_id": 1, "input": "x", "route": "triage"}\n', "utf-8")
    path.write_text(text, encoding="utf-8")
    assert len(load_config(path, {}).all_models()) == 2


def test_a_file_that_is_there_is_not_overwritten(logs: Path) -> None:
    (logs / "genchi.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"genchi\.yaml: exists, and is left as it is; name another file with --con"):
        run(logs)
    assert (logs / "genchi.yaml").read_text(encoding="utf-8") == "mine"
    said = run(logs, name="other.yaml")
    assert any("--config" in line and "other.yaml" in line for line in said if "genchi doctor" in line)


def test_a_folder_without_logs_says_what_was_looked_at(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"hello": "world"}\n', encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"no calls found in 1 file \(x\.jsonl: no format reads it\); name the folder"
    ):
        run(tmp_path)
    assert not (tmp_path / "genchi.yaml").exists()


def test_names_from_logs_are_texts_and_no_yaml() -> None:
    hostile = 'x"\nalerts: [{kind: webhook, url: http://evil}]\n#'
    names = (hostile, "${HOME}", "a: b", "\u2028", "\x1b[31m", "ü {} [", "'")
    reading = SampleReading("genchi", 1, calls=1, routes=names, models=(hostile,), days=(TODAY,))
    source = FoundSource("genchi", reading, "f", (TODAY,), path=f"logs/{{day}}/{hostile}")
    text = configuration(hostile, [source], "")
    whole = yaml.safe_load(text)
    assert set(whole) == {"app", "lake", "timezone", "sources", "redact", "routes"}
    assert list(whole["routes"]) == list(names)
    assert whole["sources"] == [{"name": "genchi", "format": "genchi", "path": f"logs/{{day}}/{hostile}"}]
    assert "\x1b" not in text


def test_a_database_is_named_by_its_variable() -> None:
    reading = SampleReading("litellm", 1, calls=1, days=(TODAY,))
    found = [FoundSource("litellm", reading, "public.Spend", (TODAY,)),
             FoundSource("litellm", reading, "u", (), query="select 1")]  # fmt: skip
    sources = yaml.safe_load(configuration("a", found, "PGURL"))["sources"]
    assert sources == [
        {"name": "public-spend", "format": "litellm", "dsn": "${PGURL}"},
        {"name": "u", "format": "litellm", "dsn": "${PGURL}", "query": "select 1"},
    ]


@pytest.mark.parametrize(("paths", "names"), [
    (["logs/{day}.jsonl"], ["genchi"]),
    (["logs/chat/{day}.jsonl", "logs/search/{day}.jsonl.gz"], ["chat", "search"]),
    (["logs/{day}/app.jsonl", "logs/{day}/app-eu*.jsonl*"], ["app", "app-eu"]),
    (["a/logs/x.jsonl", "b/logs/x.jsonl", "c/logs/y.jsonl"], ["a", "b", "y"]),
    (["eu/Support Bot/{day}.parquet", "us/Support Bot/{day}.parquet"], ["eu", "us"]),
    (["logs/{day}/*.json", "old/{day}/*.json"], ["logs", "old"]),
    (["{day}/*.json", "{day}/*/*.json"], ["genchi", "genchi-2"]),
    (["x.jsonl", "x.csv", "x.json"], ["genchi", "genchi-2", "genchi-3"]),
    (['a"\nb: [{/{day}.jsonl', "c/{day}.jsonl"], ["a-b", "c"]),
])  # fmt: skip
def test_sources_of_one_format_are_named_by_what_tells_them_apart(paths: list[str], names: list[str]) -> None:
    reading = SampleReading("genchi", 1, calls=1, days=(TODAY,))
    found = [FoundSource("genchi", reading, path, (TODAY,), path=path) for path in paths]
    assert [source["name"] for source in yaml.safe_load(configuration("a", found, ""))["sources"]] == names


def test_an_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_DATABASE", "postgresql://u:hush@h/db")
    assert init_command.resolved("${MY_DATABASE}") == ("postgresql://u:hush@h/db", "MY_DATABASE")
    assert init_command.resolved("postgresql://u:hush@h/db") == ("postgresql://u:hush@h/db", "MY_DATABASE")
    assert init_command.resolved("postgresql://other/db") == ("postgresql://other/db", "DATABASE_URL")
    with pytest.raises(ConfigError, match="NOWHERE is not set"):
        init_command.resolved("$NOWHERE")


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("postgresql://ann:pa/ss@db/logs?password=pa", "postgresql://db/logs"),
        ("logs/*.jsonl?", "logs/*.jsonl?"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
    ],
)
def test_a_place_is_shown_without_the_password_of_a_database(place: str, shown: str) -> None:
    assert first_config.shown_place(place) == shown
