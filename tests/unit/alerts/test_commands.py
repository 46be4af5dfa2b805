"""What a message proposes to run for an incident or a failed check."""

from datetime import date

import pytest

from flows.alerts.commands import commands_for

DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("suite", "command"),
    [
        ("stages", "genchi nightly --day 2026-03-02"),
        ("landed_logs", "genchi doctor --day 2026-03-02"),
        ("holdout", "genchi holdout"),
        ("eval_outputs", "genchi evaluate --day 2026-03-02"),
        ("review", "genchi review"),
        ("nights", "genchi dbt show -s fct_night_runs"),
    ],
)
def test_a_failed_check_names_the_command_that_shows_or_repeats_what_it_is_about(suite: str, command: str) -> None:
    assert commands_for(suite, "a", DAY, (), (), is_incident=False) == (command,)
