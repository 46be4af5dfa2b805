"""`genchi backfill` on a real lake: estimated, killed in the middle, resumed, and the same as one left alone."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.integration.contents import tables_of
from tests.integration.in_process import genchi

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 20)
PERIOD = ["--start", str(FIRST), "--end", str(LAST)]
pytestmark = pytest.mark.long


def workspace(folder: Path) -> Path:
    """Twenty days of twelve calls."""
    folder.mkdir()
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        lines = [
            {
                "call_id": f"{day}-{n}", "started_at": f"{day}T10:00:{n:02}Z", "route": "desk",
                "input_text": f"Where is parcel {n} of day {number}?", "output_text": "On its way. " * (1 + n % 3),
            }
            for n in range(12)
        ]  # fmt: skip
        (folder / f"{day}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "genchi.yaml").write_text(
        "app: desk\nlake: lake\nsources: [{name: app, format: genchi, path: '{day}.jsonl'}]\n", encoding="utf-8"
    )
    return folder / "genchi.yaml"


def killed_when(path: Path, reached: Callable[[], bool]) -> None:
    command = [sys.executable, "-m", "flows.cli", "backfill", "--config", str(path), *PERIOD, "--pages", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not reached():
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()


def test_a_backfill_that_is_killed_twice_gives_the_lake_and_the_marts_of_one_that_was_left_alone(
    tmp_path: Path, prefect_server: None
) -> None:
    alone, killed = workspace(tmp_path / "alone"), workspace(tmp_path / "killed")
    undisturbed = genchi("backfill", "--config", str(alone), *PERIOD, "--pages", "1")
    assert undisturbed.returncode == 0
    done = killed.parent / "lake" / "_backfill" / "done.json"
    killed_when(killed, done.exists)
    noted = json.loads(done.read_text(encoding="utf-8"))
    assert set(noted) < {str(FIRST + timedelta(days=n)) for n in range(20)}
    killed_when(killed, (killed.parent / "lake" / "warehouse.duckdb").exists)

    resumed = genchi("backfill", "--config", str(killed), *PERIOD, "--pages", "1")
    assert resumed.returncode == 0
    assert "all logs are read and unchanged" in resumed.stderr
    assert tables_of(killed.parent / "lake") == tables_of(alone.parent / "lake")

    again = genchi("backfill", "--config", str(killed), *PERIOD, "--pages", "3")
    assert "20 days, 20 of them done and unchanged" in again.stderr
    assert "to write: 2 pages" in again.stderr
    assert "transform" not in again.stderr
    pages = {page.parent.name for page in (killed.parent / "reports").glob("*/index.html")}
    assert pages == {str(LAST - timedelta(days=n)) for n in range(3)}
    calendar = (killed.parent / "reports" / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{page}/index.html"' in calendar for page in pages)

    dry = genchi("backfill", "--config", str(killed), *PERIOD, "--dry-run", "--force")
    assert re.fullmatch(r"to read: 20 files of [\d.]+ kB, about 240 calls", dry.stdout.splitlines()[1])
    assert "about " in dry.stdout.splitlines()[-1]
