"""The verdict of a night as a Markdown artifact for Prefect's pages."""

import hashlib
import re

from flows import outgoing
from flows.prefect_run import is_used
from flows.report.cards import age
from flows.report.incident_rows import in_order
from flows.report.night_verdict import answers, guard_failures, night_verdict
from flows.report.page import ReportResult
from flows.report.rows import Facts
from flows.words import counted

_SHOWN = 20
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>:@])")


def publish(facts: Facts, result: ReportResult) -> None:
    """Leave the verdict in Prefect, under one key for each app, so that it shows the nights one after the other.

    Without a Prefect server, nothing is left.
    """
    if not is_used():
        return
    from prefect.artifacts import create_markdown_artifact  # noqa: PLC0415 - imported late: costs 2 s

    create_markdown_artifact(
        key=key_of(facts.app), markdown=markdown(facts, result), description=f"{facts.app}, {facts.day}"
    )


def key_of(app: str) -> str:
    """The artifact's key: `genchi-night-` and the app in characters that Prefect allows; a hash where it has others."""
    slug = re.sub(r"[^a-z0-9]+", "-", app.lower()).strip("-")
    lost = "" if slug == app else hashlib.sha256(app.encode()).hexdigest()[:6]
    return "-".join(filter(None, ("genchi-night", slug, lost)))


def markdown(facts: Facts, result: ReportResult) -> str:
    """Verdict, incidents, failed checks and the answers about candidates, each text escaped."""
    verdict = night_verdict(facts)
    lines = [f"# {plain(verdict.word)}", "", plain(verdict.sentence), ""]
    ordered = in_order(facts.incidents)
    for incident in ordered[:_SHOWN]:
        when = age(incident) if incident.is_going_on else incident.state
        told = f"{plain(incident.title)}. {plain(incident.summary)}"
        lines.append(f"- **{plain(incident.severity)}**, {plain(when)}: {told}")
    if len(ordered) > _SHOWN:
        lines.append(f"- and {counted(len(ordered) - _SHOWN, 'more incident')}")
    for found in guard_failures(facts)[:_SHOWN]:
        expected, observed = plain(found.expected or ""), plain(found.observed or "")
        name = plain(f"{found.suite}, {found.expectation}, {found.subject}")
        lines.append(f"- **{plain(found.severity)}** {name}: expected {expected}, observed {observed}")
    for answer in answers(facts):
        question = f"Can {plain(answer.candidate)} replace {plain(answer.pinned)}?"
        lines.append(f"- {question} **{answer.word}.** {plain(answer.sentence)}")
    return "\n".join([*lines, "", f"Page: `{str(result.path).replace('`', '')}`", ""])


def plain(text: str) -> str:
    """A text that Markdown shows as it is: one line, no marks, no tags, no links."""
    line = outgoing.plain(" ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;")
    return _SPECIAL.sub(r"\\\1", line)
