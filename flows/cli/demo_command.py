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


def run(folder: Path, tell: Callable[[str], None]) -> bool:
    """Write the workspace, run its month and its last night, and tell what was found; whether all that was planted."""
    last = datetime.now(UTC).date() - timedelta(days=1)
    tell("A simulated support desk: its users, its logs and its models are made up, and say so.")
    with step("write") as current:
        path = write_workspace(folder, last)
        current.outcome = f"{DAYS} days of logs, a dev set, a holdout and genchi.yaml in {folder}"
    config = load_config(path)
    setup = load_setup(config)
    run_backfill(setup, last - timedelta(days=DAYS - 1), last - timedelta(days=1))
    night = run_nightly(setup, last)
    found = findings(config, last)
    tell(f"\n{night.headline}\n\nWhat was planted, and what genchi says of it:")
    for finding in found:
        tell(f"  {'✓' if finding.found else '✗'} {finding.text}")
    for breach in unexpected(config, last):
        tell(f"  ? not planted: {breach.day} {breach.summary}")
    tell(f"\nThe page of the night: {night.page}")
    called = sys.argv[0] if Path(sys.argv[0]).name == "genchi" else "genchi"  # by `make` it is not on the PATH
    tell(f"Run it again, or another day: {called} nightly --config {path} --day {last}")
    return all(finding.found for finding in found)
