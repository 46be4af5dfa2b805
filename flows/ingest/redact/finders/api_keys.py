r"""Patterns of keys, tokens and passwords: the formats of their providers, by prefix.

Belongs here: a pattern for each provider, as a core for RE2 and Python (see `finders`). A key without a specific format
is recognised by the text before it: `Authorization: Bearer`, `api_key=`, `password:`, or the user in a URL.
"""

import re

from flows.ingest.redact.finders.finder import BEGIN, Finder, Spans, whole

# Unique formats: how they begin, and how they go on.
_SURE = (
    (r"github_pat_", r"[A-Za-z0-9_]{20,}"),
    (r"gh[pousr]_", r"[A-Za-z0-9]{20,}"),
    (r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-", r"[A-Za-z0-9_.-]{20,}"),
    (r"(?:AKIA|ASIA|ABIA|ACCA)", r"[A-Z0-9]{16}"),
    (r"AIza", r"[A-Za-z0-9_-]{35}"),
    (r"(?:GOCSPX-|ya29\.|nvapi-|tgp_v1_|hvs\.)", r"[A-Za-z0-9_-]{20,}"),
    (r"xox[abeoprs]-", r"[A-Za-z0-9-]{10,}"),
    (r"xapp-[0-9]-", r"[A-Za-z0-9-]{20,}"),
    (r"hooks\.slack\.com", r"\\*/services\\*/[A-Za-z0-9_/\\]{20,}"),
    (r"(?:sk|rk)_(?:live|test)_", r"[A-Za-z0-9]{10,}"),
    (r"whsec_", r"(?:[A-Za-z0-9+/=]|\\+/){20,}"),
    (r"discord(?:app)?\.com", r"\\*/api\\*/webhooks\\*/[0-9]{10,20}\\*/[A-Za-z0-9_-]{40,}"),
    (r"(?:hf_|api_org_|gsk_|xai-|pplx-|r8_|csk-|fw_|jina_|e2b_|glc_|nfp_)", r"[A-Za-z0-9]{20,}"),
    (r"(?:dckr_pat_|pscale_tkn_|figd_|PMAK-|sntrys_|vercel_blob_rw_|sq0(?:atp|csp)-)", r"[A-Za-z0-9_-]{20,}"),
    (r"(?:xkeysib-|pul-|rubygems_|fc-)", r"[0-9a-f]{32,}"),
    (r"AGE-SECRET-KEY-1", r"[A-Z0-9]{58}"),
    (r"tvly-", r"[A-Za-z0-9_-]{16,}"),
    (r"pcsk_", r"[A-Za-z0-9_]{20,}"),
    (r"SG\.", r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    (r"(?:SK|key-|dapi)", r"[0-9a-f]{32}"),
    (r"npm_", r"[A-Za-z0-9]{36}"),
    (r"pypi-", r"[A-Za-z0-9_-]{50,}"),
    (r"dop_v1_", r"[0-9a-f]{64}"),
    (r"shp(?:at|ca|pa|ss)_", r"[0-9a-fA-F]{32}"),
    (r"lsv2_(?:pt|sk)_", r"[0-9a-f]{32}_[0-9a-f]{10}"),
    (r"ls__", r"[0-9a-f]{32}"),
    (r"ntn_", r"[A-Za-z0-9]{40,}"),
    (r"ATATT3", r"[A-Za-z0-9_=-]{20,}"),
    (r"glsa_", r"[A-Za-z0-9_]{30,}"),
    (r"sbp_", r"[0-9a-f]{40}"),
    (r"lin_api_", r"[A-Za-z0-9]{30,}"),
)
# Unique formats that begin like other words.
_SHAPED = (
    r"[0-9a-f]{32}-us[0-9]{1,2}",
    r"(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
    r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
    r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}",
)
# Words can be spelt like these, but not with a digit: OpenAI, Anthropic, OpenRouter, Langfuse and all that copied them.
_WITH_DIGIT = r"sk-[A-Za-z0-9_-]{16,}"
_NAMES = (
    "api[ _-]?key|x-goog-api-key|ocp-apim-subscription-key|secret[ _-]?(?:access[ _-]?)?key|client[ _-]?secret"
    "|(?:api|app|bot|access|auth|refresh|bearer|session)[ _-]?token|sharedaccesskey|password|passwd"
    "|(?:openai|azure|subscription|access|account|storage|service|signing|encryption|webhook|master|private)[_-]?key"
)

_PASSWORDS = "passwor[dt]|passwd|pwd|passphrase|passcode|kennwort|mot de passe|contraseña|senha|wachtwoord"

# All of them have this many characters without a space or a quote; words rarely do.
_LONG = r"[A-Za-z0-9._~+/=!@#$%^&*\\-]{15,}"

_TOKEN_GOES_ON = re.compile(r"\.[A-Za-z0-9_-]{8,}\.(?:[A-Za-z0-9_.-]{8,})?")
_KEY_ENDS = re.compile(r"(?:(?!-----)[\s\S]){0,20000}-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_GOES_ON = re.compile(
    r"(?:(?:\s|\\[nr]){0,4}[A-Z][A-Za-z-]{2,20}: [^\r\n\\]{1,100}){0,5}(?:[A-Za-z0-9+/=]|\s|\\[nr])*"
)
# What stands in the place of a secret: stars, a variable, the name of what is meant.
_PLACEHOLDER = re.compile(r"[*•xX.#?_-]+\Z|\$|%[({]|\{\{|<|\[")


def _of_provider(match: re.Match[str]) -> Spans:
    """A key of a provider's format; one character over and over stands in the place of a key."""
    if len(set(match[0][-12:])) > 3:
        yield match.span()


def _with_digit(match: re.Match[str]) -> Spans:
    if re.search("[0-9]", match[0]):
        yield match.span()


def _value(match: re.Match[str]) -> Spans:
    """The value after a name: only the value is a secret; words and paths are not."""
    if re.search("[0-9]", match["value"]):
        yield match.span("value")


def _password(match: re.Match[str]) -> Spans:
    """The value after the name of a password, if it is no word: it has a digit or a special character."""
    value = match["value"].rstrip(".!?:")
    follows = match.string[match.end() : match.end() + 1]
    is_word = len(value) < 6 or not re.search(r"[0-9@#%^&*!+=~?|]", value) or _PLACEHOLDER.match(value)
    if not is_word and follows not in ("(", "[", "{", "<"):
        yield match.span("value")


# What a form says of passwords.
_OF_RULES = re.compile(
    r"(?i)\b(?:must|should|needs?|at least|at most|characters|digits?|letters|required|invalid|enter|choose|repeat"
    r"|confirm|forgot|reset|change|expire[sd]?|muss|zeichen|eingeben)\b"
)


def _of_words(match: re.Match[str]) -> Spans:
    """A password of several words, which quotes hold together: it has a digit or a special character."""
    value = match["value"]
    has_sign = re.search(r"[0-9@#%^&*!+=~?|]", value[:-1]) or value[-1].isdecimal()
    if " " in value.strip() and has_sign and not (_OF_RULES.search(value) or _PLACEHOLDER.match(value)):
        yield match.span("value")


def _of_user(match: re.Match[str]) -> Spans:
    """The password in `--user name:password`; numbers are ids of a user and a group."""
    if not match["value"].isdecimal():
        yield from _in_url(match)


def _in_url(match: re.Match[str]) -> Spans:
    if not _PLACEHOLDER.match(match["value"]):
        yield match.span("value")


def _web_token(match: re.Match[str]) -> Spans:
    """A JSON Web Token: three parts. What begins within the first part ends as it does, so it is not tried again."""
    rest = _TOKEN_GOES_ON.match(match.string, match.end())
    if rest:
        yield match.start(), rest.end()


def _private_key(match: re.Match[str]) -> Spans:
    """Up to its end marker or, if it was cut off, to the end of the text."""
    rest = _KEY_ENDS.match(match.string, match.end()) or _KEY_GOES_ON.match(match.string, match.end())
    yield match.start(), rest.end() if rest else match.end()


SECRET = (
    Finder(
        "|".join(f"{begin}{rest}" for begin, rest in _SURE),
        _of_provider,
        BEGIN,
        rough=_LONG,
        head="|".join(begin for begin, _ in _SURE),
    ),
    Finder("|".join(_SHAPED), whole, BEGIN, rough=_LONG),
    Finder(r"eyJ[A-Za-z0-9_-]{8,}", _web_token, BEGIN, rough=_LONG, head="eyJ"),
    Finder(_WITH_DIGIT, _with_digit, BEGIN, rough=_LONG, head="sk-"),
    Finder(
        r"(?i:bearer|authorization[\s\"'\\:=]+(?:basic|token))\s+(?P<value>(?:[A-Za-z0-9._~+/=-]|\\+/){16,})",
        _value,
        BEGIN,
        rough=_LONG,
    ),
    Finder(
        rf"(?i:{_NAMES})[\"'\\]*\s*[:=]\s*[\"'\\]*(?P<value>[A-Za-z0-9._~+/=!@#$%^&*-]{{16,}})", _value, rough=_LONG
    ),
    Finder(
        rf"(?i:{_PASSWORDS})[\"'\\]*(?:\s*[:=]|\s+(?i:is|ist|lautet))\s*[\"'\\]*(?P<value>[^\s\"'`\\,;<>()\[\]{{}}$]{{6,}})",
        _password,
        rough=f"(?i:{_PASSWORDS})",
    ),
    Finder(
        rf"(?i:{_PASSWORDS})[\"'\\]*\s*[:=]\s*\\?[\"'](?P<value>[^\"'\\\r\n]{{6,64}})\\?[\"']",
        _of_words,
        rough=f"(?i:{_PASSWORDS})",
    ),
    Finder(
        r"(?:\s-u|--user)[ =][\"']?[\w.@+-]{1,64}:(?P<value>[^\s\"'`\\]{3,})", _of_user, rough=r"(?:\s-u|--user)[ =]"
    ),
    Finder(
        r"(?i:api|secret|access|auth)[ _-](?i:key|token)\s+(?:(?i:is)\s+)?(?P<value>[A-Za-z0-9_-]{24,})",
        _value,
        BEGIN,
        rough=_LONG,
    ),
    Finder(
        r"[A-Z][A-Z0-9_]{0,40}_(?:TOKEN|SECRET)[\"'\\]*\s{0,4}[:=]\s{0,4}[\"'\\]*(?P<value>[A-Za-z0-9._~+/=-]{16,})",
        _value,
        BEGIN,
        rough=_LONG,
    ),
    Finder(
        r"(?i:cookie)[\"'\\]*\s{0,4}:\s{0,4}[\"'\\]*(?P<value>[A-Za-z0-9_.-]{1,64}=[^\r\n\"'\\]{8,4096})",
        _value,
        rough=r"(?i:cookie)[\"'\\]*\s{0,4}:",
    ),
    Finder(
        r"(?:mysql|mysqldump|mysqladmin|mariadb|sshpass)(?: [^\s]{1,40}){0,6}? -p ?[\"']?(?P<value>[^\s\"'`\\]{4,64})",
        _password,
        BEGIN,
        rough=r"(?:mysql|mysqldump|mysqladmin|mariadb|sshpass) ",
    ),
    Finder(
        r"[?&](?i:sig|x-amz-signature|x-amz-security-token|x-goog-signature)=(?P<value>[A-Za-z0-9%+/=_-]{24,2048})",
        _value,
        rough=_LONG,
    ),
    Finder(r":\\*/\\*/[^\s:/@\"'\\]*:(?P<value>[^\s/\"'`\\<>()]{3,})@", _in_url, rough=r":\\*/\\*/"),
    Finder(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----", _private_key, rough="-----BEGIN "),
)
