"""A server that accepts connections, reads requests and never answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Silent:
    """The address of the server, and the connections that it has accepted."""

    url: str
    connections: list[socket.socket] = field(default_factory=list)


@contextmanager
def silent_server(port: int = 0) -> Iterator[Silent]:
    """The server, on a free port unless one is given."""
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listening:
        silent = Silent(f"http://127.0.0.1:{listening.getsockname()[1]}/v1")

        def accept() -> None:
            while True:
                try:
                    silent.connections.append(listening.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield silent
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in silent.connections:
                connection.close()
