r"""Patterns of keys, tokens and passwords: the formats of their providers, by prefix.

Belongs here: a pattern for each provider, as a core for RE2 and Python (see `finders`). A key without a specific format
is recognised by the text before it: `Authorization: Bearer`, `api_key=`, `password:`, or the user in a URL.
"""

import re

from flows.ingest.redact.finders.finder import BEGIN, Finder, Spans, whole

# Unique formats.
_SURE = (
    r"github_pat_[A-Za-z0-9_]{20,}|gh[pousr]_[A-Za-z0-9]{20,}",
    r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_.-]{20,}",
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
    r"AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{20,}",
    r"hooks\.slack\.com\\*/services\\*/[A-Za-z0-9_/\\]{20,}",
    r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_(?:[A-Za-z0-9+/=]|\\+/){20,}",
    r"hf_[A-Za-z0-9]{20,}|api_org_[A-Za-z0-9]{20,}",
    r"gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|pplx-[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{20,}",
    r"nvapi-[A-Za-z0-9_-]{20,}|csk-[A-Za-z0-9]{20,}|tvly-[A-Za-z0-9_-]{16,}|pcsk_[A-Za-z0-9_]{20,}|tgp_v1_[A-Za-z0-9_-]{20,}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|SK[0-9a-f]{32}|key-[0-9a-f]{32}|[0-9a-f]{32}-us[0-9]{1,2}",
    r"npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|dop_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}|ls__[0-9a-f]{32}",
    r"dapi[0-9a-f]{32}|ntn_[A-Za-z0-9]{40,}|hvs\.[A-Za-z0-9_-]{20,}|ATATT3[A-Za-z0-9_=-]{20,}|glsa_[A-Za-z0-9_]{30,}",
    r"sbp_[0-9a-f]{40}|lin_api_[A-Za-z0-9]{30,}|[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
    r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}|[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}",
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]{8,}",
)
# Words can be spelt like these, but not with a digit: OpenAI, Anthropic, OpenRouter, Langfuse and all that copied them.
_WITH_DIGIT = r"sk-[A-Za-z0-9_-]{16,}"
_NAMES = (
    "api[_-]?key|x-goog-api-key|ocp-apim-subscription-key|secret[_-]?(?:access[_-]?)?key|client[_-]?secret"
    "|(?:access|auth|refresh|bearer|session)[_-]?token|private[_-]?key|account[_-]?key|sharedaccesskey|password|passwd"
)

# All of them have this many characters without a space or a quote; words rarely do.
_LONG = r"[A-Za-z0-9._~+/=!@#$%^&*\\-]{15,}"

_KEY_ENDS = re.compile(r"(?:(?!-----)[\s\S]){0,20000}-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----")
_KEY_GOES_ON = re.compile(r"(?:[A-Za-z0-9+/=]|\s|\\[nr])*")


def _with_digit(match: re.Match[str]) -> Spans:
    if re.search("[0-9]", match[0]):
        yield match.span()


def _value(match: re.Match[str]) -> Spans:
    """The value after a name: only the value is a secret; words and paths are not."""
    if re.search("[0-9]", match["value"]):
        yield match.span("value")


def _password(match: re.Match[str]) -> Spans:
    yield match.span("value")


def _private_key(match: re.Match[str]) -> Spans:
    """Up to its end marker or, if it was cut off, to the end of the text."""
    rest = _KEY_ENDS.match(match.string, match.end()) or _KEY_GOES_ON.match(match.string, match.end())
    yield match.start(), rest.end() if rest else match.end()


SECRET = (
    Finder("|".join(_SURE), whole, BEGIN, rough=_LONG),
    Finder(_WITH_DIGIT, _with_digit, BEGIN, rough=_LONG),
    Finder(
        r"(?i:bearer|authorization[\s\"'\\:=]+(?:basic|token))\s+(?P<value>(?:[A-Za-z0-9._~+/=-]|\\+/){16,})",
        _value,
        BEGIN,
        rough=_LONG,
    ),
    Finder(
        rf"(?i:{_NAMES})[\"'\\]*\s*[:=]\s*[\"'\\]*(?P<value>[A-Za-z0-9._~+/=!@#$%^&*-]{{16,}})", _value, rough=_LONG
    ),
    Finder(r":\\*/\\*/[^\s:/@\"'\\]*:(?P<value>[^\s/@\"'\\]{3,})@", _password, rough=r":\\*/\\*/"),
    Finder(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----", _private_key, rough="-----BEGIN "),
)
