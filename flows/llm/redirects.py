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

# The extension of a request that came from a redirect to another host: the request that was redirected.
_FROM = "genchi.redirected_from"


class RedirectError(httpx.RequestError):
    """A redirect to another host, which is not followed."""


def stay_on_host() -> None:
    """From now on, no client of httpx in this process follows a redirect to another scheme, host or port.

    A client that follows no redirects gets the redirect as its answer, as ever. httpx makes the next request for it
    too, so a request is refused where it is sent and not where it is made.
    """
    if getattr(httpx.Client._build_redirect_request, "stays_on_host", False):
        return
    for kind in (httpx.Client, httpx.AsyncClient):
        kind._build_redirect_request = _marking(kind._build_redirect_request)  # type: ignore[method-assign]  # httpx has no setting
        kind._send_single_request = _refusing(kind._send_single_request)  # type: ignore[method-assign]  # the same


def _marking(original: Any) -> Any:
    def build(client: Any, request: httpx.Request, response: httpx.Response) -> httpx.Request:
        following: httpx.Request = original(client, request, response)
        if _origin(following.url) != _origin(request.url):
            following.extensions = {**following.extensions, _FROM: request}
        return following

    build.stays_on_host = True  # type: ignore[attr-defined]  # a mark, so that it is replaced once
    return build


def _refusing(original: Any) -> Any:
    def send(client: Any, request: httpx.Request) -> Any:
        if _FROM in request.extensions:
            asked = request.extensions[_FROM]
            here, there = (without_credentials(str(one.url)) for one in (asked, request))
            log.warning("%s redirects to another host, %s, which is not followed; correct `api_base`", here, there)
            raise RedirectError(f"redirected to another host, {request.url.host}", request=asked)
        return original(client, request)

    return send


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
