"""The night's pages in a real browser: nothing is fetched, nothing runs, and the verdict is seen at once."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flows.report.page import write_report
from tests.chromium import SIZES
from tests.unit.report import synthetic, topics

pytestmark = pytest.mark.long


@dataclass
class Visit:
    """A page that was opened, with what it did on the side."""

    page: Any
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = synthetic.night(tmp_path_factory.mktemp("night"), with_features=True)
    docs = config.reports / synthetic.DAY.isoformat() / "data_docs" / "index.html"
    docs.parent.mkdir(parents=True)
    docs.write_text("<title>Data Docs</title>")
    return write_report(config, synthetic.DAY).path


def visit(browser: Any, path: Path, size: str = "desk", scheme: str = "light") -> Visit:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    found = Visit(context.new_page())
    found.page.on("request", lambda request: found.requests.append(request.url))
    found.page.on("console", lambda message: found.console.append(message.text))
    found.page.on("pageerror", lambda error: found.console.append(str(error)))
    found.page.on("dialog", lambda dialog: found.console.append(dialog.message))
    found.page.goto(path.as_uri(), wait_until="load")
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_verdict_is_seen_without_scrolling_and_nothing_is_fetched(
    browser: Any, pages: Path, size: str, scheme: str
) -> None:
    seen = visit(browser, pages, size, scheme)
    width, height = SIZES[size]
    for part in ("h1", ".sentence", ".tally"):
        box = seen.page.locator(part).bounding_box()
        assert box["y"] + box["height"] < height
    assert seen.page.locator("h1").inner_text() == "Broken"
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.requests == [pages.as_uri()]
    assert seen.console == []


def test_hostile_text_is_shown_and_does_nothing(browser: Any, pages: Path) -> None:
    seen = visit(browser, pages)
    assert synthetic.HOSTILE in seen.page.locator("#incidents").inner_text()
    assert synthetic.HOSTILE_CALL in (seen.page.locator("#incidents").text_content() or "")  # folded
    assert topics.HOSTILE in seen.page.locator("#topics").inner_text()
    assert seen.page.locator("img, script, iframe").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(browser: Any, pages: Path, scheme: str) -> None:
    """WCAG 2 asks for a contrast of 4.5; here for the words in the tones, on the page's paper."""
    seen = visit(browser, pages, scheme=scheme)
    contrast = """names => {
      const probe = document.createElement('i'); document.body.append(probe);
      const light = name => {
        probe.style.color = `var(--${name})`;
        const part = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = getComputedStyle(probe).color.match(/[0-9.]+/g).map(v => part(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const paper = light('paper');
      return names.map(light).map(l => (Math.max(l, paper) + 0.05) / (Math.min(l, paper) + 0.05));
    }"""
    names = ["ink", "muted", "accent", "critical", "warning", "healthy", "unknown"]
    assert min(seen.page.evaluate(contrast, names)) >= 4.5


def test_a_row_of_what_moved_opens_the_history_of_its_series(browser: Any, pages: Path) -> None:
    seen = visit(browser, pages)
    card = seen.page.locator("#incident-1")
    card.get_by_text("What moved: 3 series").click()
    history = card.locator(".moved svg").first
    assert not history.is_visible()
    card.get_by_text("outputs that are JSON").click()
    assert history.is_visible()
    assert seen.page.locator("mark").count() == seen.page.locator(".quote mark, .glossary mark").count()


@pytest.mark.parametrize("size", SIZES)
def test_the_index_over_nights_leads_to_the_page(browser: Any, pages: Path, size: str) -> None:
    seen = visit(browser, pages, size)
    seen.page.get_by_text("all nights").click()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    seen.page.locator(".calendar a").first.click()
    assert seen.page.locator("h1").inner_text() == "Broken"
    assert seen.console == []


def test_every_picture_and_table_has_a_name(browser: Any, pages: Path) -> None:
    seen = visit(browser, pages)
    assert seen.page.locator("figure svg").count() >= 6
    assert seen.page.locator("svg:not(:has(> title))").count() == 0
    assert seen.page.locator("table:not(:has(> caption))").count() == 0
    assert seen.page.locator("thead th:not([scope])").count() == 0


def test_the_linked_pages_exist(browser: Any, pages: Path) -> None:
    seen = visit(browser, pages)
    links = seen.page.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert {"data_docs/index.html", "evidently.html"} <= set(links)
    for link in links:
        if link.startswith("#"):
            assert seen.page.locator(link).count() == 1
        else:
            assert (pages.parent / link).is_file()


def test_evidently_draws_without_the_network(browser: Any, pages: Path) -> None:
    place = pages.parent / "evidently.html"
    seen = visit(browser, place)
    seen.page.get_by_text("output: json_is_object").first.wait_for(timeout=20_000)
    assert seen.requests[0] == place.as_uri()
    assert all(request.startswith(("data:", "blob:")) for request in seen.requests[1:])
    assert seen.console == []
    assert place.stat().st_size < 8_000_000
