"""E-mail addresses and IP addresses.

- email: `@` or `%40`, a domain with a dot and a last label of letters; so neither `pkg@1.2.3` nor `logo@2x.png`.
- ip: not loopback, unspecified or broadcast, and not after a `v` or the word version; a short form of IPv6 begins
  with four hexadecimal digits, as every assigned address does.
"""

import ipaddress
import re

from flows.ingest.redact.finders.finder import ALONE, APART, NO_COLON, NUMBER_GUARD, Finder, Spans

_LOCAL = re.compile(r"[\w.%+'-]{1,64}\Z")
_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.){1,8}(?:xn--[\w-]{2,59}|[^\W\d_]{2,63})(?![\w-]*@)")
_PICTURE = re.compile(r"[1-9]x\.(?:png|jpe?g|gif|webp|svg)", re.IGNORECASE)


def _emails(match: re.Match[str]) -> Spans:
    """The parts before and after an `@`, in any script."""
    text, at = match.string, match.start()
    after = at + (1 if text[at] == "@" else 3)
    local = _LOCAL.search(text, max(0, at - 64), at)
    domain = _DOMAIN.match(text, after)
    if not local or not domain or _PICTURE.match(domain[0]):
        return
    begin = local.start()
    if begin and text[begin - 1] == "\\" and text[begin] in "nrtbf":
        begin += 1  # the letter belongs to an escape
    elif text[begin - 1 : begin] == "\\" and re.match(r"u[0-9a-fA-F]{4}", text[begin:at]):
        begin += 5
    begin += len(text[begin:at]) - len(text[begin:at].lstrip("'.-"))
    if begin < at:
        yield begin, domain.end()


def _addresses(match: re.Match[str]) -> Spans:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return
    before = match.string[max(0, match.start() - 12) : match.start()]
    if re.search(r"(?i)(?:version|release|ver\.?|v\.)[\s:=\"'\\]*\Z", before):
        return
    if not (address.is_loopback or address.is_unspecified or match[0] == "255.255.255.255"):
        yield match.span()


# The domain is any characters here, because its letters may be of any script; `_emails` is exact.
EMAIL = (Finder(r'@[^\s@."]+\.[^\s@."]', _emails), Finder(r'%40[^\s@."]+\.[^\s@."]', _emails))
IP = (
    Finder(r"[0-9][0-9]{0,2}(?:\.[0-9]{1,3}){3}", _addresses, APART, ALONE, NUMBER_GUARD),
    Finder(
        r"[0-9a-fA-F]{4}:(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{0,4}|[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){7}",
        _addresses,
        NO_COLON,
        r"(?![0-9A-Za-z_:])",
    ),
)
