"""What of a configuration no message, log or page may show."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flows import outgoing

if TYPE_CHECKING:
    from flows.config.load import Config

_LONG = 8
"""Parts of an Apprise URL with more characters than this are hidden; shorter ones are words such as `hook`."""


def secrets_of(config: "Config") -> Iterator[str | None]:
    """Its keys and passwords, those in its addresses, and the addresses of alerts but for their hosts."""
    yield from (config.user_key_secret, config.storage.secret, config.storage.token, config.embedding.api_key)
    models = config.models.written() if config.models else ()
    yield from (config.review.password, *(model.api_key for model in models))
    for api in filter(None, (source.api for source in config.sources)):
        yield from (api.public_key, api.secret_key, api.key)
    addresses = [model.api_base for model in models] + [source.dsn for source in config.sources]
    for address in filter(None, [*addresses, config.embedding.api_base, config.report_url]):
        yield from outgoing.credentials_in(address)
        yield from (found for _, found in re.findall(r"\bpassword\s*=\s*(['\"]?)(\S+)\1", address))
    yield from _texts_in(config.embedding.args)
    if config.export:
        for key, value in config.export.catalog.items():
            yield from (value,) if re.search(r"secret|token|password|credential|key", key) else ()
            yield from outgoing.credentials_in(value)
    for alert in config.alerts:
        yield from _texts_in(alert.args)
        yield from outgoing.credentials_in(alert.url)
        host, _, path = alert.url.partition("://")[2].partition("/")
        yield path  # the path of a webhook is its key
        if alert.kind == "apprise":  # any part of an address may be one
            yield from (part for part in re.split(r"[/?&=]", path) if len(part) > _LONG)
            name = host.rpartition("@")[2]
            yield name if "." not in name and ":" not in name else None
    if config.ping:
        yield from (*outgoing.credentials_in(config.ping.url), config.ping.url.partition("://")[2].partition("/")[2])


def _texts_in(value: Any) -> Iterator[str]:
    """The arguments of a function that may be keys: all texts in them."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(item)
    elif isinstance(value, str):
        yield value
