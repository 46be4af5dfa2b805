"""How the review page's templates are filled in: what comes from logs, models and people is text, and escaped."""

import secrets
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flows.outgoing import plain
from flows.words import counted, day_and_month

HERE = Path(__file__).parent
STATIC = HERE / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


def new_environment() -> Environment:
    """The templates with their filters, and `new_id` for what a form will add; a missing name is an error."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        finalize=_as_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(new_id=lambda: secrets.token_hex(16))
    environment.filters.update(written=plain, list_number=_list_number)
    environment.filters.update(
        counted=counted, day_and_month=day_and_month, verdict=verdict, minutes=minutes, percent=percent
    )
    return environment


def static_files() -> Mapping[str, tuple[bytes, str]]:
    """The content and the type of each file that the page loads, by its name."""
    return {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in STATIC.iterdir() if path.suffix in _TYPES}


def verdict(passed: bool | None) -> str:
    """`pass`, `fail` or `unsure`."""
    return {True: "pass", False: "fail", None: "unsure"}[passed]


def minutes(seconds: float) -> str:
    """`45 s`, `9 min 12 s`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def percent(share: float | None) -> str:
    """`12 %`; a dash for what is not known."""
    return "\N{EN DASH}" if share is None else f"{100 * share:.0f} %"


def long_day(day: date) -> str:
    """`14 May 2024`."""
    return f"{day_and_month(day)} {day.year}"


def as_text(value: Any) -> Any:
    """A value for a script: texts in it without what steers a browser or turns words around."""
    if isinstance(value, dict):
        return {name: as_text(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_text(one) for one in value]
    return plain(value, keep="\n\t") if isinstance(value, str) else value


def _as_text(value: object) -> object:
    """What a template shows. Markup is this package's own, of escaped parts, and was made plain when it was made."""
    return plain(value, keep="\n\t") if isinstance(value, str) and not isinstance(value, Markup) else value


def _list_number(route: str | None, modes: Mapping[str, Any]) -> int:
    """A number for the list of a route's failure modes, for names may hold anything; -1 where there is none."""
    return [*modes].index(route) if route is not None and route in modes else -1
