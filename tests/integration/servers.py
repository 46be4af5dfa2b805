"""Real servers on loopback for the tests: recorded answers of real models, and a webhook that keeps what it gets."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@contextmanager
def replayed(shared: Path, answers: str, *options: str) -> Iterator[str]:
    """The base address of an OpenAI-compatible server that answers with recordings from `llmdrift`."""
    command = [sys.executable, str(shared / "tools" / "replay_server.py"), "--port", "0"]
    command += ["--answers", str(shared / "data" / "llmdrift" / answers), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        announced = process.stdout.readline()
        found = re.search(r"http://\S+", announced)
        assert found, f"the replay server said {announced!r}"
        yield found[0]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]  # it was asked for above


@dataclass
class Hook:
    """A webhook's address, and what was posted to it."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def webhook() -> Iterator[Hook]:
    """A webhook that takes everything."""
    hook = Hook("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
