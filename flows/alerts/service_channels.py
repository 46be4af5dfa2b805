"""Messages to services through Apprise, and what keeps them harmless.

They are plain text, so that no service reads hostile text as HTML or Markdown. No redirect is followed, no key is
generated, and no image of another host is named. What the library logs is kept from the terminal, and told in one
line without any part of the address.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flows.alerts.http_channels import UndeliveredError

if TYPE_CHECKING:
    import apprise

Body = Callable[[int], str]
"""The body of a message that fits in so many characters."""
_SHORTEST_PART = 4
_NO_REASON = "the service did not take it"


def scheme(url: str) -> str:
    """The service of an Apprise URL: `mailtos`. The rest of it may be a secret."""
    found = re.match(r"([a-z0-9+.-]+)://", url, re.IGNORECASE)
    return found[1].lower() if found else "no valid URL"


def through_apprise(url: str, severity: str, subject: str, body: Body) -> None:
    """Send a message to the service of an Apprise URL. Raises UndeliveredError."""
    import apprise  # noqa: PLC0415 - imported late: it takes a third of a second

    server = service(url)
    client = apprise.Apprise(asset=server.asset)
    client.add(server)
    kinds = {"critical": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING}
    title_room = server.title_maxlen
    title = subject[:title_room] if title_room > 0 else ""
    text = body(max(1, server.body_maxlen - (0 if title else len(subject) + 2)))
    text = text if title else f"{subject}\n\n{text}"[: server.body_maxlen]
    with quiet() as said:
        is_taken = client.notify(
            title=title,
            body=text,
            notify_type=kinds.get(severity, apprise.NotifyType.INFO),
            body_format=apprise.NotifyFormat.TEXT,
        )
    if not is_taken:
        # Of several recipients some may have it: they are not to have it thrice.
        raise UndeliveredError(reason(said, url), is_transient=len(server) == 1)


def service(url: str) -> "apprise.NotifyBase":
    """The service of an Apprise URL, which sends plain text. Raises UndeliveredError for a URL that Apprise lacks."""
    import apprise  # noqa: PLC0415 - as above

    asset = apprise.AppriseAsset(
        app_id="genchi",
        app_desc="genchi",
        app_url="",
        async_mode=False,
        http_redirects=False,
        image_url_logo="",
        image_url_mask="",
        pem_autogen=False,
        pgp_autogen=False,
        secure_logging=True,
    )
    with quiet() as said:
        found = apprise.Apprise.instantiate(url, asset=asset)
    if found is None:
        raise UndeliveredError(f"no valid URL ({reason(said, url)}); correct it", is_transient=False)
    harden([found])
    return found


def harden(servers: Iterable["apprise.NotifyBase"]) -> None:
    """Plain text and no redirects, whatever the parameters of the URL say."""
    import apprise  # noqa: PLC0415 - as above

    for server in servers:
        server.redirects = False
        server.notify_format = apprise.NotifyFormat.TEXT


def reason(said: list[str], address: str) -> str:
    """The last thing that a library said, without any part of the address."""
    text = " ".join((said[-1] if said else _NO_REASON).split())
    parts = {part for found in re.split(r"[\s/:@?&=,;#]+", address) for part in (found, unquote(found))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST_PART:
            text = text.replace(part, "***")
    return text[:300]


@contextmanager
def quiet() -> Iterator[list[str]]:
    """What Apprise logs as a warning or worse, instead of on the terminal."""
    said: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, handler = logging.getLogger("apprise"), Keeping(logging.WARNING)
    propagates = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.propagate = propagates
        logger.removeHandler(handler)
