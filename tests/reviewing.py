"""`genchi review` as a process, for tests and benchmarks that look at it through a browser."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Served:
    """The page of one start: its address with the token, and the address that it leads to."""

    process: "subprocess.Popen[str]"
    opening: str
    port: int

    @property
    def address(self) -> str:
        """Where the page is for a browser that has a session."""
        return f"http://127.0.0.1:{self.port}/"

    def end(self, *, is_killed: bool = False) -> None:
        """End it, or kill it."""
        if self.process.poll() is None:
            self.process.kill() if is_killed else self.process.terminate()
        self.process.communicate()


def start(workspace: Path, name: str, port: int = 0) -> Served:
    """Start the page of a workspace's newest queue, and wait until it takes connections."""
    command = [sys.executable, "-m", "flows.cli", "review", "--config", str(workspace / "genchi.yaml"), "--as", name]
    process = subprocess.Popen(
        [*command, "--no-browser", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=\S+", said)
    assert found, said
    return Served(process, found[0], int(found[1]))


@contextmanager
def served(workspace: Path, name: str, port: int = 0) -> Iterator[Served]:
    """The page, ended after the block."""
    page = start(workspace, name, port)
    try:
        yield page
    finally:
        page.end()


def free_port() -> int:
    """A port that nothing uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
