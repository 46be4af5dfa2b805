"""A run's files appear together or not at all, wherever the run dies."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from flows.lake.lake import Lake
from tests.publishing import DAYS, die_at_every_step, generation_of, publish

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("take", [Lake.lock, Lake.lock_whole])
def test_who_dies_at_any_step_leaves_all_of_the_old_or_all_of_the_new(
    tmp_path: Path, take: Callable[[Lake, str], AbstractContextManager[None]]
) -> None:
    stands = die_at_every_step(Lake(tmp_path / "lake"), take)
    assert len(stands) > 12  # the steps of a publication, or they are not counted any more
    assert stands[4] == 0  # nothing is there before the moment
    assert stands == sorted(stands)


def test_what_raises_while_it_stages_publishes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with lake.lock("test"):
        publish(lake, 1)
        with pytest.raises(IsADirectoryError), lake.staging() as staged:
            staged.place("manifest", DAYS[0]).parent.write_bytes(b"half a file")
        with (
            pytest.raises(ValueError, match=r"manifest/day=2026-03-01/data\.parquet was staged, but not written"),
            lake.staging() as staged,
        ):
            staged.place("manifest", DAYS[0])
    assert generation_of(lake) == 1
    assert list((tmp_path / "lake" / "_staging").iterdir()) == []


def test_who_does_not_hold_the_lock_publishes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="needs the lake's lock"):
        publish(Lake(tmp_path / "lake"), 1)


@pytest.mark.long
def test_a_process_that_is_killed_leaves_all_of_the_old_or_all_of_the_new(tmp_path: Path) -> None:
    lake, rng = Lake(tmp_path / "lake"), random.Random(7)
    with lake.lock("test"):
        publish(lake, 0)
    before = 0
    for _ in range(12):
        command = [sys.executable, "-m", "tests.publishing", str(lake.root), "{}", "15"]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        with child.stdout:
            assert child.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0, 0.4))
            child.send_signal(signal.SIGKILL)
            child.wait()
        with lake.lock("test", patience=5):
            assert generation_of(lake) >= before
            before = generation_of(lake)
    assert before > 0
