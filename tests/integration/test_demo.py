"""`make demo`, as a newcomer runs it: every planted incident is named, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long


def test_the_demo_finds_every_planted_incident_and_ends_with_0(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "demo", str(tmp_path / "demo")],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n  ✓ ") == 4
    assert "not planted" not in done.stdout
    assert "Traceback" not in done.stderr
    steps = done.stderr.splitlines()
    assert all(line.startswith(("✓ ", "… ", "  nightly-")) for line in steps), done.stderr
    (page,) = (tmp_path / "demo" / "reports").glob("*/index.html")
    assert str(page) in done.stdout
