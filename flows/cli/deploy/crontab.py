"""Cron expressions of five fields, and the lines of a crontab that run a workspace's nights."""

import shlex
import sys
from pathlib import Path

from flows.config import Config, read_yaml, unset_variables
from flows.errors import ConfigError

DEFAULT = "0 3 * * *"


def checked(cron: str) -> str:
    """The expression, with single spaces. Raises ConfigError where it has not five fields, or Prefect refuses it."""
    from prefect.client.schemas.schedules import CronSchedule  # noqa: PLC0415 - imported late: costs 2 s
    from pydantic import ValidationError  # noqa: PLC0415 - as above

    fields = cron.split()
    try:
        if len(fields) != 5:
            raise ConfigError(f"--at {cron!r}: has {len(fields)} fields; write minute, hour, day, month, weekday")
        CronSchedule(cron=" ".join(fields))
    except ValidationError:
        raise ConfigError(f"--at {cron!r}: is no cron expression; write it as in a crontab: {DEFAULT!r}") from None
    return " ".join(fields)


def command(config: Config) -> list[str]:
    """The command of a night, with absolute paths."""
    return [str(Path(sys.executable).with_name("genchi")), "nightly", "--config", str(config.path)]


def crontab(config: Config, cron: str) -> list[str]:
    """The lines for `crontab -e`, where a percent sign must be escaped. The shell reads the workspace's .env."""
    line = shlex.join(command(config))
    keys = "cron has no variables of your shell, and genchi.yaml names none"
    if unset_variables(read_yaml(config.path)):  # nothing is put in for any yet
        keys = "cron has no variables of your shell: write what genchi.yaml names to .env beside it, and print again"
    if (config.workspace / ".env").is_file():
        keys = "The shell reads .env: put values with spaces or a $ into single quotes"
        line = f"cd {shlex.quote(str(config.workspace))} && set -a && . ./.env && set +a && {line}"
    escaped = line.replace("%", r"\%")
    return [
        f"# genchi: {config.app}. The night of a day can run when the day has ended in {config.timezone}.",
        "# cronie reads CRON_TZ; another cron takes the time zone of the machine.",
        f"# {keys}.",
        f"CRON_TZ={config.timezone}",
        f"{cron}  {escaped}",
    ]
