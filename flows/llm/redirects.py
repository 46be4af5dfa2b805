"""No request to a model follows a redirect to another host: keys, texts and headers are meant for one address only.

litellm's clients and OpenAI's follow redirects, and httpx, on which all of them are built, takes only `Authorization`
out of a request to another host, neither `x-api-key` nor the texts. It has no public setting for this, so its function
that makes the next request is replaced.
"""

import logging
from typing import Any

import httpx

from flows.outgoing import without_credentials

log = logging.getLogger("genchi")


class RedirectError(httpx.RequestError):
    """A redirect to another host, which is not followed."""


def stay_on_host() -> None:
    """From now on, no client of httpx in this process follows a redirect to another scheme, host or port."""
    original = httpx.Client._build_redirect_request
    if getattr(original, "stays_on_host", False):
        return

    def build(client: Any, request: httpx.Request, response: httpx.Response) -> httpx.Request:
        following: httpx.Request = original(client, request, response)
        if _origin(following.url) != _origin(request.url):
            here, there = (without_credentials(str(one.url)) for one in (request, following))
            log.warning("%s redirects to another host, %s, which is not followed; correct `api_base`", here, there)
            raise RedirectError(f"redirected to another host, {following.url.host}", request=request)
        return following

    build.stays_on_host = True  # type: ignore[attr-defined]  # a mark, so that it is replaced once
    for kind in (httpx.Client, httpx.AsyncClient):
        kind._build_redirect_request = build  # type: ignore[method-assign, assignment]  # httpx has no setting for it


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
