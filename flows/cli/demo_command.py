"""`genchi demo`: a simulated application's month, last night run on it, and what the night found."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.backfill import run_backfill
from flows.config import load_config
from flows.demo import DAYS, findings, unexpected, write_workspace
from flows.evaluate import load_setup
from flows.nightly import run_nightly
from flows.progress import step


def run(folder: Path, print_line: Callable[[str], None]) -> bool:
    """Write the workspace, run its month and its last night. Returns whether all planted incidents were found."""
    last = datetime.now(UTC).date() - timedelta(days=1)
    print_line("A simulated support desk: its users, logs and models are invented.")
    with step("write") as current:
        path = write_workspace(folder, last)
        current.outcome = f"{DAYS} days of logs, a dev set, a holdout and genchi.yaml in {folder}"
    config = load_config(path)
    setup = load_setup(config)
    run_backfill(setup, last - timedelta(days=DAYS - 1), last - timedelta(days=1))
    night = run_nightly(setup, last)
    found = findings(config, last)
    print_line(f"\n{night.headline}\n\nPlanted incidents, and what genchi found:")
    for finding in found:
        print_line(f"  {'✓' if finding.found else '✗'} {finding.text}")
    for breach in unexpected(config, last):
        print_line(f"  ? unexpected: {breach.day} {breach.summary}")
    print_line(f"\nThe report: {night.page}")
    called = sys.argv[0] if Path(sys.argv[0]).name == "genchi" else "genchi"  # by `make` it is not on the PATH
    print_line(f"Run this or another day again: {called} nightly --config {path} --day {last}")
    return all(finding.found for finding in found)
