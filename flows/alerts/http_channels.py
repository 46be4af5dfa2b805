"""Messages to addresses that take JSON by POST: webhooks and Slack. No redirect is followed."""

from typing import Any

import httpx

from flows.outgoing import without_credentials

_TIMEOUT = httpx.Timeout(15, connect=5)


class UndeliveredError(Exception):
    """One target did not take a message. `is_transient` is whether a later attempt may succeed."""

    def __init__(self, problem: str, *, is_transient: bool) -> None:
        super().__init__(problem)
        self.is_transient = is_transient


def post(url: str, message: dict[str, Any]) -> None:
    """POST a message as JSON, once. Raises UndeliveredError."""
    send("POST", url, json=message)


def send(method: str, url: str, **content: Any) -> None:
    """Send a request, once. `content` is what httpx takes as a body. Raises UndeliveredError."""
    try:
        response = httpx.request(method, url, timeout=_TIMEOUT, follow_redirects=False, **content)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise UndeliveredError(f"no valid URL ({type(error).__name__}); correct it", is_transient=False) from None
    except httpx.RequestError as error:
        raise UndeliveredError(f"{type(error).__name__}: {error}", is_transient=True) from None
    if not response.is_success:
        is_transient = response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error
        raise UndeliveredError(f"answered {response.status_code}", is_transient=is_transient)


def host(url: str) -> str:
    """The host of a URL. The rest of it may be a secret."""
    try:
        return httpx.URL(without_credentials(url)).host or "no host"
    except httpx.InvalidURL:
        return "no valid URL"
