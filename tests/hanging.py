"""A server that accepts connections, reads requests and never answers, and a client that asks it."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flows.llm import Answer, LiteLLMClient, close_clients


@dataclass
class Silent:
    """The address of the server, and the connections that it has accepted."""

    url: str
    connections: list[socket.socket] = field(default_factory=list)


@contextmanager
def silent_server() -> Iterator[Silent]:
    """The server, on a free port."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
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


def asked(client: LiteLLMClient, questions: int, concurrency: int = 8) -> tuple[list[Answer], float]:
    """The answers to as many questions, and the seconds that they took."""

    async def go() -> tuple[list[Answer], float]:
        gate, begun = asyncio.Semaphore(concurrency), time.monotonic()

        async def one() -> Answer:
            async with gate:
                return await client.ask([{"role": "user", "content": "hi"}], {})

        try:
            return await asyncio.gather(*(one() for _ in range(questions))), time.monotonic() - begun
        finally:
            await close_clients()

    return asyncio.run(go())
