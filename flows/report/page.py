"""From facts to one HTML page: a file that needs no network, no script and no other file.

Whatever comes from logs, models and files is text: Jinja escapes it, and only this package's own SVG is markup.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from flows.config import Config
from flows.lake import replace_text
from flows.outgoing import plain
from flows.report import candidates, evidently_page, nights, tables
from flows.report.breach_kinds import kind_of
from flows.report.cards import cards
from flows.report.facts import read_facts
from flows.report.incident_rows import in_order
from flows.report.night_rows import stage_rows
from flows.report.night_verdict import MIRROR, Status, Verdict, compared_with, days_before, night_verdict
from flows.report.rows import Facts
from flows.report.templating import environment
from flows.report.topic_rows import topics

logger = logging.getLogger(__name__)

_NOT_DRAWN = "a backfill does not draw them"
_NOT_WANTED = "they are drawn with `evidently: true` in genchi.yaml"


@dataclass(frozen=True)
class ReportResult:
    """Where the page lies, and its verdict."""

    path: Path
    status: Status
    headline: str


@dataclass(frozen=True)
class Links:
    """The pages beside this one, as relative addresses; None where there is no such page, with the reason."""

    nights: str | None = None
    data_docs: str | None = None
    evidently: str | None = None
    evidently_reason: str = ""


def write_report(config: Config, day: date, failures: Sequence[str] = ()) -> ReportResult:
    """Write the page of `day`, `<reports>/<day>/index.html`, Evidently's if wanted, and the index over all nights.

    Works on any lake and any warehouse, also on none: what is missing, cannot be read or failed is said on the page.
    """
    result = lay_out(config, read_facts(config, day, failures))
    nights.write_index(config)
    return result


def lay_out(config: Config, facts: Facts, *, draws: bool = True) -> ReportResult:
    """The page from facts that were read already, without the index.

    Evidently's page costs seconds: it is drawn if the configuration wants it and `draws` is true. One that lies
    there is left and linked where it is not drawn anew.
    """
    day, folder = facts.day, config.reports / facts.day.isoformat()
    place = folder / "evidently.html"
    if draws and config.evidently:
        drawing = evidently_page.write(config, day, place)
    else:
        drawing = evidently_page.Drawing(place.is_file(), _NOT_DRAWN if config.evidently else _NOT_WANTED)
    links = Links(
        nights="../index.html",
        data_docs="data_docs/index.html" if (folder / "data_docs" / "index.html").is_file() else None,
        evidently="evidently.html" if drawing.is_written else None,
        evidently_reason=drawing.reason,
    )
    replace_text(folder / "index.html", render(facts, links))
    verdict = night_verdict(facts)
    logger.info("report: %s: %s", day, verdict.headline)
    return ReportResult(folder / "index.html", verdict.status, plain(verdict.headline))


def _about(facts: Facts, verdict: Verdict) -> str:
    """The night in the index: its first incident where that decided the verdict, else the verdict's sentence."""
    told = [incident.title for incident in in_order(facts.incidents) if incident.is_told]
    decided = bool(told) and verdict.sentence.startswith(told[0])
    return nights.headline_of(told[0], len(told) - 1) if decided else verdict.sentence


def render(facts: Facts, links: Links) -> str:
    """The page as text; the same for the same facts and links."""
    verdict = night_verdict(facts)
    checks = [found for found in facts.expectations if found.suite != MIRROR]
    return (
        environment()
        .get_template("page.html")
        .render(
            facts=facts,
            links=links,
            verdict=verdict,
            compared_with=compared_with(facts),
            days_before=days_before(facts),
            eve=facts.day - timedelta(days=1),
            review=facts.review,
            marks=nights.marks(verdict.status, _about(facts, verdict)),
            cards=cards(facts),
            kind_of=kind_of,
            topics=topics(facts),
            candidates=tables.candidates(facts),
            flips={model: candidates.flips_of(facts, model) for model in {row.model for row in facts.flips}},
            frontiers=candidates.frontiers(facts),
            pins=[(pin, candidates.pin_sentence(pin)) for pin in facts.pins],
            rates=tables.rates(facts),
            usage_rows=tables.usage_rows(facts),
            stage_rows=stage_rows(facts),
            failed=[found for found in checks if not found.success],
            checks=checks,
            suites=sorted(Counter(found.suite for found in checks if found.success).items()),
        )
    )
