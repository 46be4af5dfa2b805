"""Great Expectations' Data Docs of one night, as pages that work offline.

Great Expectations renders the pages with our page template, because its own loads styles and scripts from six hosts.
Ours has inline styles and no scripts, and forbids scripts and network access (a Content-Security-Policy), because
Great Expectations prints the values of failing rows unescaped, and they may contain text of users or models.
"""

import copy
import html
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView
from jinja2 import Environment, FileSystemLoader

from expectations.results import ExpectationResult
from flows.project import EXPECTATIONS

_TEMPLATES = EXPECTATIONS / "templates"
# The page of a suite without results is not written: every page of ours lists the expectations anyway.
_SUITE_LINK = re.compile(r'<a href="[^"]*/expectations/[^"]*"[^>]*>([^<]*)</a>')


class _PageView(DefaultJinjaPageView):
    """Great Expectations' page of one validation, in our page template."""

    _template = "validation.html.j2"

    def __init__(self) -> None:
        super().__init__(custom_views_directory=str(_TEMPLATES))
        # Random ids would change every page; without scripts nothing refers to them.
        self.env.filters["generate_html_element_uuid"] = lambda prefix=None: f"{prefix or ''}1"


def write(
    place: Path,
    app: str,
    day: date,
    validations: Mapping[str, ExpectationSuiteValidationResult],
    found: Sequence[ExpectationResult],
) -> Path:
    """Replace the folder `place` by an index and one page per suite. Returns the path of the index."""
    view = _PageView()
    pages = {f"{name}.html": _page(view, name, app, day, validation) for name, validation in validations.items()}
    pages["index.html"] = _index(app, day, list(validations), found)
    beside = place.with_name(f".{place.name}.tmp")  # a fixed name, so that leftovers of a killed run are cleared
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, page in pages.items():
        (beside / name).write_text(page, encoding="utf-8")
    if place.exists():
        shutil.rmtree(place)
    beside.rename(place)
    return place / "index.html"


def _page(view: Any, name: str, app: str, day: date, validation: ExpectationSuiteValidationResult) -> str:
    document = ValidationResultsPageRenderer().render(_escaped(validation))
    return _SUITE_LINK.sub(r"\1", view.render(document, suite=name, app=app, day=day.isoformat()))


def _index(app: str, day: date, suites: Sequence[str], found: Sequence[ExpectationResult]) -> str:
    checked = Counter(result.suite for result in found)
    failed = Counter((result.suite, result.severity) for result in found if not result.success)
    rows = [
        {"suite": suite, "checked": checked[suite]}
        | {level: failed[suite, level] for level in ("critical", "warning", "info")}
        for suite in suites
    ]
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True)
    return environment.get_template("index.html.j2").render(app=app, day=day.isoformat(), rows=rows)


def _escaped(validation: ExpectationSuiteValidationResult) -> ExpectationSuiteValidationResult:
    """A copy with every text of the data escaped, and without the time of the check."""
    shown = copy.deepcopy(validation)
    shown.meta = {
        "great_expectations_version": validation.meta["great_expectations_version"],
        "batch_spec": {"data_asset_name": validation.suite_name},
    }
    for result in shown.results:
        result.result = _escape(result.result)
    return shown


def _escape(value: Any) -> Any:
    if isinstance(value, str):
        return html.escape(value)
    if isinstance(value, list):
        return [_escape(item) for item in value]
    if isinstance(value, dict):
        return {key: _escape(item) for key, item in value.items()}
    return value
