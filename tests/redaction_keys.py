"""Made-up keys for the texts that measure redaction."""

from hashlib import sha256

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
HEX = "0123456789abcdef"


def key(prefix: str, length: int, alphabet: str = _ALPHABET) -> str:
    """A made-up key: `prefix` and `length` characters that look random."""
    body = "".join(
        alphabet[byte % len(alphabet)]
        for part in range(length // 32 + 1)
        for byte in sha256(f"{prefix} {part}".encode()).digest()
    )
    return prefix + body[:length]
