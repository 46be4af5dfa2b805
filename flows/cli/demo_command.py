"""`genchi demo`: a simulated application's month, last night run on it, and what the night found."""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from flows.backfill import run_backfill
from flows.config import load_config
from flows.demo import DAYS, labels, measured, results, unexpected, write_workspace
from flows.evaluate import EvalSetup, load_setup
from flows.evaluate.flow import score_production
from flows.lake import each_day
from flows.llm import register_local_providers
from flows.night import Night
from flows.nightly import run_nightly
from flows.progress import step
from flows.review import Entry, Question, journal_of
from flows.review.flow import review

_PAGES = 7  # of the days before the last night


def run(folder: Path, print_line: Callable[[str], None]) -> bool:
    """Write the workspace, run its month and its last night. Returns whether all planted incidents were found."""
    last = datetime.now(UTC).date() - timedelta(days=1)
    print_line("A simulated support desk: its users, logs, models and costs are invented.")
    with step("write") as current:
        path = write_workspace(folder, last)
        current.outcome = f"{DAYS} days of logs, a dev set, a holdout and genchi.yaml in {folder}"
    config = load_config(path)
    night = run_nights(load_setup(config), last)
    found = results(config, last)
    print_line(f"\n{night.headline}\n\nPlanted incidents, and what genchi found:")
    for result in found:
        print_line(f"  {'✓' if result.found else '✗'} {result.text}")
    for told in unexpected(config, last):
        print_line(f"  ? unexpected: {told.day} {told.title}")
    if judged := measured(config, last):
        print_line(f"\n{judged.text}")
    print_line(f"\nThe report: {night.page}")
    called = sys.argv[0] if Path(sys.argv[0]).name == "genchi" else "genchi"  # by `make` it is not on the PATH
    print_line(f"Judge answers yourself: {called} review --config {path} --day {last}")
    print_line(f"Run this or another day again: {called} nightly --config {path} --day {last}")
    return all(result.found for result in found)


def run_nights(setup: EvalSetup, last: date) -> Night:
    """The month of a demo's workspace, the simulated reviewer, and the night of `last`."""
    run_backfill(setup, last - timedelta(days=DAYS - 1), last - timedelta(days=1), pages=_PAGES)
    with step("review") as current:
        current.outcome = f"{_review(setup, last)} answers of two days judged by a simulated reviewer"
    return run_nightly(setup, last)


def _review(setup: EvalSetup, last: date) -> int:
    """Draw the queues of the two days before `last`, and let the simulated reviewer judge them. Returns the labels."""
    config, first = setup.config, last - timedelta(days=2)
    assert config.judge is not None
    register_local_providers([config.judge.model])
    written: list[Entry] = []
    with config.open_lake().run("demo"):
        score_production(setup, first, last - timedelta(days=1), ask=True)
        for day in each_day(first, last - timedelta(days=1)):
            review(config, day, [Question(*one) for one in setup.questions()])
            queue = config.open_lake().read("review_queue", day).to_pylist()
            written += [Entry("annotations", row) for row in labels(queue, day)]
    journal_of(config.state).append(written)
    return len(written)
