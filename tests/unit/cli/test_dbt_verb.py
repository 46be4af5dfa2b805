"""`genchi dbt`: whose option is whose, the exit codes, and real commands on a small lake."""

import argparse
from datetime import date
from pathlib import Path

import pytest

from flows.cli import dbt_arguments, main
from flows.config.load import load_config
from flows.errors import ConfigError
from flows.transform.dbt_command import run_command
from flows.warehouse import query

DAY = "2026-03-04"
CONFIG = """
app: test
lake: lake
sources: [{name: gateway, format: genchi, path: "logs/{day}/*.jsonl"}]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "genchi.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def options_of(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    dbt_arguments.add_verb(parser.add_subparsers(), date.fromisoformat)
    return dbt_arguments.take_own(parser.parse_args(["dbt", *arguments]), date.fromisoformat)


def test_genchis_options_may_stand_before_and_after_the_command() -> None:
    after = options_of("build", "-s", "fct_usage_daily", "--config", "a.yaml", "--day", DAY, "--full-refresh")
    assert (after.config, after.day) == (Path("a.yaml"), date(2026, 3, 4))
    assert after.arguments == ["build", "-s", "fct_usage_daily", "--full-refresh"]
    before = options_of("--config", "a.yaml", "source", "freshness")
    assert (before.config, before.day, before.arguments) == (Path("a.yaml"), None, ["source", "freshness"])


def test_help_after_a_command_is_left_to_dbt() -> None:
    assert options_of("build", "--help").arguments == ["build", "--help"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no command is given"),
        (["build", "--day", DAY, "--start", DAY, "--end", DAY], "give either --day, or both --start and --end"),
        (["build", "--start", DAY], "give either --day, or both --start and --end"),
        (["build", "--start", DAY, "--end", "2026-03-03"], "is before --start"),
        (["build", "--vars", "one"], "must be names with values"),
    ],
)
def test_a_wrong_command_is_2_and_one_line(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["dbt", "--config", str(workspace), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_what_dbt_does_not_know_is_a_wrong_command(workspace: Path) -> None:
    config = load_config(workspace)
    with pytest.raises(ConfigError, match=r"^dbt: No such command 'bulid'"):
        run_command(config, ["bulid"], date(2026, 3, 4), date(2026, 3, 4), {})


@pytest.mark.long
def test_dbt_builds_shows_and_fails_on_the_workspaces_warehouse(
    workspace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        return main(["dbt", *arguments, "--config", str(workspace), "--day", DAY])

    assert run("build", "-s", "+fct_usage_daily") == 0
    assert "Completed successfully" in capfd.readouterr().out
    assert query(load_config(workspace).warehouse, "select count(*) as n from marts.fct_usage_daily") == [{"n": 0}]
    assert run("show", "--inline", "select {{ var('texts_sampled') }} as sample", "--vars", "{texts_sampled: 7}") == 0
    assert "|      7 |" in capfd.readouterr().out
    assert run("source", "freshness") == 3  # no calls have come since 4 days
    assert "ERROR STALE freshness of lake.interactions" in capfd.readouterr().out
