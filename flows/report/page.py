"""From facts to one HTML page: a file that needs no network, no script and no other file.

Whatever comes from logs, models and files is text: Jinja escapes it, and only this package's own SVG is markup.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flows.config import Config
from flows.lake import replace_text
from flows.outgoing import plain
from flows.report import candidates, evidently_page, tables, wording
from flows.report.cards import cards
from flows.report.facts import read_facts
from flows.report.finding_kinds import kind_of
from flows.report.night_verdict import MIRROR, Status, night_verdict
from flows.report.rows import Facts
from flows.report.topic_rows import topics
from flows.words import counted

logger = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
FILTERS = ("long_day", "number", "percent", "points", "short_day")


@dataclass(frozen=True)
class ReportResult:
    """Where the page lies, and its verdict."""

    path: Path
    status: Status
    headline: str


@dataclass(frozen=True)
class Links:
    """The pages beside this one, as relative addresses; None where there is no such page, with the reason."""

    data_docs: str | None = None
    evidently: str | None = None
    evidently_reason: str = ""


def write_report(config: Config, day: date, failures: Sequence[str] = ()) -> ReportResult:
    """Write the page of `day`, `<reports>/<day>/index.html`, and Evidently's beside it; say what the verdict is.

    Works on any lake and any warehouse, also on none: what is missing, cannot be read or failed is said on the page.
    """
    return lay_out(config, read_facts(config, day, failures))


def lay_out(config: Config, facts: Facts) -> ReportResult:
    """The same from facts that were read already."""
    day, folder = facts.day, config.reports / facts.day.isoformat()
    drawing = evidently_page.write(config, day, folder / "evidently.html")
    links = Links(
        data_docs="data_docs/index.html" if (folder / "data_docs" / "index.html").is_file() else None,
        evidently="evidently.html" if drawing.is_written else None,
        evidently_reason=drawing.reason,
    )
    replace_text(folder / "index.html", render(facts, links))
    verdict = night_verdict(facts)
    logger.info("report: %s: %s", day, verdict.headline)
    return ReportResult(folder / "index.html", verdict.status, plain(verdict.headline))


def _as_text(value: object) -> object:
    """What a template shows: texts without what steers a browser or turns words around. Pictures stay markup."""
    if isinstance(value, Markup):
        return Markup(plain(value, keep="\n\t"))  # noqa: S704 - this package's own, of escaped parts
    return plain(value, keep="\n\t") if isinstance(value, str) else value


def render(facts: Facts, links: Links) -> str:
    """The page as text; the same for the same facts and links."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_as_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(wording, name) for name in FILTERS}, counted=counted, cut=candidates.cut)
    checks = [found for found in facts.expectations if found.suite != MIRROR]
    return environment.get_template("page.html").render(
        facts=facts,
        links=links,
        verdict=night_verdict(facts),
        cards=cards(facts),
        kind_of=kind_of,
        topics=topics(facts),
        candidates=tables.candidates(facts),
        flips={model: candidates.flips_of(facts, model) for model in {row.model for row in facts.flips}},
        frontiers=candidates.frontiers(facts),
        pins=[(pin, candidates.pin_sentence(pin)) for pin in facts.pins],
        rates=tables.rates(facts),
        usage_rows=tables.usage_rows(facts),
        failed=[found for found in checks if not found.success],
        checks=checks,
        suites=sorted(Counter(found.suite for found in checks if found.success).items()),
    )
