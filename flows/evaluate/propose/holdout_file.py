"""The JSONL file of a holdout: read line by line, and replaced as a whole.

Lines that stay are kept byte for byte. Several routes may share one file; then each line names its route.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.config import Config
from flows.errors import ConfigError
from flows.lake import replace_text

Row = dict[str, Any]


@dataclass(frozen=True)
class HoldoutFile:
    """The lines of a file, in order, with the example of each; blank lines are left out."""

    path: Path
    route: str
    is_shared: bool
    lines: tuple[tuple[str, Row], ...]

    @property
    def rows(self) -> list[Row]:
        """The examples of the route."""
        return [row for _, row in self.lines if self._is_mine(row)]

    def changed(self, added: Iterable[Row], removed: Collection[str]) -> "HoldoutFile":
        """The file with new examples at its end, and without those of the route that have a removed id."""
        kept = [
            (line, row) for line, row in self.lines if not (self._is_mine(row) and str(row["example_id"]) in removed)
        ]
        new = [(json.dumps(row, ensure_ascii=False), row) for row in added]
        return HoldoutFile(self.path, self.route, self.is_shared, (*kept, *new))

    def write(self) -> None:
        """Replace the file, atomically; a link to it stays one, and its permissions are kept.

        Raises RunError where the disk refuses.
        """
        place = self.path.resolve()
        mode = place.stat().st_mode & 0o777
        replace_text(place, "".join(f"{line}\n" for line, _ in self.lines), mode)
        place.chmod(mode)  # what the umask took away

    def _is_mine(self, row: Row) -> bool:
        return not self.is_shared or row.get("route") == self.route


def read_file(config: Config, route: str) -> HoldoutFile:
    """The holdout of a route. Raises ConfigError where it has none, and for a line that is no example."""
    path = config.routes[route].holdout if route in config.routes else None
    if path is None:
        raise ConfigError(f"{config.path}: route {route!r} has no holdout; set `routes.{route}.holdout`")
    is_shared = sum(one.holdout == path for one in config.routes.values()) > 1
    return HoldoutFile(path, route, is_shared, tuple(_lines(path)))


def read_dev_set(config: Config, route: str) -> list[Row]:
    """The examples of the dev set that are the route's or no route's."""
    rows = [] if config.dev_set is None else [row for _, row in _lines(config.dev_set)]
    return [row for row in rows if row.get("route") in (None, "", route)]


def _lines(path: Path) -> Iterable[tuple[str, Row]]:
    for number, raw in enumerate(path.read_bytes().splitlines(), 1):
        if not raw.strip():
            continue
        try:
            line = raw.decode()
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: not valid JSON: {error}") from None
        if not isinstance(row, dict) or row.get("example_id") in (None, ""):
            raise ConfigError(f"{path}, line {number}: expected an object with `example_id`")
        yield line, row


def messages_of_row(row: Row) -> list[Row]:
    """The messages of an example's line."""
    found = row.get("messages")
    if isinstance(found, list):
        return [one for one in found if isinstance(one, dict)]
    return [{"role": "user", "content": row.get("input") or ""}]


def content_of(row: Row) -> list[str]:
    """Hashes of what is asked and of what is expected: an example is the same one where both are."""
    parts = (messages_of_row(row), row.get("expected"))
    texts = (json.dumps(part, sort_keys=True, ensure_ascii=False) for part in parts)
    return [hashlib.sha256(text.encode(errors="replace")).hexdigest()[:12] for text in texts]
