"""The names of log files as the lake has them: a person's data in a name is removed like that in a text."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from flows.ingest.redact.finding import replaced
from flows.ingest.redact.redaction import in_order

_MARK = 8


@dataclass(frozen=True)
class FileNames:
    """Redacts names with the configured kinds.

    Two names that differ in their finds only stay two: a keyed hash of the name is appended, which tells nobody
    without the secret what stood there.
    """

    kinds: Sequence[str]
    secret: bytes

    def __call__(self, name: str) -> str:
        redacted, found = replaced(name, in_order(self.kinds))
        return f"{redacted}#{hmac.new(self.secret, name.encode(), sha256).hexdigest()[:_MARK]}" if found else name
