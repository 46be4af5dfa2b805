"""How fast the review page is: the page on the server, a key to the next answer, a key to its acknowledgement.

A lake with a day of 100,000 calls, 28 days of labels and a queue of thirty answers, one of which was 5 MB before it was
cut. `python -m tests.bench.review_page` prints a table; it needs Chromium.
"""

import json
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa

from flows.config import load_config
from flows.lake import from_rows
from tests.reviewing import Served, served
from tests.unit.review import queued
from tests.unit.review.labelled import DAY

CALLS, LABELLED_DAYS, PER_DAY, PAGES, SESSIONS = 100_000, 28, 30, 200, 2
GOALS = {
    "the page on the server": "100",
    "key to the next answer": "50",
    "the same key on an empty page": "",
    "key to the acknowledgement": "300",
}
_WORDS = (
    "the",
    "order",
    "was",
    "sent",
    "on",
    "Monday",
    "and",
    "should",
    "arrive",
    "within",
    "three",
    "working",
    "days",
)
# Of each key: when it was pressed, and when the next answer had been drawn.
_TIMING = """() => {
  window.drawn = [];
  document.addEventListener('keydown', () => {
    const pressed = performance.now();
    requestAnimationFrame(() => setTimeout(() => window.drawn.push([pressed, performance.now()])));
  }, true);
}"""


def main() -> None:
    """Build the lake, measure, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        _build(workspace)
        drawn: list[float] = []
        empty: list[float] = []
        acknowledged: list[float] = []
        with served(workspace, "person 0") as page:
            on_server = _ask(page)
        for session in range(SESSIONS):
            with served(workspace, f"person {session}") as page:
                keys, nothing, saved = _judge(page)
                drawn += keys
                empty += nothing
                acknowledged += saved
    print("| milliseconds | n | p50 | p95 | goal |\n| --- | --- | --- | --- | --- |")
    for (what, goal), found in zip(GOALS.items(), (on_server, drawn, empty, acknowledged), strict=True):
        middle, high = np.percentile(found, [50, 95])
        print(f"| {what} | {len(found)} | {middle:.0f} | {high:.0f} | {goal} |")


def _build(workspace: Path) -> None:
    (workspace / "genchi.yaml").write_text("app: bench\nlake: lake\n", encoding="utf-8")
    lake = load_config(workspace / "genchi.yaml").open_lake()
    random = np.random.default_rng(1)
    at = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)

    def text(length: int) -> str:
        return " ".join(random.choice(_WORDS, length))

    outputs = [text(60) for _ in range(1_000)]
    calls = pa.table({
        "call_id": [f"call-{n}" for n in range(CALLS)],
        "route": ["triage"] * CALLS,
        "input_text": [outputs[n * 7 % 1_000] for n in range(CALLS)],
        "output_text": [f"{n} {outputs[n % 1_000]}" for n in range(CALLS)],
        "started_at": pa.array([at] * CALLS, pa.timestamp("us", tz="UTC")),
    })  # fmt: skip
    labels = [
        queued.row(n) | {"label_id": f"old-{day}-{n}", "annotator": "bo", "annotator_kind": "person", "at": at}
        for day in range(1, LABELLED_DAYS)
        for n in range(PER_DAY)
    ]
    columns = {"label_id", "subject", "subject_id", "route", "criterion", "annotator", "annotator_kind", "at"}
    with lake.lock("bench"):
        lake.write("interactions", DAY, calls)
        for day in range(1, LABELLED_DAYS):
            rows = [
                {name: value for name, value in row.items() if name in columns}
                | {"subject_id": f"{row['label_id']}", "passed": False, "failure_mode": f"mode {day % 7}"}
                for row in labels
                if row["label_id"].startswith(f"old-{day}-")
            ]
            lake.write("annotations", DAY - timedelta(days=day), from_rows(rows, "annotations"), f"batch-{day}")
        lake.write("review_queue", DAY, from_rows([_row(n, text) for n in range(1, 31)], "review_queue"))


def _row(number: int, text: Any) -> dict[str, Any]:
    """An answer after a conversation of six turns, with context; the seventh was 5 MB."""
    answer = queued.text("<img src=x onerror=alert(1)>" * 714, cut=5_000_000) if number == 7 else queued.text(text(150))
    turns = [{"role": ("user", "assistant")[n % 2], "parts": [queued.text(text(80))]} for n in range(6)]
    context = [{"title": f"document {n}", "text": text(200)} for n in range(3)]
    item = json.loads(queued.shown("", "")) | {"messages": turns, "answer": {"parts": [answer]}, "context": context}
    return queued.row(number, item_json=json.dumps(item), is_second=True)


def _ask(page: Served) -> list[float]:
    """How long each request for the page took, over one connection."""
    with httpx.Client(follow_redirects=True) as client:
        client.get(page.opening)
        took = []
        for _ in range(PAGES):
            started = time.perf_counter()
            answer = client.get(page.address)
            took.append(1_000 * (time.perf_counter() - started))
            assert answer.status_code == 200
            assert answer.text.count("<article") == PER_DAY
    return took


def _judge(page: Served) -> tuple[list[float], list[float], list[float]]:
    """Thirty keys, a third of a second apart: until the next answer was drawn, and until the label was acknowledged.

    In between, as many keys on a page with nothing in it: what this machine and this browser take for any key.
    """
    from playwright.sync_api import expect, sync_playwright

    place = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        tab.goto(page.opening)
        empty = browser.new_page()
        for one in (tab, empty):
            one.evaluate(_TIMING)
        for _ in range(tab.locator("article").count()):
            for one in (tab, empty):
                one.bring_to_front()
                one.keyboard.press("p")
                one.wait_for_timeout(300)
        expect(tab.locator("#unsaved")).to_have_text("")
        keys, nothing = tab.evaluate("window.drawn"), empty.evaluate("window.drawn")
        saved = tab.evaluate(
            "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/labels')).map(e => e.responseEnd)"
        )
        browser.close()
    assert len(keys) == len(saved)
    until_saved = [after - before for (before, _), after in zip(keys, saved, strict=True)]
    return [after - before for before, after in keys], [after - before for before, after in nothing], until_saved


if __name__ == "__main__":
    main()
