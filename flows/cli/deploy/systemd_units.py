"""A service and a timer of systemd that run a workspace's nights."""

import re

from flows.cli.deploy.crontab import command
from flows.cli.deploy.deployments import slug_of
from flows.config import Config
from flows.errors import ConfigError

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ITEM = re.compile(r"(?P<first>\*|\d+)(?:-(?P<last>\d+))?(?:/(?P<step>\d+))?")


def units(config: Config, cron: str) -> dict[str, list[str]]:
    """The files of `/etc/systemd/system` by their names, as lines.

    The exit code 1 is of the application, not of the run, and no failure of the unit. A night that was missed while the
    machine was off runs when it is on again. Raises ConfigError for a `cron` that systemd cannot express.
    """
    name = f"genchi-{slug_of(config.app)}"
    service = [
        "[Unit]",
        f"Description=genchi: a night of {_escaped(config.app)}",
        "After=network-online.target",
        "Wants=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={_escaped(str(config.workspace))}",
        f"EnvironmentFile=-{_escaped(str(config.workspace / '.env'))}",
        f"ExecStart={' '.join(map(_quoted, command(config)))}",
        "SuccessExitStatus=1 143",
        "TimeoutStartSec=3d",
    ]
    timer = [
        "[Unit]",
        f"Description=genchi: when the nights of {_escaped(config.app)} begin",
        "",
        "[Timer]",
        *(f"OnCalendar={when} {config.timezone}" for when in on_calendar(cron)),
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return {f"{name}.service": service, f"{name}.timer": timer}


def on_calendar(cron: str) -> list[str]:
    """A cron expression in systemd's words: two of them where cron means a day of the month or a weekday.

    >>> on_calendar("30 3 * * 1-5")
    ['Mon,Tue,Wed,Thu,Fri *-*-* 3:30:00']
    """
    minute, hour, day, month, weekday = cron.lower().split()
    for number, name in enumerate(_MONTHS, 1):
        month = month.replace(name, str(number))
    for number, name in enumerate(_DAYS[:7]):
        weekday = weekday.replace(name.lower(), str(number))
    clock = f"{_field(cron, hour, 0)}:{_field(cron, minute, 0)}:00"
    months, days, weekdays = _field(cron, month, 1), _field(cron, day, 1), _weekdays(cron, weekday)
    if weekday.startswith("*"):
        return [f"{weekdays}*-{months}-{days} {clock}"]
    if day.startswith("*"):
        return [f"{weekdays}*-{months}-{days} {clock}"]
    return [f"*-{months}-{days} {clock}", f"{weekdays}*-{months}-* {clock}"]


def _field(cron: str, field: str, low: int) -> str:
    """One field of numbers; `low` is the first that it may have."""
    return ",".join(_numbers(cron, _parts(cron, item), low) for item in field.split(","))


def _numbers(cron: str, item: re.Match[str], low: int) -> str:
    first, last, step = item["first"], item["last"], item["step"]
    if first != "*" and last and int(first) > int(last):
        raise ConfigError(f"--at {cron!r}: the range {item[0]} ends before it begins; write two, such as 22-23,0-2")
    if first == "*":
        return f"{low}/{step}" if step else "*"
    return first + (f"..{last}" if last else "") + (f"/{step}" if step else "")


def _weekdays(cron: str, field: str) -> str:
    """The names of the weekdays and a space; nothing where it is every day. A range may go on after Saturday."""
    if field == "*":
        return ""
    chosen: set[int] = set()
    for item in (_parts(cron, one) for one in field.split(",")):
        first = 0 if item["first"] == "*" else int(item["first"])
        is_open = item["first"] == "*" or (item["step"] and not item["last"])
        last = max(first, 6) if is_open else int(item["last"] or first)
        last += 7 if last < first else 0
        chosen |= {number % 7 for number in range(first, last + 1, int(item["step"] or 1))}
    return f"{','.join(_DAYS[number] for number in sorted(chosen, key=lambda day: (day - 1) % 7))} "


def _parts(cron: str, item: str) -> re.Match[str]:
    found = _ITEM.fullmatch(item)
    if not found:
        raise ConfigError(f"--at {cron!r}: systemd has no word for {item!r}; use numbers, lists, ranges and steps")
    return found


def _quoted(word: str) -> str:
    """A word of a command, in which a dollar sign would be a variable."""
    escaped = _escaped(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"' if re.search(r"""[\s"';\\]""", word) else escaped


def _escaped(text: str) -> str:
    """A text on one line, in which a percent sign would be a specifier."""
    return " ".join(text.splitlines()).replace("%", "%%")
