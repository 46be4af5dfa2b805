"""`genchi doctor`: each line says what is, what is wrong and how to fix it; the exit code says whose fault it is."""

import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flows.cli.doctor import Finding, examine, exit_code, machine_checks
from flows.config.load import load_config
from flows.lake.lake import from_rows

DAY = date(2026, 3, 2)
CALL = '{{"call_id": "{0}", "started_at": "2026-03-02T10:00:00Z", "input_text": "hi", "output_text": "ho"}}\n'
SOURCE = "sources: [{name: app, format: genchi, path: 'logs/{day}.jsonl'}]\n"


def examined(folder: Path, more: str = SOURCE, day: date = DAY, **environment: str) -> list[Finding]:
    path = folder / "genchi.yaml"
    path.write_text(f"app: a\nlake: lake\n{more}", encoding="utf-8")
    return list(examine(load_config(path, environment), day))


def line(findings: list[Finding], about: str) -> str:
    return "\n".join(finding.line for finding in findings if about in finding.text)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / f"{DAY}.jsonl").write_text(CALL.format(1) + CALL.format(2), encoding="utf-8")
    return tmp_path


def test_a_workspace_that_is_well_has_no_problem(logs: Path) -> None:
    findings = examined(logs)
    assert exit_code(findings) == 0
    assert {finding.level for finding in findings} == {"ok"}, [finding.line for finding in findings]
    where = f"logs/{DAY}.jsonl"
    assert f"✓ source app: 1 file for {DAY} at {logs}/{where}" in line(findings, "source app")
    assert f"✓ source app: 2 records of {where}: 2 calls; route default; {DAY}" in line(findings, "source app")
    assert line(findings, "versions: genchi")
    assert "GiB free" in line(findings, "disk:")


def test_a_day_without_files_is_a_warning_that_names_the_newest(logs: Path) -> None:
    findings = examined(logs, day=date(2026, 3, 9))
    assert exit_code(findings) == 0
    assert (
        f"! source app: 0 files for 2026-03-09 at {logs}/logs/2026-03-09.jsonl; the newest are of {DAY}: try --day"
        in line(findings, "source app")
    )


def test_no_files_at_all_is_a_wrong_path(tmp_path: Path) -> None:
    findings = examined(tmp_path)
    assert exit_code(findings) == 2
    assert "✗ source app: 0 files for" in line(findings, "nor for any other day; correct its `path`")


def test_a_wrong_format_names_the_right_one(logs: Path) -> None:
    findings = examined(logs, SOURCE.replace("genchi", "litellm"))
    assert exit_code(findings) == 2
    assert line(findings, "the format").endswith(
        f"the format `litellm` reads no call in 2 records of logs/{DAY}.jsonl;"
        " `genchi` reads 2 calls: write `format: genchi`"
    )


def test_what_is_quarantined_is_counted_with_its_reasons(logs: Path) -> None:
    with (logs / "logs" / f"{DAY}.jsonl").open("a", encoding="utf-8") as file:
        file.write('{broken\n{"call_id": "x"}\n{"call_id": "\x1b[31m", "started_at": "soon", "input_text": "a"}\n')
    findings = examined(logs)
    assert exit_code(findings) == 1  # the logs are wrong, and not the configuration
    assert "5 records" in line(findings, "3 quarantined")
    told = line(findings, "quarantined: ")
    assert "not valid JSON (" in told
    assert "none of messages, messages_json and input_text is given (1 record)" in told
    assert "\x1b" not in told


def test_values_that_cannot_be_read_are_a_warning_with_their_columns(logs: Path) -> None:
    with (logs / "logs" / f"{DAY}.jsonl").open("a", encoding="utf-8") as file:
        for number in (3, 4):
            file.write(CALL.format(number).replace("}", ', "cost_usd": "abc"}'))
    findings = examined(logs)
    assert exit_code(findings) == 0
    assert line(findings, "are null").endswith("source app: values that cannot be read are null: cost_usd (2)")


def test_the_limit_of_what_may_be_quarantined_is_the_workspaces_own(logs: Path) -> None:
    with (logs / "logs" / f"{DAY}.jsonl").open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    assert exit_code(examined(logs)) == 1
    assert exit_code(examined(logs, SOURCE + "thresholds: {max_quarantined_share: 0.9}\n")) == 0


def test_an_unset_variable_is_told_where_it_is_needed_and_hides_nothing_else(logs: Path) -> None:
    models = "models: {pinned: {model: openai/a, api_key: '${MODEL_KEY}'}}\n"
    alerts = "alerts: [{kind: slack, url: '${HOOK}'}]\n"
    far = ", {name: far, format: genchi, path: '${FAR_LOGS}/{day}.jsonl'}]"
    findings = examined(logs, SOURCE.replace("]", far) + models + alerts)
    assert exit_code(findings) == 2
    assert "MODEL_KEY is not set; evaluation needs it" in line(findings, "model openai/a")
    assert "HOOK is not set" in line(findings, "alert slack")
    assert "FAR_LOGS is not set; reading logs needs it" in line(findings, "source far")
    assert "2 calls" in line(findings, "source app")


def test_a_criterion_that_cannot_be_applied_is_told_with_its_route_and_the_others_are_not(logs: Path) -> None:
    (logs / "h.jsonl").write_text('{"example_id": "1", "input": "a", "route": "r"}\n')
    (logs / "c.yaml").write_text(
        "- {name: shape, kind: json_schema, schema: none.json}\n- {name: own, kind: python, function: 'none:f'}\n"
        "- {name: short, kind: length, max_chars: 9}\n"
    )
    findings = examined(logs, SOURCE + "routes: {r: {holdout: h.jsonl, criteria: c.yaml, output_schema: s.json}}\n")
    assert exit_code(findings) == 2
    told = [finding.text for finding in findings if finding.text.startswith("route r: ")]
    assert [text.partition(" is not applied")[0] for text in told] == [
        "route r: criterion `shape`", "route r: criterion `own`", "route r: `output_schema`"
    ]  # fmt: skip
    (logs / "c.yaml").write_text("- {name: short, kind: length, max_chars: 9}\n")
    findings = examined(logs, SOURCE + "routes: {r: {holdout: h.jsonl, criteria: c.yaml}}\n")
    assert line(findings, "route r: ") == "✓ route r: 1 criteria can be applied"


@pytest.fixture
def listener() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook/SECRET"


def test_an_alert_address_is_tried_without_sending(logs: Path, listener: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/hook/SECRET"
    alerts = "alerts:\n" + "".join(f"- {{kind: webhook, url: '{url}'}}\n" for url in (listener, nobody, "hooks.org/x"))
    findings = [finding for finding in examined(logs, SOURCE + alerts) if finding.text.startswith("alert")]
    assert [finding.level for finding in findings] == ["ok", "misconfigured", "misconfigured"]
    assert "127.0.0.1 can be reached; `genchi alert --test` sends a message" in findings[0].text
    assert "Connection refused; check its `url`" in findings[1].text
    assert "not a valid URL" in findings[2].text
    assert "SECRET" not in "".join(finding.text for finding in findings)


class Usage(NamedTuple):
    free: int


@pytest.mark.parametrize(("free", "level"), [(100 << 20, "problem"), (1 << 30, "warning"), (50 << 30, "ok")])
def test_a_full_disk_is_told_before_the_night_is(
    logs: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    monkeypatch.setattr(machine_checks.shutil, "disk_usage", lambda _: Usage(free))
    (disk,) = [finding for finding in examined(logs) if finding.text.startswith("disk")]
    assert disk.level == level


def test_another_version_than_the_locks_is_named(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def older(name: str, installed: Any = machine_checks.version) -> str:
        return "0.0.1" if name == "duckdb" else str(installed(name))

    monkeypatch.setattr(machine_checks, "version", older)
    (versions,) = [finding for finding in examined(logs) if finding.text.startswith("versions")]
    assert versions.level == "warning"
    assert "duckdb 0.0.1 (locked: " in versions.text
    assert "run `make venv`" in versions.text


def test_a_file_of_the_lake_that_changed_and_a_damaged_warehouse_are_told_where_all_is_read(logs: Path) -> None:
    path = logs / "genchi.yaml"
    path.write_text(f"app: a\nlake: lake\n{SOURCE}", encoding="utf-8")
    config = load_config(path)
    lake = config.open_lake()
    with lake.lock("test"):
        lake.write("interactions", DAY, from_rows([{"call_id": "1"}], "interactions"))
    well = list(examine(config, DAY, is_deep=True))
    assert line(well, "as it was published") == "✓ lake: every file is as it was published; the warehouse can be read"
    place = Path(lake.partition("interactions", DAY, "data"))
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 255
    place.write_bytes(content)
    config.warehouse.write_text("no database")
    found = list(examine(config, DAY, is_deep=True))
    assert exit_code(found) == 1
    assert f"✗ lake: {place}: the file has changed" in line(found, str(place))
    assert line(found, "builds it anew").startswith(f"✗ warehouse: {config.warehouse}: ")
    assert "`genchi transform` builds it anew" in line(found, "builds it anew")


def test_reports_that_are_a_file_are_told(logs: Path) -> None:
    (logs / "reports").write_text("", encoding="utf-8")
    findings = examined(logs)
    assert exit_code(findings) == 2
    assert "is a file; `reports` needs a folder" in line(findings, "reports:")


def test_a_dev_set_without_routes_is_told(logs: Path) -> None:
    (logs / "dev.jsonl").write_text('{"example_id": "1", "input": "x"}\n', encoding="utf-8")
    findings = examined(logs, SOURCE + "dev_set: dev.jsonl\nroutes: {a: {}, b: {}}\n")
    assert exit_code(findings) == 2
    assert "has no `route`, and there are several (a, b)" in line(findings, "test sets")


def test_what_a_workspace_adds_is_looked_at_before_a_night(logs: Path) -> None:
    features = logs / "features.csv"
    features.write_text("feature,side,kind,expression,description\ngreets,output,share,true,that greet\n", "utf-8")
    (logs / "dbt" / "models").mkdir(parents=True)
    (logs / "dbt" / "models" / "mine.sql").write_text("select 1 as a\n", encoding="utf-8")
    told = [finding.line for finding in examined(logs, SOURCE)]
    assert "✓ features.csv: 1 feature can be measured" in told
    assert any(line.startswith("✓ dbt: names and YAML can be read") for line in told)
    features.write_text(features.read_text(encoding="utf-8").replace("true", "no_column"), encoding="utf-8")
    (logs / "dbt" / "models" / "fct_breaches.sql").write_text("select 1 as a\n", encoding="utf-8")
    wrong = [finding.text for finding in examined(logs, SOURCE) if finding.level == "misconfigured"]
    assert any(text.startswith(f"{features}:2: feature `greets`: Binder Error") for text in wrong)
    assert any("genchi has a model named fct_breaches" in text for text in wrong)
    assert not (logs / "lake" / "_dbt").exists()
