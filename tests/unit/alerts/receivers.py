"""Receivers of messages on loopback: a web server that keeps every request, and a mail server that keeps every mail."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

S = TypeVar("S", bound=socketserver.BaseServer)


class WebServer(ThreadingHTTPServer):
    """Answers every request with `status`, and with `location` where it redirects."""

    def __init__(self, status: int = 200, location: str = "") -> None:
        self.status, self.location = status, location
        self.requests: list[tuple[str, str, str]] = []  # method, path, body
        super().__init__(("127.0.0.1", 0), _Request)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Request(BaseHTTPRequestHandler):
    server: WebServer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.requests.append((self.command, self.path, body))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        pass


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail as RFC 5321 has it, as far as a client that sends a message needs it."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[str] = []
        super().__init__(("127.0.0.1", 0), _Mail)


class _Mail(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 loopback")
        for line in self.rfile:
            verb = line.strip().upper()
            if verb.startswith(b"DATA"):
                self._say("354 go on")
                lines = []
                while (found := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(found)
                self.server.mails.append(b"".join(lines).decode())
            if verb.startswith(b"QUIT"):
                self._say("221 bye")
                return
            self._say("250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def serving(server: S) -> Iterator[S]:
    """Run a server in the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
