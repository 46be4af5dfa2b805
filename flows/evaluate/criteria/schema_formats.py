"""`format` in JSON schemas: the formats that are checked, by the rules that JSON Schema names for them. Pure.

jsonschema checks some formats only where further packages are installed, and takes every text with an @ for an address.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MAILBOX = re.compile(rf'(?:{_ATOM}(?:\.{_ATOM})*|"(?:[^"\\\r\n]|\\[^\r\n])+")@(?P<domain>.+)')
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d:(?P<second>\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(
    r"P(?=.)(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?)", re.ASCII
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")


def _is_date(text: str) -> bool:
    return bool(_DATE.fullmatch(text) and date.fromisoformat(text))


def _is_time(text: str) -> bool:
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    if found["second"] == "60":  # a leap second
        text = f"{text[:6]}59{text[8:]}"
    return bool(datetime.fromisoformat(f"2000-01-01T{text.upper()}"))


def _is_date_time(text: str) -> bool:
    return text[10:11] in ("T", "t") and _is_date(text[:10]) and _is_time(text[11:])


def _is_hostname(text: str) -> bool:
    return _HOSTNAME.fullmatch(text) is not None


def _is_email(text: str) -> bool:
    found = _MAILBOX.fullmatch(text)
    if found is None:
        return False
    domain = found["domain"]
    if domain.startswith("[") and domain.endswith("]"):
        return bool(ipaddress.ip_address(domain[1:-1].removeprefix("IPv6:")))
    return _is_hostname(domain)


def _is_uri_reference(text: str) -> bool:
    return _URI.fullmatch(text) is not None and (urlsplit(text).port or 0) >= 0


def _is_uri(text: str) -> bool:
    return _SCHEME.match(text) is not None and _is_uri_reference(text)


def _is_ipv4(text: str) -> bool:
    return bool(ipaddress.IPv4Address(text))


def _is_ipv6(text: str) -> bool:
    return "%" not in text and bool(ipaddress.IPv6Address(text))


_CHECKS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "time": _is_time,
    "date-time": _is_date_time,
    "duration": lambda text: _DURATION.fullmatch(text) is not None,
    "email": _is_email,
    "hostname": _is_hostname,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "uri": _is_uri,
    "uri-reference": _is_uri_reference,
    "uuid": lambda text: _UUID.fullmatch(text) is not None and bool(UUID(text)),
}
FORMATS = tuple(_CHECKS)
RULES = f"checked formats: {', '.join(FORMATS)}"


@cache
def format_checker() -> Any:
    """jsonschema's checker of FORMATS; every other format says nothing, and so does a value that is no text."""
    from jsonschema import FormatChecker  # noqa: PLC0415 - imported late: only some criteria need it

    checker = FormatChecker(formats=())
    for name, check in _CHECKS.items():
        checker.checks(name, raises=ValueError)(_of_text(check))
    return checker


def _of_text(check: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or check(value)


def names_a_format(schema: Any) -> bool:
    """Whether a checked format stands somewhere in a schema."""
    if isinstance(schema, dict):
        return schema.get("format") in FORMATS or any(map(names_a_format, schema.values()))
    return isinstance(schema, list) and any(map(names_a_format, schema))
