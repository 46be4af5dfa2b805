"""Who was forgotten: keyed hashes of calls and users, of what records of one call share, and of requests to judges.

Rows of the lake's table `tombstones`, which are only added. They hold no id: without the secret of the user keys nobody
can tell of whom they are. What is read again, from logs or from a backup, is compared with them.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

import numpy as np
import pyarrow as pa

from flows.lake.lake import Lake, from_rows

CALL, USER, SHARED, REQUEST = "call", "user", "shared", "request"
TABLE = "tombstones"
_SIZE = 16
# A text of a record's JSON, or a word of what is no JSON.
_STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s,;"=&|]+)')
_LONGEST_ID = 512


@dataclass(frozen=True)
class Tombstones:
    """The hashes by kind. Nothing is hashed where there are none."""

    secret: bytes = field(repr=False)
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.hashes.values())

    def hash_of(self, kind: str, value: str) -> str:
        """The keyed hash of an id: BLAKE2b (RFC 7693) with the secret as its key, 16 bytes as 32 hex digits."""
        given = f"{kind}\0{value}".encode(errors="replace")
        return hashlib.blake2b(given, key=self._key, digest_size=_SIZE).hexdigest()

    @cached_property
    def _key(self) -> bytes:
        return hashlib.blake2b(self.secret, digest_size=32).digest()

    def knows(self, kind: str, value: str | None) -> bool:
        """Whether an id was forgotten."""
        known = self.hashes.get(kind, frozenset())
        return bool(known) and value is not None and self.hash_of(kind, value) in known

    def which(self, kind: str, values: pa.ChunkedArray | pa.Array) -> np.ndarray:
        """For each value of a column, whether it was forgotten. Each different value is hashed once."""
        if not self.hashes.get(kind) or not len(values):
            return np.zeros(len(values), bool)
        column = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        coded = column.dictionary_encode()
        known = np.array([self.knows(kind, one) for one in coded.dictionary.to_pylist()], bool)
        places = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        found: np.ndarray = np.append(known, False)[places]
        return found

    def calls_in(self, rows: pa.Table) -> np.ndarray:
        """Which calls are to be left out: of a forgotten user, forgotten themselves, or other records of such a call.

        `rows` have any of the columns call_id, user_key and one_call.
        """
        found = np.zeros(len(rows), bool)
        for kind, column in ((CALL, "call_id"), (USER, "user_key"), (SHARED, "one_call")):
            if column in rows.column_names:
                found |= self.which(kind, rows.column(column))
        return found

    def in_text(self, raw: str | None) -> bool:
        """Whether a record that could not be read names a forgotten call or user in one of its texts or words."""
        if not self or not raw:
            return False
        return any(
            self.knows(CALL, one) or self.knows(USER, one) or self.knows(USER, user_key(self.secret, one))
            for one in strings_of(raw)
        )

    def rows(self, kind: str, values: Iterable[str], at: datetime) -> list[dict[str, object]]:
        """Rows of the table for ids that it does not have yet."""
        new = {self.hash_of(kind, one) for one in values} - self.hashes.get(kind, frozenset())
        return [{"kind": kind, "hash": one, "at": at} for one in sorted(new)]


def strings_of(raw: str) -> set[str]:
    """The texts in a record as it stands in a log: the strings of its JSON, or its words."""
    found = ((match[1] if match[1] is not None else match[2]) for match in _STRINGS.finditer(raw))
    return {one for one in found if one and len(one) <= _LONGEST_ID}


def user_key(secret: bytes, user: str) -> str:
    """The key of a user id, as ingest writes it: HMAC-SHA256 (RFC 2104), its first 16 hex digits."""
    return hmac.new(secret, user.encode(errors="replace"), hashlib.sha256).hexdigest()[:16]


def read_tombstones(lake: Lake, secret: bytes) -> Tombstones:
    """All tombstones of a lake. `secret` is that of the user keys: without it they match nothing."""
    found: dict[str, set[str]] = {}
    for day in lake.days(TABLE):
        for row in lake.read(TABLE, day, columns=["kind", "hash"]).to_pylist():
            found.setdefault(row["kind"], set()).add(row["hash"])
    return Tombstones(secret, {kind: frozenset(hashes) for kind, hashes in found.items()})


def add_tombstones(
    lake: Lake, known: Tombstones, day: date, at: datetime, ids: Mapping[str, Collection[str]]
) -> Tombstones:
    """Add what `known` lacks of the ids of each kind, in one file. The lake must be locked. Returns all there are."""
    rows = [row for kind, values in ids.items() for row in known.rows(kind, values, at)]
    if rows:
        digest = hashlib.sha256("".join(str(row["hash"]) for row in rows).encode()).hexdigest()[:24]
        lake.write(TABLE, day, from_rows(rows, TABLE), f"forgotten-{digest}")
    return read_tombstones(lake, known.secret)
