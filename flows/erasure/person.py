"""What is to be erased: the ids of a person's calls, and pieces of their texts that nobody else's calls have.

It is kept in a private note of the lake from before the first row goes until a scan has found nothing: a run that was
killed is finished by the next one.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from flows.erasure.needles import SHORTEST, Needles
from flows.lake import CALL, REQUEST, SHARED, USER, Lake, Note, Tombstones

LEAST_PIECE, LONGEST_PIECE, MOST_PIECES = 20, 120, 3
"""Characters of a piece of a text, at least and at most, and how many pieces of a text are searched for."""
_NOT_TEXT = frozenset("\"'\\<>&`\n\r\t\b\f")


@dataclass
class Person:
    """Who and what is forgotten: the ids of each kind, and pieces of texts.

    `users` are raw ids and keys; `examples` pairs of a route and an id in a test set; `asked` pieces of what users
    wrote, `answered` of answers and errors; `requests` the hashes of requests to judges about their calls.
    """

    calls: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    proposals: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    examples: set[tuple[str, str]] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    requests: set[str] = field(default_factory=set)
    too_short: int = 0
    of_others: int = 0

    @cached_property
    def needles(self) -> Needles:
        """The ids and pieces, as they may stand in a file."""
        ids = {one.encode() for one in self.calls | self.users | self.shared | self.proposals}
        return Needles(spellings(self.asked | self.answered), ids)

    @property
    def short_ids(self) -> int:
        """How many ids are too short to be searched for in the bytes of files."""
        return sum(len(one.encode()) < SHORTEST for one in self.calls | self.users)

    def tombstones(self) -> dict[str, set[str]]:
        """What to keep hashes of."""
        return {
            CALL: self.calls | self.proposals,
            USER: self.users,
            SHARED: self.shared,
            REQUEST: self.requests,
        }

    def add(self, other: "Person") -> None:
        """Take what another one has."""
        for name, value in vars(other).items():
            if isinstance(value, set):
                getattr(self, name).update(value)
        self.too_short += other.too_short
        self.of_others += other.of_others
        self.__dict__.pop("needles", None)

    def as_json(self) -> str:
        """The person as a note."""
        given = {name: sorted(value) if isinstance(value, set) else value for name, value in asdict(self).items()}
        return json.dumps(given, ensure_ascii=True)

    @classmethod
    def of_json(cls, text: str) -> "Person":
        """The person of a note. Raises ValueError or TypeError where it is none."""
        found: dict[str, Any] = json.loads(text)
        person = cls()
        for name, value in found.items():
            is_set, is_pair = isinstance(value, list), name == "examples"
            setattr(person, name, {tuple(one) if is_pair else one for one in value} if is_set else value)
        return person


def note_of(lake: Lake) -> Note:
    """The note of a run that is under way."""
    return Note(lake.backend, "_reference/forgetting.json", is_private=True)


def pieces_of(text: str | None) -> list[str]:
    """The longest pieces of a text that are written alike in a table, in JSON and in HTML."""
    if not text:
        return []
    runs, begin = [], 0
    for place in range(len(text) + 1):
        if place == len(text) or text[place] in _NOT_TEXT or not text[place].isprintable():
            if place - begin >= LEAST_PIECE:
                runs.append(text[begin : min(place, begin + LONGEST_PIECE)])
            begin = place + 1
    return sorted(runs, key=len, reverse=True)[:MOST_PIECES]


def spellings(pieces: Iterable[str]) -> set[bytes]:
    """The bytes of pieces, as UTF-8 and with JSON's escapes of what is not ASCII."""
    found = set()
    for piece in pieces:
        found.add(piece.encode(errors="replace"))
        if not piece.isascii():
            found.add(json.dumps(piece)[1:-1].encode())
    return found


def is_of(person: Person, stones: Tombstones, value: str | None, route: str | None = None) -> bool:
    """Whether the id of an example or a proposal is the person's."""
    if value is None:
        return False
    return value in person.proposals or (route or "", value) in person.examples or stones.knows(CALL, value)
