"""`genchi deploy`: what it writes for Prefect keeps what was there, and cron and systemd get what they can run."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli import main
from flows.cli.deploy.deployments import deployments, slug_of
from flows.cli.deploy.systemd_units import on_calendar
from flows.errors import ConfigError

PAGE = Path(__file__).resolve().parents[3] / "flows" / "README.md"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return new_workspace(tmp_path / "desk", "desk")


def new_workspace(folder: Path, app: str, timezone: str = "Europe/Berlin") -> Path:
    folder.mkdir()
    (folder / "genchi.yaml").write_text(f"app: {app}\nlake: lake\ntimezone: {timezone}\n", encoding="utf-8")
    return folder / "genchi.yaml"


def entries() -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in yaml.safe_load(Path("prefect.yaml").read_text("utf-8"))["deployments"]}


def test_a_workspace_gets_its_deployments_under_the_name_of_its_app(workspace: Path) -> None:
    assert main(["deploy", "--config", str(workspace)]) == 0
    found = entries()
    assert list(found) == [
        "desk-nightly",
        "desk-backfill",
        "desk-evaluate-now",
        "desk-review-digest",
        "desk-flight-check",
    ]
    assert {entry["parameters"]["config_path"] for entry in found.values()} == {str(workspace)}
    assert found["desk-nightly"]["schedules"] == [{"cron": "0 3 * * *", "timezone": "Europe/Berlin", "active": True}]
    assert found["desk-backfill"]["schedules"] == []
    assert all(entry["concurrency_limit"]["limit"] == 1 for entry in found.values())
    assert found["desk-nightly"]["tags"] == ["genchi", "desk", "nightly"]


def test_the_checkout_has_the_same_deployments() -> None:
    own = yaml.safe_load((PAGE.parents[1] / "prefect.yaml").read_text("utf-8"))["deployments"]
    found = [
        (
            entry["name"],
            entry["entrypoint"].replace("/", ".").replace(".py:", "."),
            [schedule["cron"] for schedule in entry["schedules"]],
        )
        for entry in own
    ]
    wanted = [(one.name, one.entrypoint, [one.cron] if one.cron else []) for one in deployments("0 3 * * *")]
    assert found == wanted


def test_every_entry_runs_a_flow_whose_parameters_are_typed_and_described(workspace: Path) -> None:
    from prefect.flows import load_flow_from_entrypoint
    from prefect.utilities.callables import parameter_schema

    main(["deploy", "--config", str(workspace)])
    for name, entry in entries().items():
        flow = load_flow_from_entrypoint(str(entry["entrypoint"]), use_placeholder_flow=False)
        assert f"| `{flow.name}/{name.replace('desk', 'my-app')}` |" in PAGE.read_text(encoding="utf-8")
        schema = parameter_schema(flow)
        assert "config_path" in schema.properties, name
        for parameter, about in schema.properties.items():
            assert about.get("description"), f"{name}: {parameter}"
            assert about.get("type") or about.get("anyOf"), f"{name}: {parameter}"


def test_entries_of_others_and_comments_stay_when_another_workspace_is_added(workspace: Path, tmp_path: Path) -> None:
    Path("prefect.yaml").write_text(
        "# ours, by hand\nname: team\ndeployments:\n"
        "  - name: etl   # not of genchi\n    entrypoint: 'etl.py:run'\n    work_pool: {name: big}\n",
        encoding="utf-8",
    )
    main(["deploy", "--config", str(workspace)])
    main(["deploy", "--config", str(new_workspace(tmp_path / "other", "other"))])
    text = Path("prefect.yaml").read_text(encoding="utf-8")
    assert "# ours, by hand\nname: team\n" in text
    assert "- name: etl   # not of genchi\n    entrypoint: 'etl.py:run'\n    work_pool: {name: big}\n" in text
    assert list(entries())[:2] == ["etl", "desk-nightly"]
    assert "other-nightly" in entries()


def test_writing_again_changes_nothing_and_keeps_what_a_person_has_set(workspace: Path) -> None:
    main(["deploy", "--config", str(workspace)])
    first = Path("prefect.yaml").read_text(encoding="utf-8")
    main(["deploy", "--config", str(workspace)])
    assert Path("prefect.yaml").read_text(encoding="utf-8") == first
    ours = first.replace("cron: 0 3 * * *", "cron: 0 4 * * *  # after the backup")
    ours = ours.replace("      name: genchi\n", "      name: mine\n")
    Path("prefect.yaml").write_text(ours, encoding="utf-8")
    workspace.write_text("app: desk\nlake: lake\ntimezone: UTC\n", encoding="utf-8")
    main(["deploy", "--config", str(workspace)])
    nightly = entries()["desk-nightly"]
    assert nightly["schedules"] == [{"cron": "0 4 * * *", "timezone": "UTC", "active": True}]
    assert nightly["work_pool"]["name"] == "mine"
    assert "# after the backup" in Path("prefect.yaml").read_text(encoding="utf-8")
    main(["deploy", "--config", str(workspace), "--at", "30 5 * * *", "--pool", "night"])
    assert entries()["desk-nightly"]["schedules"][0]["cron"] == "30 5 * * *"
    assert entries()["desk-nightly"]["work_pool"]["name"] == "night"


def test_two_workspaces_of_one_name_are_refused_and_nothing_is_written(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["deploy", "--config", str(workspace)])
    before = Path("prefect.yaml").read_bytes()
    assert main(["deploy", "--config", str(new_workspace(tmp_path / "twin", "desk"))]) == 2
    assert f"desk-nightly is of {workspace}; give one of the two workspaces another `app`" in capsys.readouterr().err
    assert Path("prefect.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [\n", "prefect.yaml: not valid YAML, line 2"),
        ("- a\n", "prefect.yaml: expected keys and values"),
        ("deployments: {a: 1}\n", "prefect.yaml: deployments: must be a list"),
    ],
)
def test_a_file_that_is_no_prefect_yaml_is_refused_in_one_line(
    workspace: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    Path("prefect.yaml").write_text(content, encoding="utf-8")
    assert main(["deploy", "--config", str(workspace)]) == 2
    assert message in capsys.readouterr().err
    assert Path("prefect.yaml").read_text(encoding="utf-8") == content


@pytest.mark.parametrize("cron", ["0 3 * *", "0 99 * * *", "at night in the morning"])
def test_a_wrong_time_is_refused_and_nothing_is_written(
    workspace: Path, capsys: pytest.CaptureFixture[str], cron: str
) -> None:
    assert main(["deploy", "--config", str(workspace), "--at", cron]) == 2
    assert f"--at {cron!r}" in capsys.readouterr().err
    assert not Path("prefect.yaml").exists()


def test_the_file_can_be_printed_without_writing_it(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "--config", str(workspace), "--print"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["deployments"][0]["name"] == "desk-nightly"
    assert not Path("prefect.yaml").exists()


def test_the_line_of_a_crontab_runs_the_night_from_any_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = new_workspace(tmp_path / "50 % off", "desk")
    assert main(["deploy", "--config", str(path), "--cron", "--at", "15 4 * * 1-5"]) == 0
    *above, line = capsys.readouterr().out.splitlines()
    assert "CRON_TZ=Europe/Berlin" in above
    assert line.startswith("15 4 * * 1-5  /")
    command = line.removeprefix("15 4 * * 1-5  ").replace(r"\%", "%")
    done = subprocess.run(
        ["sh", "-c", command.replace("nightly", "holdout")], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_systemd_gets_a_service_and_a_timer(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "--config", str(workspace), "--systemd"]) == 0
    text = capsys.readouterr().out
    assert f"genchi nightly --config {workspace}\n" in text
    assert "OnCalendar=*-*-* 3:0:00 Europe/Berlin\nPersistent=true\n" in text
    assert "systemctl enable --now genchi-desk.timer" in text


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 3 * * *", ["*-*-* 3:0:00"]),
        ("*/15 2-4 * * *", ["*-*-* 2..4:0/15:00"]),
        ("0 3 1,15 * *", ["*-*-1,15 3:0:00"]),
        ("0 3 * JAN-MAR SUN", ["Sun *-1..3-* 3:0:00"]),
        ("0 3 * * 1-5", ["Mon,Tue,Wed,Thu,Fri *-*-* 3:0:00"]),
        ("0 3 * * 6,7", ["Sat,Sun *-*-* 3:0:00"]),
        ("0 3 * * sat-sun", ["Sat,Sun *-*-* 3:0:00"]),
        ("0 3 * * 6-0", ["Sat,Sun *-*-* 3:0:00"]),
        ("0 3 * * fri-mon", ["Mon,Fri,Sat,Sun *-*-* 3:0:00"]),
        ("0 3 * * 5-1/2", ["Fri,Sun *-*-* 3:0:00"]),
        ("0 3 * * 5-7", ["Fri,Sat,Sun *-*-* 3:0:00"]),
        ("0 3 * * 7/2", ["Sun *-*-* 3:0:00"]),
        ("0 3 1 * 1", ["*-*-1 3:0:00", "Mon *-*-* 3:0:00"]),
    ],
)
def test_a_cron_expression_is_told_in_systemds_words(cron: str, expected: list[str]) -> None:
    assert on_calendar(cron) == expected
    if shutil.which("systemd-analyze"):
        for when in expected:
            subprocess.run(["systemd-analyze", "calendar", when], check=True, capture_output=True)


def test_what_systemd_cannot_say_is_refused() -> None:
    with pytest.raises(ConfigError, match="systemd has no word for 'l'"):
        on_calendar("0 3 L * *")


@pytest.mark.parametrize("cron", ["0 22-2 * * *", "0 3 25-5 * *", "0 3 * nov-feb *", "50-10/5 3 * * *"])
def test_a_range_that_ends_before_it_begins_is_refused(cron: str) -> None:
    with pytest.raises(ConfigError, match=r"^--at '.*': the range [0-9/-]+ ends before it begins; write two, such as"):
        on_calendar(cron)


def test_names_that_differ_stay_different() -> None:
    assert slug_of("support-desk") == "support-desk"
    names = [slug_of(app) for app in ("Support desk", "support/desk", "support desk", "客服", "帮助")]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and "/" not in name for name in names)


def test_the_automation_is_one_that_prefect_takes(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from prefect.events.schemas.automations import AutomationCore

    from flows.prefect_run import CRITICAL

    assert main(["deploy", "--config", str(workspace), "--automation"]) == 0
    automation = AutomationCore.model_validate(yaml.safe_load(capsys.readouterr().out))
    assert f"prefect.flow-run.{CRITICAL}" in automation.trigger.expect  # type: ignore[union-attr]  # an event trigger
    assert not Path("prefect.yaml").exists()


def test_what_is_scheduled_and_how_to_run_a_night_by_hand_is_said(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["deploy", "--config", str(workspace), "--at", "30 4 * * *"])
    told = capsys.readouterr().out.splitlines()
    assert "  desk-nightly        30 4 * * * (Europe/Berlin)" in told
    assert [line.split()[0] for line in told if "(Europe/Berlin)" in line] == [
        *("desk-nightly", "desk-review-digest", "desk-flight-check"),
    ]
    assert "  prefect deployment run nightly/desk-nightly --watch   # a night now" in told
    written = Path("prefect.yaml").read_text(encoding="utf-8")
    Path("prefect.yaml").write_text(written.replace("active: true", "active: false", 1), encoding="utf-8")
    main(["deploy", "--config", str(workspace)])
    assert "desk-nightly        30" not in capsys.readouterr().out


def test_cron_gets_the_keys_from_the_env_file_of_the_workspace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = new_workspace(tmp_path / "my desk", "desk")
    with path.open("a", encoding="utf-8") as file:
        file.write("# alerts: [{kind: slack, url: '${SLACK_WEBHOOK_URL}'}]\n")
    main(["deploy", "--config", str(path), "--cron"])
    assert "and genchi.yaml names none" in capsys.readouterr().out
    with path.open("a", encoding="utf-8") as file:
        file.write("alerts: [{kind: webhook, url: '${DESK_HOOK}'}]\n")
    main(["deploy", "--config", str(path), "--cron"])
    assert "write what genchi.yaml names to .env beside it" in capsys.readouterr().out
    (path.parent / ".env").write_text("DESK_KEY='a b'\n", encoding="utf-8")
    main(["deploy", "--config", str(path), "--cron"])
    *_, line = capsys.readouterr().out.splitlines()
    start, _, genchi = line.removeprefix("0 3 * * *  ").rpartition(" && ")
    assert genchi.split()[1] == "nightly"
    done = subprocess.run(["sh", "-c", f"{start} && env"], cwd="/", capture_output=True, text=True, check=True)
    assert "DESK_KEY=a b" in done.stdout.splitlines()


def test_the_page_shows_the_lines_that_are_printed_for_cron(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = new_workspace(tmp_path / "desk", "my-app")
    (path.parent / ".env").touch()
    main(["deploy", "--config", str(path), "--cron"])
    printed = capsys.readouterr().out.replace(str(path.parent), "/srv/my-app")
    genchi = str(Path(sys.executable).with_name("genchi"))
    assert f"```\n{printed.replace(genchi, '/srv/genchi/.venv/bin/genchi')}```" in PAGE.read_text(encoding="utf-8")
