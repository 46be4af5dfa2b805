"""OpenAI's client for endpoints that speak its protocol, with replies that litellm cannot read put into its words.

A content that is a list of blocks becomes its text: litellm refuses such a reply, which then is asked for again and
again. An error in a reply with status 200 becomes an object with message and code: of others litellm loses the words.
litellm takes a client of one's own for these models.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx

from flows.llm.reply import error_told, text_of_blocks

_HAS_BLOCKS = re.compile(rb'"content"\s*:\s*\[')
_IS_WHOLE = re.compile(rb'"choices"\s*:\s*\[\s*\{')
_HAS_ERROR = re.compile(rb'"error"\s*:\s*[^n\s]')  # not null
_open: list[Any] = []


class _PlainReplies(httpx.AsyncBaseTransport):
    """Passes requests on to another transport, and puts replies with status 200 into litellm's words."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The reply, in litellm's words."""
        response = await self._inner.handle_async_request(request)
        if "json" not in response.headers.get("content-type", ""):
            return response
        response.request = request
        body = await response.aread()
        is_usual = _IS_WHOLE.search(body) and not _HAS_BLOCKS.search(body) and not _HAS_ERROR.search(body)
        if is_usual or response.status_code != httpx.codes.OK:
            return response
        kept = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name.lower() not in ("content-length", "content-encoding", "transfer-encoding")
        ]
        return httpx.Response(response.status_code, headers=kept, content=_plain(body), request=request)

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._inner.aclose()


def _plain(body: bytes) -> bytes:
    try:
        reply = json.loads(body)
        if told := error_told(reply):
            return json.dumps({"error": told}).encode()
        messages = [choice["message"] for choice in reply["choices"]]
        for message in messages:
            if isinstance(message.get("content"), list):
                message["content"] = text_of_blocks(message["content"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return body
    return json.dumps(reply).encode()


def plain_content_client(api_base: str, api_key: str | None) -> Any:
    """A client for `acompletion(client=...)`. Redirects are not followed: the key is meant for this address only."""
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler  # noqa: PLC0415 - imported late: costs 5 s
    from openai import AsyncOpenAI  # noqa: PLC0415 - as above

    make: Callable[[], httpx.AsyncBaseTransport | None] = AsyncHTTPHandler.create_async_transport
    http = httpx.AsyncClient(transport=_PlainReplies(make() or httpx.AsyncHTTPTransport()), follow_redirects=False)
    client = AsyncOpenAI(api_key=api_key, base_url=api_base, max_retries=0, http_client=http)
    _open.append(client)
    return client


async def close_plain_content_clients() -> None:
    """Close the clients of this event loop."""
    while _open:
        await _open.pop().close()
