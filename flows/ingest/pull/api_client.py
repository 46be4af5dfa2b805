"""Requests to an API: one after the other, in bounded time and memory, with every failure as one line.

Belongs here: pace, retries, and what an answer must be. Does not belong here: what is asked for (`listings.py`).

Keys are sent in a header only. Redirects are not followed, so that no other host gets them. No text of an answer is in
an error, because a server may repeat what it was sent.
"""

import base64
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from flows.config import Source
from flows.errors import UnreadableError
from flows.retry_policy import paced_retries, requested_pause_s

MOST_BYTES = 64 << 20
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LONGEST_REQUESTED_S = 0.5, 20.0, 120.0
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_LONGEST_PAGE_S = 300.0  # the timeout begins again with each byte
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_REFUSED = {401, 403}


@dataclass(frozen=True)
class Page:
    """One page as it came, its records, and the rest of it."""

    content: bytes
    records: list[Any]
    fields: dict[str, Any]


class NotThereError(UnreadableError):
    """The server has no such path."""


class _PassingError(Exception):
    """An answer or a failure after which the same request may succeed."""

    def __init__(self, why: str, pause_s: float = 0.0, *, is_silent: bool = False) -> None:
        super().__init__(why)
        self.pause_s, self.is_silent = pause_s, is_silent


class ApiClient:
    """A client for the API of one source. `sleep` and `clock` are seconds, as those of `time`."""

    def __init__(
        self, source: Source, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        assert source.api is not None
        self.host = urlsplit(source.api.host).netloc
        self._base, self._between_s = source.api.host, 60.0 / source.api.requests_per_minute
        self._sleep, self._clock, self._next = sleep, clock, 0.0
        self._silence = ""  # why no page came after all attempts: further days of a run do not wait for it again
        self._http = httpx.Client(headers=_headers(source), timeout=_TIMEOUT, follow_redirects=False)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def page(self, path: str, parameters: list[tuple[str, str]]) -> Page:
        """The page at a path. Raises UnreadableError: NotThereError if there is no such path.

        A server that did not respond to all attempts for one page is not tried again by this client.
        """
        if self._silence:
            raise UnreadableError(self.host, self._silence)
        try:
            return paced_retries(_may_pass, _pause_s, self._sleep)(self._asked, path, parameters)
        except _PassingError as error:
            if error.is_silent:
                self._silence = str(error)
            raise UnreadableError(self.host, str(error)) from None

    def _asked(self, path: str, parameters: list[tuple[str, str]]) -> Page:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._between_s
        try:
            with self._http.stream("GET", f"{self._base}{path}", params=httpx.QueryParams(tuple(parameters))) as answer:
                self._check_status(answer)
                content = self._content(answer)
        except httpx.TransportError as error:
            raise _PassingError(
                f"does not respond ({type(error).__name__}); check `api.host` and the network", is_silent=True
            ) from None
        except (httpx.InvalidURL, httpx.DecodingError) as error:
            raise UnreadableError(self.host, f"cannot be read ({type(error).__name__}); check `api.host`") from None
        return self._page(content)

    def _check_status(self, answer: httpx.Response) -> None:
        code = answer.status_code
        if code in _PASSING:
            pause_s = requested_pause_s(answer.headers)
            wish = f", which asks to wait {pause_s:.0f} s" if pause_s else ""
            how = f"{wish}; lower `api.requests_per_minute`" if code == httpx.codes.TOO_MANY_REQUESTS else ""
            raise _PassingError(f"still answers with status {code} after several attempts{how}", pause_s)
        if code in _REFUSED:
            raise UnreadableError(self.host, f"refuses the keys (status {code}); correct the keys of `api`")
        if code == httpx.codes.NOT_FOUND:
            raise NotThereError(
                self.host, "has no such API or project (status 404); check `api.host` and `api.project`"
            )
        if answer.has_redirect_location:
            raise UnreadableError(self.host, f"redirects (status {code}), which is not followed; correct `api.host`")
        if code != httpx.codes.OK:
            raise UnreadableError(self.host, f"refuses the request (status {code})")

    def _content(self, answer: httpx.Response) -> bytes:
        content, begun = bytearray(), self._clock()
        for block in answer.iter_bytes():
            content += block
            if self._clock() - begun > _LONGEST_PAGE_S:
                raise UnreadableError(
                    self.host, f"needs more than {_LONGEST_PAGE_S:.0f} s to send a page; lower `api.page_size`"
                )
            if len(content) > MOST_BYTES:
                raise UnreadableError(
                    self.host, f"sent a page of more than {MOST_BYTES >> 20} MiB; lower `api.page_size`"
                )
        return bytes(content)

    def _page(self, content: bytes) -> Page:
        try:
            fields = json.loads(content)
        except (ValueError, RecursionError):
            raise UnreadableError(self.host, "sent a page that is not JSON; check `api.host`") from None
        records = fields.pop("data", None) if isinstance(fields, dict) else None
        if not isinstance(records, list):
            raise UnreadableError(self.host, "sent JSON that is no page (it has no list `data`); check `api.host`")
        return Page(content, records, fields)


class Clients:
    """The clients of a run, one for each source, so that all of its requests keep one pace."""

    def __init__(self) -> None:
        self._clients: dict[str, ApiClient] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()

    def of(self, source: Source) -> ApiClient:
        """The client of a source."""
        if source.name not in self._clients:
            self._clients[source.name] = ApiClient(source)
        return self._clients[source.name]


def _headers(source: Source) -> dict[str, str]:
    """Langfuse takes its keys by basic authentication, Phoenix one as a bearer token."""
    assert source.api is not None
    headers = {"Accept": "application/json", "User-Agent": "genchi"}
    if source.format == "langfuse":
        pair = f"{source.api.public_key}:{source.api.secret_key}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    elif source.api.key:
        headers["Authorization"] = f"Bearer {source.api.key}"
    return headers


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, _PassingError)


def _pause_s(error: BaseException, failed: int) -> float:
    """Exponential with full jitter, or what the server asks for if that is longer."""
    jittered = random.uniform(0, min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**failed))  # noqa: S311 - not used for security
    requested = error.pause_s if isinstance(error, _PassingError) else 0.0
    return max(jittered, min(requested, _LONGEST_REQUESTED_S))
