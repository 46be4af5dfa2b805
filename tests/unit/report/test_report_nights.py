"""The index over nights: a color and a headline each, links to pages that exist, and texts that stay texts."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from flows.report.nights import write_index
from flows.report.page import write_report
from tests.unit.report import incidents, synthetic
from tests.unit.report.synthetic import DAY


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> str:
    config = synthetic.config(tmp_path_factory.mktemp("nights"))
    rows = synthetic.marts()
    before = DAY - timedelta(days=2)
    rows["fct_incidents"] += [
        incidents.incident(before, "i-1", "warning", "Calls doubled", state="ongoing"),
        incidents.incident(before, "i-2", "warning", f"Inputs are German {synthetic.HOSTILE}"),
        incidents.incident(before, "i-3", "critical", "It was slow", state="recovered"),
        incidents.incident(before - timedelta(days=1), "i-3", "info", "A candidate is worse"),
    ]
    synthetic.write_warehouse(config.warehouse, rows)
    write_report(config, DAY)
    return (config.reports / "index.html").read_text()


def night(index: str, day: int) -> str:
    (found,) = re.findall(rf'<li class="night [^>]*>(?:<a [^>]*>)?{day}<', index[: index.index("April 2024")])
    return str(found)


def test_a_night_with_a_page_has_its_color_and_headline_and_a_link(index: str) -> None:
    assert 'class="night critical"><a href="2024-05-14/index.html"' in night(index, 14)
    assert "Another model seems to answer as gpt-4-0613" in night(index, 14)
    assert index.count("<a href=") == 2  # in the calendar and in the list


def test_a_day_without_a_page_has_the_color_of_its_worst_incident_that_goes_on(index: str) -> None:
    assert 'night warning" title="Inputs are German' in night(index, 12)
    assert "(and 1 more)" in night(index, 12)
    assert "healthy" in night(index, 11)
    assert "healthy" in night(index, 13)
    assert "It was slow" not in index


def test_neighboring_nights_about_the_same_thing_are_one_line(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    rows = [
        incidents.incident(DAY - timedelta(days=n), "i", "warning", "It was slow", state="ongoing") for n in (0, 2, 3)
    ] + [incidents.incident(DAY - timedelta(days=2), "j", "warning", "It was wrong", state="ongoing")]
    synthetic.write_warehouse(config.warehouse, {"fct_incidents": rows})
    text = write_index(config).read_text()
    lines = text[text.index('class="headlines"') :]
    assert lines.count("<time") == 1
    assert "11 May</time>" in lines
    assert "(3 nights, to 14 May)" in lines


def test_a_day_on_which_nothing_was_compared_is_not_healthy_and_a_day_without_calls_has_no_color(index: str) -> None:
    assert '<li class="night unknown" title="Nothing to compare with yet">26' in index  # a gap of the made-up series
    assert '<li class="none">15</li>' in index


def test_the_legend_tells_a_night_of_which_nothing_is_known_from_one_without_a_page(index: str) -> None:
    assert '<li class="unknown">cannot tell</li><li class="bare">dashed: no page of its own' in index
    assert ".night:not(:has(a)) { border: 1px dashed" in index
    assert ".key .bare::before { border: 1px dashed" in index
    assert "outlined" not in index


def test_hostile_titles_stay_text(index: str) -> None:
    assert synthetic.HOSTILE not in index
    assert "&lt;img src=x" in index
    assert "<script" not in index
    assert "default-src 'none'" in index


def test_without_a_warehouse_the_pages_alone_are_listed_and_other_files_are_not(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    page = write_report(config, DAY).path
    for name in ("2024-99-99", "notes", "2024-05-13"):
        (config.reports / name).mkdir()
    (config.reports / "notes" / "index.html").write_text("mine")
    (config.reports / "2024-99-99" / "index.html").write_text("mine")
    page.write_text(page.read_text().replace('"genchi-status" content="unknown"', '"genchi-status" content="&lt;b>"'))
    text = write_index(config).read_text()
    assert re.findall(r'href="([^"]*)"', text) == ["2024-05-14/index.html"]
    assert "night unknown" in text
    assert "No calls were logged, and no model was evaluated." in text


def test_a_warehouse_that_cannot_be_read_does_not_cost_the_index(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    write_report(config, DAY)
    config.warehouse.parent.mkdir(exist_ok=True)
    config.warehouse.write_bytes(b"no database" * 2000)
    assert 'href="2024-05-14/index.html"' in write_index(config).read_text()


def test_an_index_of_nothing_says_so(tmp_path: Path) -> None:
    assert "No night yet" in write_index(synthetic.config(tmp_path)).read_text()
