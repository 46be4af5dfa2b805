"""How the templates of the pages are filled in: whatever comes from logs, models and files is text, and escaped."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flows.outgoing import plain
from flows.report import candidates, wording
from flows.words import counted, day_and_month, month_and_year

TEMPLATES = Path(__file__).parent / "templates"
FILTERS = ("long_day", "number", "percent", "points", "short_day")


@cache
def environment() -> Environment:
    """The templates with their filters, each compiled once; a name that a template misses is an error."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_as_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update({name: getattr(wording, name) for name in FILTERS}, counted=counted, cut=candidates.cut)
    found.filters.update(day_and_month=day_and_month, month_and_year=month_and_year)
    return found


def _as_text(value: object) -> object:
    """What a template shows: texts without what steers a browser or turns words around. Pictures stay markup."""
    if isinstance(value, Markup):
        return Markup(plain(value, keep="\n\t"))  # noqa: S704 - this package's own, of escaped parts
    return plain(value, keep="\n\t") if isinstance(value, str) else value
