"""`genchi init`: look at logs, and write a first, commented genchi.yaml that reads them."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

from flows.cli.first_config import configuration, refuse_existing
from flows.config import Config, load_config, not_set
from flows.errors import ConfigError
from flows.ingest import SAMPLE, Discovery, FoundSource, discover, is_database
from flows.outgoing import plain
from flows.words import counted, listed, outcome_counts, shown_days

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_MOST_IGNORED = 5


def run(place: str, path: Path, today: date, print_line: Callable[[str], None]) -> None:
    """Look at `place`, write `path`, and print what was found and what to run next. Raises ConfigError and RunError."""
    path = path.absolute()
    refuse_existing(path)
    place, variable = resolved(place)
    found = discover(_empty(path), place)
    if not found.sources:
        raise ConfigError(_nothing(place, variable, found))
    for line in _found_lines(found):
        print_line(line)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(configuration(_app(path), found.sources, variable))
    except FileExistsError:
        refuse_existing(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; write elsewhere with --config") from None
    window_days = load_config(path).window_days
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    print_line(f"\nWrote {shown}. Next:")
    option = "" if shown == "genchi.yaml" else f" --config {shown}"
    for command in _next(found.sources, option, variable, today, window_days):
        print_line(f"  {command}")


def resolved(place: str) -> tuple[str, str]:
    """The place, and the environment variable that a database's address is to be taken from."""
    written = _VARIABLE.fullmatch(place)
    if written:
        if not os.environ.get(written[1]):
            raise ConfigError(f"{place}: {not_set(written[1])}")
        return os.environ[written[1]], written[1]
    if is_database(place):
        return place, next((name for name, value in sorted(os.environ.items()) if value == place), "DATABASE_URL")
    return place, ""


def _empty(path: Path) -> Config:
    """A configuration without sources: what is shown of the logs is redacted."""
    every_kind = ("email", "phone", "card", "secret", "iban", "ip")
    return Config.model_validate(
        {"path": path, "app": "init", "lake": "lake", "redact": every_kind}, context=path.parent
    )


def _app(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", path.parent.name).strip("-.") or "my-app"


def _nothing(place: str, variable: str, found: Discovery) -> str:
    where = f"${{{variable}}}" if variable else place
    looked = counted(found.files, "table" if variable else "file")
    why = "; ".join(f"{plain(name)}: {problem}" for name, problem in found.ignored[:3])
    return (
        f"{where}: no calls found in {looked}{f' ({why})' if why else ''}; name the folder of your logs:"
        " genchi init FOLDER. A format of your own can be written as the format `genchi`: flows/ingest/README.md"
    )


def _found_lines(found: Discovery) -> list[str]:
    lines = []
    for source in found.sources:
        files = f", {counted(source.files, 'file')}" if source.files else ""
        reading = source.reading
        lines.append(f"{plain(source.path or source.newest)}: {source.format}{files}, {shown_days(source.days)}")
        counts = outcome_counts(
            (reading.calls, "call"),
            (reading.feedback, "feedback signal"),
            (reading.duplicates, "duplicate"),
            (reading.other, "other"),
            (reading.quarantined, "quarantined"),
        )
        records = counted(reading.records, "record")
        sample = f"a sample of {records}" if reading.records >= SAMPLE else f"the {records}"
        lines.append(f"  {counts} in {sample} of {plain(source.newest)}")
        about = [listed("route", reading.routes), listed("model", reading.models)]
        lines += [f"  {part}" for part in about if part]
    lines += [f"not read: {plain(name)}: {problem}" for name, problem in found.ignored[:_MOST_IGNORED]]
    if len(found.ignored) > _MOST_IGNORED:
        lines.append(f"not read: and {len(found.ignored) - _MOST_IGNORED} more")
    return lines


def _next(sources: tuple[FoundSource, ...], option: str, variable: str, today: date, window_days: int) -> Iterator[str]:
    """The commands to run next: the checks, the history to compare with, and the newest whole day."""
    if variable and not os.environ.get(variable):
        yield f"export {variable}=...   # the address that you gave to init"
    days = sorted({day for source in sources for day in source.days})
    night = next((day for day in reversed(days) if day < today), days[-1] if days else today - timedelta(days=1))
    yield f"genchi doctor{option}   # checks everything that a night needs"
    first = next((day for day in days if day >= night - timedelta(days=window_days)), night)
    if first < night:
        past = f"--start {first} --end {night - timedelta(days=1)}"
        yield f"genchi backfill{option} {past}   # the days to compare with, at most {window_days}"
    yield f"genchi nightly{option} --day {night}   # the newest whole day; without --day it is yesterday"
    yield f"genchi deploy{option} --cron   # prints the line for crontab -e; without --cron: for Prefect"
