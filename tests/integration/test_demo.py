"""`make demo`, as a newcomer runs it: every planted incident is named, and nothing else."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_stopped_runs import ended, until

pytestmark = pytest.mark.long


def test_a_demo_that_was_stopped_finds_every_planted_incident_when_it_is_run_again_and_ends_with_0(
    tmp_path: Path,
) -> None:
    """What it writes over the stopped one is what it writes to a new folder: tests/unit/demo/test_demo_workspace.py."""
    folder = tmp_path / "demo"
    arguments = ["demo", str(folder)]
    ended(arguments, lambda: until((folder / "lake" / "interactions").exists, 240), signal.SIGTERM, is_group=True)
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n  ✓ ") == 6
    assert "unexpected" not in done.stdout
    assert "Traceback" not in done.stderr
    steps = done.stderr.splitlines()
    assert all(line.startswith(("✓ ", "… ", "  ")) for line in steps), done.stderr
    page = max((folder / "reports").glob("*/index.html"))  # a backfill writes the pages of its last week
    assert str(page) in done.stdout
