"""Where pulled pages lie until a run that read them is published: below the lake, for their owner only.

They hold texts before redaction, so they are deleted as soon as they are in the lake. What a pull that broke off has
read stays for a day and a half, for the next run goes on at its checkpoint.
"""

import contextlib
import hashlib
import json
import shutil
import time
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from flows.config import Config, Source
from flows.lake import replace_bytes

_CHECKPOINT = "checkpoint.json"
_KEPT_S = 36 * 3600


@dataclass
class Checkpoint:
    """How far a pull has come. `asked` says what was asked for, `begun` is the time of its first request.

    `cursors` are those that a list had so far: one that comes again would never end.
    """

    asked: str
    begun: float
    listing: int = 0
    is_instead: bool = False
    pages: int = 0
    cursor: str | None = None
    cursors: list[str] = field(default_factory=list)
    is_complete: bool = False


class Spool:
    """The pages of one source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self, day: date, asked: str) -> Checkpoint:
        """That of an earlier pull which asked for the same, not long ago; else a new one, with all pages removed."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            found = Checkpoint(**json.loads((self.folder / str(day) / _CHECKPOINT).read_text(encoding="utf-8")))
            if found.asked == asked and _is_kept(found):
                return found
        self.clear(day)
        return Checkpoint(asked, time.time())

    def keep(self, day: date, checkpoint: Checkpoint) -> None:
        """Write the checkpoint; what it counts is written before."""
        self._write(day, _CHECKPOINT, json.dumps(asdict(checkpoint)).encode())

    def add(self, day: date, name: str, content: bytes) -> None:
        """Write a page."""
        self._write(day, name, content)

    def clear(self, day: date) -> None:
        """Remove what is there of a day."""
        shutil.rmtree(self.folder / str(day), ignore_errors=True)

    def _write(self, day: date, name: str, content: bytes) -> None:
        place = self.folder / str(day) / name
        for folder in (self.folder.parent, self.folder, place.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_bytes(place, content)


def spool_of(config: Config, source: Source) -> Spool:
    """The spool of a source. Its folder has the hash of its name, which may be no name of a folder."""
    return Spool(_root(config) / hashlib.sha256(source.name.encode()).hexdigest()[:16])


def clear_read(config: Config) -> None:
    """Remove what was pulled as a whole, for it was read, and what broke off too long ago. The caller is a run."""
    for folder in sorted(_root(config).glob("*/*/")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            found = Checkpoint(**json.loads((folder / _CHECKPOINT).read_text(encoding="utf-8")))
            if not found.is_complete and _is_kept(found):
                continue
        shutil.rmtree(folder, ignore_errors=True)


def _root(config: Config) -> Path:
    return config.state / "_spool"


def _is_kept(checkpoint: Checkpoint) -> bool:
    return 0 <= time.time() - checkpoint.begun < _KEPT_S
