"""E-mail addresses and IP addresses.

- email: `@`, a domain with a dot and a last label of letters, or an address in brackets; so neither `pkg@1.2.3` nor
  `logo@2x.png`. What stands before `@` may be in quotes. The account of a repository (`git@host:path`), and the user
  of an address such as `ssh://user@host`, are no e-mail addresses.
- ip: not loopback, unspecified, broadcast, a mask or a network (`10.0.0.0/8`), and not a version: after a `v`, a word
  such as version or section, or the name of a product (`Chrome/120.0.0.0`). A short form of IPv6 begins with four
  hexadecimal digits, as every assigned address does.
"""

import ipaddress
import re

from flows.ingest.redact.finders.finder import ALONE, APART, NO_COLON, NUMBER_GUARD, Finder, Spans

_LOCAL = re.compile(r"[\w.%+'-]{1,64}\Z")
_QUOTED = re.compile(r"""(?:^|[\s<(\[,;:='])(\\?"[^\s":,;\\](?:[^"\r\n\\]{0,62}[^\s":,;\\])?\\?")\Z""")
_DOMAIN = re.compile(
    r"(?:[\w-]{1,63}\.){1,8}(?:xn--[\w-]{2,59}|[^\W\d_]{2,63})(?![\w-]{0,64}@)|\[(?:IPv6:)?[0-9a-fA-F.:]{7,45}\]"
)
_FILE = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|ico|css|jsx?|tsx?|json|html?|txt|csv|pdf)\Z", re.IGNORECASE)
_REPOSITORY = re.compile(r"(?:git|hg|svn)\Z", re.IGNORECASE)
# The last labels that a line break or a space may stand before; others are more often words and names of files.
_COMMON_END = re.compile(
    r"\.(?:com|org|net|edu|gov|mil|int|info|biz|name|pro|app|dev|cloud|online|shop|email|museum|example|test|[a-z]{2})\Z",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"/[0-9]{1,2}(?![0-9.])")
_NO_ADDRESS = re.compile(
    r"(?i:version|release|build|firmware|kernel|driver|windows|macos|linux|ios|android|sdk|revision|patch"
    r"|section|chapter|clause|figure|table|step|kapitel|abschnitt|ver\.?|v\.|§)[\s:=\"'\\]*\Z"
    r"|(?:^|[\s\"'(;])(?!(?i:localhost|client|server|peer|host|addr|address|ip|from|to|remote)/)[A-Za-z][A-Za-z_-]{1,24}/\Z"
)


def _emails(match: re.Match[str]) -> Spans:
    """The parts before and after an `@`, in any script."""
    text, at = match.string, match.start()
    domain = _DOMAIN.match(text, at + 1)
    if not domain or _FILE.search(domain[0]):
        return
    quoted = _QUOTED.search(text, max(0, at - 67), at) if text[at - 1 : at] == '"' else None
    begin = quoted.start(1) if quoted else _begin_of_local(text, at)
    if begin >= at or text[max(0, begin - 3) : begin] == "://":
        return
    if not (_REPOSITORY.match(text, begin, at) and text[domain.end() : domain.end() + 1] in (":", "/")):
        yield begin, domain.end()


def _begin_of_local(text: str, at: int) -> int:
    """Where the part before the `@` begins; `at` where there is none."""
    local = _LOCAL.search(text, max(0, at - 64), at)
    if not local:
        return at
    begin = local.start()
    if begin and text[begin - 1] == "\\" and text[begin] in "nrtbf":
        begin += 1  # the letter belongs to an escape
    elif text[begin - 1 : begin] == "\\" and re.match(r"u[0-9a-fA-F]{4}", text[begin:at]):
        begin += 5
    return begin + len(text[begin:at]) - len(text[begin:at].lstrip("'.-"))


def is_joined_email(address: str) -> bool:
    """Whether what is an address only without a line break or spaces in it is one: it ends as most addresses do."""
    return _COMMON_END.search(address) is not None


def is_spaced_email(address: str) -> bool:
    """Whether an address with spaces around its `@` is one: more than a word is before it."""
    return re.search(r"[.\d_+-]", address.partition("@")[0]) is not None


def _addresses(match: re.Match[str]) -> Spans:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return
    if _NO_ADDRESS.search(match.string, max(0, match.start() - 28), match.start()):
        return
    is_network = match[0].endswith(".0") and _PREFIX.match(match.string, match.end())
    if not (address.is_loopback or address.is_unspecified or match[0].startswith("255.") or is_network):
        yield match.span()


EMAIL = (Finder("@", _emails),)
IP = (
    Finder(r"[0-9][0-9]{0,2}(?:\.[0-9]{1,3}){3}", _addresses, APART, ALONE, NUMBER_GUARD),
    Finder(
        r"[0-9a-fA-F]{4}:(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{0,4}|[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){7}",
        _addresses,
        NO_COLON,
        r"(?![0-9A-Za-z_:])",
    ),
)
