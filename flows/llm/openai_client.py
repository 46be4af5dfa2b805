"""OpenAI's client for endpoints that speak its protocol: a reply whose content is a list of blocks is read as its text.

litellm refuses such a reply, which then is asked for again and again. It takes a client of one's own for these models.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx

from flows.llm.reply import text_of_blocks

_HAS_BLOCKS = re.compile(rb'"content"\s*:\s*\[')
_open: list[Any] = []


class _PlainContent(httpx.AsyncBaseTransport):
    """Passes requests on to another transport, and puts text in place of blocks in the replies."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The reply, with plain content."""
        response = await self._inner.handle_async_request(request)
        if "json" not in response.headers.get("content-type", ""):
            return response
        response.request = request
        body = await response.aread()
        if not _HAS_BLOCKS.search(body):
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
    http = httpx.AsyncClient(transport=_PlainContent(make() or httpx.AsyncHTTPTransport()), follow_redirects=False)
    client = AsyncOpenAI(api_key=api_key, base_url=api_base, max_retries=0, http_client=http)
    _open.append(client)
    return client


async def close_plain_content_clients() -> None:
    """Close the clients of this event loop."""
    while _open:
        await _open.pop().close()
