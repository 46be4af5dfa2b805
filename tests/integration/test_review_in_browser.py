"""The review page in a real browser: a key is a label, whatever is killed, and hostile texts do nothing."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import acknowledgements
from flows.config import Config, load_config
from flows.review.labels import journal_of
from tests.chromium import SIZES
from tests.hostile_texts import HOSTILE, MARK, URL
from tests.reviewing import Served, free_port, served, start
from tests.unit.review import queued

pytestmark = pytest.mark.long

THIRTY = [queued.row(number) for number in range(1, 31)]


@dataclass
class Visit:
    """A page that was opened, with what it did on the side."""

    page: Any
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def press(self, keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def until_saved(self) -> None:
        self.until_it_says("")

    def until_it_says(self, told: str | re.Pattern[str]) -> None:
        """Wait for the text about what is not saved."""
        from playwright.sync_api import expect

        expect(self.page.locator("#unsaved")).to_have_text(told, timeout=20_000)

    @property
    def shown(self) -> str:
        found = self.page.locator("article:not([hidden]), #end:not([hidden])")
        found.first.wait_for(state="attached")  # a page that a form leads to may not have been read yet
        assert found.count() == 1
        return str(found.get_attribute("id"))

    def text_of(self, selector: str) -> str:
        return str(self.page.locator(selector).inner_text())


def workspace_with(folder: Path, rows: list[dict[str, Any]]) -> Config:
    (folder / "genchi.yaml").write_text("app: support-triage\nlake: lake\n", encoding="utf-8")
    config = load_config(folder / "genchi.yaml")
    queued.write_queue(config, rows)
    return config


def visit(browser: Any, page: Served, size: str = "desk", **more: Any) -> Visit:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, **more)
    found = Visit(context.new_page())
    found.page.on("request", lambda request: found.requests.append(request.url))
    found.page.on("console", lambda message: found.console.append(message.text))
    found.page.on("pageerror", lambda error: found.console.append(str(error)))
    found.page.on("dialog", lambda dialog: found.console.append(dialog.message))
    found.page.goto(page.opening, wait_until="load")
    return found


def all_labels(config: Config) -> list[dict[str, Any]]:
    """The labels of the lake and of the journal."""
    lake = config.open_lake()
    stored = [row for day in lake.days("annotations") for row in lake.read("annotations", day).to_pylist()]
    waiting = [entry.row for entry in journal_of(config.state).read()]
    return sorted([*stored, *waiting], key=lambda row: row["at"])


def test_thirty_keys_are_thirty_labels(browser: Any, tmp_path: Path) -> None:
    config = workspace_with(tmp_path, THIRTY)
    with served(tmp_path, "ada") as page:
        seen = visit(browser, page)
        seen.press("pfu" * 10)
        assert seen.shown == "end"
        seen.until_saved()
        assert "30 answers in" in seen.text_of("#end")
        assert seen.text_of("#judged") == "30"
        assert seen.console == []
        assert {request.split("/")[2] for request in seen.requests} == {f"127.0.0.1:{page.port}"}
    labels = all_labels(config)
    assert [row["subject_id"] for row in labels] == [row["subject_id"] for row in THIRTY]
    assert [row["passed"] for row in labels] == [True, False, None] * 10
    assert all(row["blind"] and row["seconds"] is not None for row in labels)
    assert journal_of(config.state).files() == {}


def test_every_key_of_the_sheet_does_what_it_says(browser: Any, tmp_path: Path) -> None:
    config = workspace_with(tmp_path, THIRTY)
    with served(tmp_path, "ada") as page:
        seen = visit(browser, page)
        for mode in range(1, 10):  # so that there are nine modes
            seen.press("/")
            seen.page.keyboard.type(f"mode {mode}")
            seen.press(["Enter"])  # type: ignore[arg-type]  # names of keys
        seen.until_saved()
        seen.page.reload()
        seen.press("?")
        keys = seen.page.locator("#sheet kbd").all_inner_texts()
        assert len(keys) == len(set(keys)) == 19
        seen.press("?")
        expected = {"p": True, "f": False, "u": None} | {str(n): False for n in range(1, 10)}
        assert set(keys) == {*expected, "/", "n", "z", "j", "k", "?", "Escape"}
        for key, passed in expected.items():
            before, judged = seen.shown, int(seen.text_of("#judged"))
            seen.press(key)
            seen.until_saved()
            assert seen.shown != before
            assert int(seen.text_of("#judged")) == judged + 1
            label = all_labels(config)[-1]
            assert label["subject_id"] == f"call-{before.removeprefix('item-')}"
            assert (label["passed"], label["failure_mode"]) == (passed, f"mode {key}" if key.isdecimal() else None)
        here = seen.shown
        seen.press("j")
        assert seen.shown == f"item-{int(here[5:]) + 1}"
        seen.press("k")
        assert seen.shown == here
        seen.press("n")
        seen.page.keyboard.type("pfu is typed, not pressed?")
        assert seen.shown == here
        seen.press(["Escape"])  # type: ignore[arg-type]  # names of keys
        seen.press("p")
        seen.until_saved()
        assert all_labels(config)[-1]["note"] == "pfu is typed, not pressed?"
        seen.press("z")
        seen.until_saved()
        assert seen.shown == here
        assert all_labels(config)[-1]["retracts"] == all_labels(config)[-2]["label_id"]
        seen.press("?")
        assert seen.page.locator("#sheet").is_visible()
        seen.press("p")
        assert seen.shown == here
        seen.press(["Escape"])  # type: ignore[arg-type]  # names of keys
        assert not seen.page.locator("#sheet").is_visible()
        assert seen.console == []


def test_two_people_at_once_are_two_sets_of_labels(browser: Any, tmp_path: Path) -> None:
    config = workspace_with(tmp_path, [row | {"is_second": True} for row in THIRTY])
    with served(tmp_path, "ada") as first, served(tmp_path, "bo") as second:
        ada, bo = visit(browser, first), visit(browser, second)
        for number in range(30):
            ada.press("p")
            bo.press("f" if number < 3 else "p")
        ada.until_saved()
        bo.until_saved()
        ada.page.goto(first.address)
        assert "ada and bo agree on 27 of 30" in ada.text_of("#end")
        ada.page.get_by_role("link", name="Disagreements 3").click()
        assert ada.page.locator("article").count() == 3
    labels = all_labels(config)
    assert len({row["label_id"] for row in labels}) == len(labels) == 60
    assert len({(row["annotator"], row["subject_id"]) for row in labels}) == 60


def test_a_page_that_is_killed_loses_no_label_and_doubles_none(browser: Any, tmp_path: Path) -> None:
    config, port = workspace_with(tmp_path, THIRTY), free_port()
    page = start(tmp_path, "ada", port)
    try:
        seen = visit(browser, page)
        for number in range(15):
            seen.press("p" if number % 2 else "f")
        page.end(is_killed=True)
        saved_by_now = {row["label_id"] for row in all_labels(config)}
        for number in range(15, 20):
            seen.press("p" if number % 2 else "f")
        seen.until_it_says(re.compile("does not answer"))
        unsaved = seen.text_of("#unsaved")
        page = start(tmp_path, "ada", port)
        again = seen.page.context.new_page()  # the address of the new start, in the same browser
        again.goto(page.opening)
        seen.until_saved()
        seen.press("u" * 10)
        seen.until_saved()
        assert seen.shown == "end"
    finally:
        page.end()
    labels = all_labels(config)
    assert int(unsaved.split()[1].rstrip(":")) >= 5
    assert saved_by_now <= {row["label_id"] for row in labels}
    assert len({row["label_id"] for row in labels}) == len(labels) == 30
    assert {row["subject_id"]: row["passed"] for row in labels} == {
        f"call-{n + 1}": None if n >= 20 else bool(n % 2) for n in range(30)
    }


def test_what_is_refused_is_shown_and_keeps_nothing_waiting(browser: Any, tmp_path: Path) -> None:
    config = workspace_with(tmp_path, THIRTY[:3])
    with served(tmp_path, "ada") as page:
        seen = visit(browser, page)
        seen.page.evaluate(
            """() => sessionStorage.setItem("outbox 2024-05-14", JSON.stringify([
                { number: 99, body: "subject_id=gone-1&verdict=pass&label_id=label-00001", isBack: false },
                { number: 1, body: "verdict=typed&failure_mode=late&note=" + "x".repeat(1100000), isBack: false },
                { number: 2, body: "verdict=pass&note=kept", isBack: false },
            ]))"""
        )
        seen.page.reload()
        seen.until_saved()
        refused = seen.page.locator("#refused li").all_inner_texts()
        assert [line.split(":")[0] for line in refused] == ["gone-1, which is not here any more", "Item 1", "Item 2"]
        assert "not saved (fail, late, xxx" in refused[1]
        assert refused[1].endswith("At most 1 MB can be sent.")
        assert "not saved (pass, kept): no such answer" in refused[2]
        assert seen.text_of("#judged") == "0"
        seen.press("ppp")
        seen.until_saved()
        assert seen.shown == "end"
    assert [row["subject_id"] for row in all_labels(config)] == ["call-1", "call-2", "call-3"]


def hostile_row(number: int, text: str) -> dict[str, Any]:
    """A text in all places of an item; a long one only where texts are long."""
    short = text[:200]
    part = queued.text(text) | {"name": short}
    kinds = ("text", "json", "tool_call", "tool_result", "image", "file", "unknown")
    parts = [part | {"type": kind} for kind in (kinds if len(text) <= 5_000 else kinds[:1])]
    item = {
        "messages": [{"role": text[:99], "parts": parts}],
        "answer": {"parts": parts},
        "expected": short,
        "call": dict.fromkeys(("call_id", "started_at", "finish_reason", "status", "session_id"), short),
        "model": short,
        "context": [{"title": short, "text": short}],
    }
    named = dict.fromkeys(("route", "criterion", "question", "judge", "judge_reason", "reason"), short)
    return queued.row(number, item_json=json.dumps(item), subject_id=f"{text[:50]}{number}", **named)


def test_hostile_texts_are_shown_and_do_nothing(browser: Any, tmp_path: Path) -> None:
    """Each stands in every field that a log, a model or a colleague fills; one answer has 5 MB."""
    mark = tmp_path / "mark"
    texts = [text.replace(MARK, str(mark)).replace(URL, "http://evil.example") for text in HOSTILE]
    assert len(texts) >= 200
    texts = [*(text[:20_000] for text in texts), "<b onclick=alert(1)>" * 250_000]
    rows = [hostile_row(number, text) for number, text in enumerate(texts, 1)]
    config = workspace_with(tmp_path, rows)
    with served(tmp_path, "<script>alert(0)</script>") as page:
        seen = visit(browser, page)
        seen.page.evaluate("document.querySelectorAll('details').forEach(one => (one.open = true))")
        seen.press("p" * 40)
        seen.until_saved()
        assert seen.shown == "item-41"
        assert (
            seen.page.locator("img, iframe, object, embed, svg, video, audio, form:not(.judge), style, base").count()
            == 0
        )
        assert seen.page.locator("script").count() == 1
        shown = seen.page.evaluate("document.body.textContent")
        assert "<script>alert(8)</script>" in shown
        assert not {"\u202e", "\x1b", "\u200b", "\u2066", "\x9b"} & set(shown)
        seen.page.goto(page.address)  # now with what the judge said
        assert {request.split("/")[2] for request in seen.requests} == {f"127.0.0.1:{page.port}"}
        assert seen.console == []
    assert not mark.exists()
    assert len(all_labels(config)) == 40


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_everybody_can_use_it_and_nothing_is_wider_than_the_screen(
    browser: Any, tmp_path: Path, size: str, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    other = {"parts": [queued.text("It arrives on Friday at noon, " * 30)]}
    pair = queued.shown("When?", "It arrives on Monday at noon, " * 30, other_answer=other)
    long = queued.shown("x" * 3_000, "y" * 3_000, expected="z" * 500, context=[{"title": "doc", "text": "w" * 900}])
    rows = [queued.row(1, item_json=long), queued.row(2, item_json=pair), queued.row(3)]
    config = workspace_with(tmp_path, rows)
    suggestion = {"suggestion_id": "s", "route": "triage", "criterion": "c" * 90, "kind": "regex", "is_measured": False}
    queued.write_table(config, "criterion_suggestions", [suggestion | {"definition_json": '{"name": "c"}'}])
    queued.write_table(config, "holdout_proposals", [{"proposal_id": "p", "route": "triage", "input_text": "q" * 999}])
    with served(tmp_path, "ada") as page:
        seen = visit(browser, page, size, color_scheme=scheme)

        def check() -> None:
            found = Axe().run(seen.page).response["violations"]
            assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]

        check()
        seen.press("?")
        check()
        seen.press("?f")
        check()
        seen.press("p")
        seen.press("k")
        seen.until_saved()
        check()
        for path in ("criteria", "holdout", "disagreements"):
            seen.page.goto(page.address + path)
            check()


@pytest.mark.parametrize(("size", "scheme"), [("desk", "dark"), ("phone", "light")])
def test_an_incident_with_a_hostile_title_is_acknowledged_on_the_page(
    browser: Any, tmp_path: Path, size: str, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    config = workspace_with(tmp_path, THIRTY[:1])
    columns = (
        "day date, incident_id text, severity text, need text, title text, state text, first_seen date, n_breaches int"
    )
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute(f"create schema marts; create table marts.fct_incidents ({columns})")
        for number, title in enumerate([*HOSTILE[:40], "x" * 300]):
            row = [queued.DAY, f"inc-{number:02}", "critical", "reliable", title, "open", queued.DAY, 1]
            connection.execute("insert into marts.fct_incidents values (?, ?, ?, ?, ?, ?, ?, ?)", row)
    with served(tmp_path, "ada") as page:
        seen = visit(browser, page, size, color_scheme=scheme)
        seen.page.get_by_role("link", name="Incidents").click()
        first = seen.page.locator("article").first
        first.get_by_label("Why").fill("asked the provider")
        first.get_by_label("Until").fill("2099-01-31")
        first.get_by_role("button", name="Acknowledge").click()
        told = "acknowledged by ada until 2099-01-31: asked the provider"
        seen.page.locator("article p", has_text=told).wait_for()
        found = Axe().run(seen.page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
        assert {request.split("/")[2] for request in seen.requests} == {f"127.0.0.1:{page.port}"}
        assert seen.console == []
    assert acknowledgements.newest(config.open_lake())["inc-00"].words == told


def test_without_script_buttons_and_links_are_enough(browser: Any, tmp_path: Path) -> None:
    config = workspace_with(tmp_path, THIRTY[:4])
    with served(tmp_path, "ada") as page:
        seen = visit(browser, page, java_script_enabled=False)
        seen.page.get_by_role("button", name="Pass").click()
        seen.page.locator("article:not([hidden])").get_by_label("Failure mode /").fill("wrong order")
        seen.page.keyboard.press("Enter")
        seen.page.get_by_role("link", name="Item 4").click()
        seen.page.locator("article:not([hidden])").get_by_label("Note n").fill("cannot say")
        seen.page.get_by_role("button", name="Unsure").click()
        assert seen.shown == "item-3"
        seen.page.get_by_role("link", name="Item 1, judged").click()
        assert "judge-model" in seen.text_of("article:not([hidden]) .reveal")
        seen.page.get_by_role("button", name="Take back").click()
        assert seen.shown == "item-1"
    labels = all_labels(config)
    assert [(row["subject_id"], row["passed"], row["failure_mode"], row["note"]) for row in labels] == [
        ("call-1", True, None, None),
        ("call-2", False, "wrong order", None),
        ("call-4", None, None, "cannot say"),
        ("call-1", None, None, None),
    ]
