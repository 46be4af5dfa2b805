"""User ids as keyed hashes: the same user has the same key, and without the secret nobody can identify the user."""

from hashlib import sha256

import pyarrow as pa

from flows.ingest.redact.field_paths import drop_paths

_BLOCK = 64
_LENGTH = 16
_USER_NAMES = ("user", "user_id", "userId", "end_user", "safety_identifier", "prompt_cache_key")
_USER_FIELDS = [
    *(f"{within}{name}" for within in ("", "metadata.", "extra_body.") for name in _USER_NAMES),
    *(f'["{name}"]' for name in ("user.id", "user.name", "user.hash", "user.email", "enduser.id", "enduser.pseudo.id")),
    '["langfuse.user.id"]',
]


def user_key_macro(secret: bytes, name: str = "user_key_of") -> str:
    """SQL that creates a temporary macro `name(text)`: HMAC-SHA256 (RFC 2104) of a text, its first 16 hex digits.

    Null and '' give null. The SQL contains the secret: run it in a separate connection, and do not log it.
    """
    padded = (sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded).hex() for pad in (0x36, 0x5C))
    return (
        f"create or replace temp macro {name}(given) as case when given <> '' then left(sha256(unhex('{outer}')"
        f" || unhex(sha256(unhex('{inner}') || encode(given)))), {_LENGTH}) end"
    )


def without_users(calls: pa.Table) -> pa.Table:
    """Calls without the user ids that some logs have in parameters and tags: user ids are only kept as a hash."""
    for name in ("params_json", "tags"):
        kept, count = drop_paths(calls.column(name), _USER_FIELDS)
        if count:
            calls = calls.set_column(calls.column_names.index(name), name, kept)
    return calls
