"""A signal ends the process within seconds, whatever it is doing, and a child never outlives it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows import stopping

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import subprocess, sys, threading, time
from flows import child_processes, stopping
stopping.GRACE_S = 1.0
child = child_processes.start_child([sys.executable, "-c", CHILD], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
def go_on(): return "genchi: stopping; to go on, run it again"
with stopping.stopping_on_signals(go_on):
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
AT_END_OF_STDIN = "import sys; sys.stdin.read()"
# What a command may be doing.
DOING = {
    "sleep": "    time.sleep(600)",
    "a library swallows the exception": (
        "    while True:\n        try: time.sleep(600)\n        except BaseException: pass"
    ),
    "an exception in a `__del__`, which Python ignores": (
        "    class Slow:\n        def __del__(self): time.sleep(600)\n    while True: Slow()"
    ),
    "a thread waits for a socket": (
        "    import socket\n    here, there = socket.socketpair()\n"
        "    waiting = threading.Thread(target=here.recv, args=(1,)); waiting.start(); waiting.join()"
    ),
    "asyncio": "    import asyncio\n    asyncio.run(asyncio.sleep(600))",
    "a thread of asyncio": "    import asyncio\n    asyncio.run(asyncio.to_thread(time.sleep, 600))",
    "another has replaced the handlers": (
        "    import signal\n"
        "    for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, lambda *_: None)\n"
        "    while True: time.sleep(600)"
    ),
}


def is_there(process: int) -> bool:
    return Path(f"/proc/{process}").exists() and "Z" not in Path(f"/proc/{process}/stat").read_text().split(")")[1]


def started(doing: str, child: str = STUBBORN) -> tuple["subprocess.Popen[str]", int]:
    code = RUN.replace("CHILD", repr(child)) + doing
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    child_process = int(process.stdout.readline())
    time.sleep(0.5)  # until it does what it does
    return process, child_process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("doing", DOING)
def test_a_signal_ends_the_process_and_its_children_with_one_line(doing: str, number: signal.Signals) -> None:
    process, child = started(DOING[doing])
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=20)  # nobody else holds the pipes
    assert process.returncode == 128 + number, said
    assert said == "genchi: stopping; to go on, run it again\n"
    assert not is_there(child)


def test_a_second_signal_does_not_wait_for_the_grace() -> None:
    process, _ = started("    stopping.GRACE_S = 600\n" + DOING["a thread waits for a socket"])
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(1)
    assert process.communicate(timeout=20)[1].count("\n") == 1
    assert process.returncode == 130


def test_a_child_ends_with_a_process_that_is_killed() -> None:
    process, child = started(DOING["sleep"], child=AT_END_OF_STDIN)
    process.kill()
    process.communicate(timeout=20)
    deadline = time.monotonic() + 20
    while is_there(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_there(child)


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    code = RUN.replace("CHILD", repr(AT_END_OF_STDIN)) + "    time.sleep(2); print('went on')"
    process = subprocess.Popen(
        [sys.executable, "-c", f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{code}"], cwd=ROOT,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert "went on" in process.communicate(timeout=20)[0]
    assert process.returncode == 0


def test_handlers_are_as_before_after_the_block() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stopping.stopping_on_signals(lambda: ""):
        assert not stopping.is_stopping()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert not stopping.is_stopping()
