"""What a person sees of a step under way: one line on a terminal, a line now and then in a log."""

import contextvars
import io
import logging
import re
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from flows import progress


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is written to a log, with a line every 50 ms."""
    monkeypatch.setattr(progress, "LOG_EVERY_S", 0.05)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger("genchi").addHandler(handler)
    yield written
    logging.getLogger("genchi").removeHandler(handler)


def test_a_long_step_says_in_a_log_how_far_it_is(log: io.StringIO) -> None:
    with progress.step("ingest") as current:
        for _ in progress.track(range(4), "files", 4):
            time.sleep(0.1)
        current.outcome = "4 files"
    first, *between, last = log.getvalue().splitlines()
    assert re.fullmatch(r"… ingest      0 s, files: 0 of 4", first)
    assert any("files: 3 of 4" in line for line in between)
    assert re.fullmatch(r"✓ ingest      4 files \(0\.\d s\)", last)


def test_a_short_step_is_one_line_in_a_log(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOG_EVERY_S", 30.0)
    with progress.step("ingest"):
        time.sleep(0.1)
    assert log.getvalue().count("\n") == 1


def test_a_step_within_another_is_what_is_shown_and_the_outer_one_goes_on(log: io.StringIO) -> None:
    with progress.step("outer"):
        with progress.step("inner"):
            time.sleep(0.15)
        time.sleep(0.15)
    told = [line.split()[1] for line in log.getvalue().splitlines()]
    assert told[0] == "inner"
    assert told[-1] == "outer"
    assert told.index("outer") > told.index("inner")


def test_a_terminal_has_one_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    with progress.step("ingest") as current:
        for _ in progress.track(range(2), "files", 2):
            time.sleep(0.3)
        current.outcome = "2 files"
    lines = shown.getvalue().split("\n")
    assert len(lines) == 2  # all but the last outcome are on one line
    rewritten = lines[0].split("\r\x1b[2K")
    assert any("files: 1 of 2  ██████████░░░░░░░░░░" in line for line in rewritten)
    assert "2 files (0." in rewritten[-1]


def test_a_log_text_cannot_control_a_terminal(log: io.StringIO) -> None:
    with progress.step("ingest") as current:
        current.outcome = "route \x1b[31mred\u202e and\nnew line"
    assert log.getvalue().splitlines()[-1].startswith("✓ ingest      route \\x1b[31mred\\u202e and\\x0anew line")


def test_a_failed_step_says_why(log: io.StringIO) -> None:
    with pytest.raises(ZeroDivisionError), progress.step("ingest"):
        raise ZeroDivisionError("no reason")
    assert "✗ ingest      failed: ZeroDivisionError: no reason" in log.getvalue()


def test_a_line_on_how_far_a_step_is_belongs_to_the_run_that_began_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOG_EVERY_S", 0.05)
    run = contextvars.ContextVar("run", default="none")
    written, seen = threading.Event(), set()

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.add(run.get())
            written.set()

    handler, token = Notes(), run.set("nightly")
    logging.getLogger("genchi").addHandler(handler)
    try:
        with progress.step("ingest"):
            assert written.wait(10)
    finally:
        logging.getLogger("genchi").removeHandler(handler)
        run.reset(token)
    assert seen == {"nightly"}
