"""Users' ids as keyed hashes: the same user has the same key, and nobody without the secret can tell whose it is."""

from hashlib import sha256

_BLOCK = 64
_LENGTH = 16


def user_key_macro(secret: bytes, name: str = "user_key_of") -> str:
    """SQL that creates a temporary macro `name(text)`: HMAC-SHA256 (RFC 2104) of a text, its first 16 hex digits.

    Null and '' give null. The secret stands in the SQL: run it in a connection of one's own, and log it nowhere.
    """
    padded = (sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded).hex() for pad in (0x36, 0x5C))
    return (
        f"create or replace temp macro {name}(given) as case when given <> '' then left(sha256(unhex('{outer}')"
        f" || unhex(sha256(unhex('{inner}') || encode(given)))), {_LENGTH}) end"
    )
