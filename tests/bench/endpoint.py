"""An OpenAI-compatible endpoint in a separate process that counts requests, fast enough not to limit the result."""

import asyncio
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from aiohttp import web


@dataclass(frozen=True)
class Seen:
    """What an endpoint saw: requests answered, how many at once at most, and when, in seconds on its clock."""

    answers: int
    most_in_flight: int
    first_request: float
    times: list[float]

    @property
    def rate(self) -> float:
        """Answers a second from the first request to the last answer."""
        return self.answers / (self.times[-1] - self.first_request)

    @property
    def steady_rate(self) -> float:
        """Answers a second once as many were answered as are in flight: the first may have come all at once."""
        first = self.most_in_flight - 1
        return (self.answers - 1 - first) / (self.times[-1] - self.times[first])


class Endpoint:
    """Each request is answered after `delay_s`."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._serial = count(1)
        self._in_flight = self._most = 0
        self._first_request = 0.0
        self._times: list[float] = []

    async def answer(self, request: web.Request) -> web.Response:
        """One chat completion, with a unique id."""
        self._first_request = self._first_request or time.monotonic()
        self._in_flight += 1
        self._most = max(self._most, self._in_flight)
        asked = json.loads(await request.read())
        await asyncio.sleep(self._delay_s)
        self._in_flight -= 1
        self._times.append(time.monotonic())
        return web.json_response(
            {
                "id": f"bench-{next(self._serial)}",
                "object": "chat.completion",
                "created": 1,
                "model": asked["model"],
                "system_fingerprint": "fp_bench",
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
                "usage": {"prompt_tokens": 60, "completion_tokens": 1, "total_tokens": 61},
            }
        )

    async def seen(self, _: web.Request) -> web.Response:
        """The counts so far."""
        return web.json_response([len(self._times), self._most, self._first_request, self._times])

    async def serve(self) -> None:
        """Serve on a free port of loopback, and print it, until the process ends."""
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", self.answer), web.get("/seen", self.seen)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
            await web.SockSite(runner, listening).start()
            print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
            await asyncio.Event().wait()


@contextmanager
def endpoint(delay_s: float) -> Iterator[str]:
    """A fresh endpoint's address."""
    command = [sys.executable, "-m", "tests.bench.endpoint", str(delay_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def seen(url: str) -> Seen:
    """What the endpoint at `url` saw."""
    with urllib.request.urlopen(f"{url}/seen", timeout=10) as answer:
        return Seen(*json.load(answer))


if __name__ == "__main__":
    asyncio.run(Endpoint(float(sys.argv[1])).serve())
