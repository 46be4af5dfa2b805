"""Small texts of the lake that are not tables."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from flows.errors import LockedError
from flows.lake import lock, locking
from flows.lake.backends import Backend

_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Note:
    """A small text of the lake that is not a table."""

    backend: Backend
    name: str
    is_private: bool = False

    def read(self) -> str | None:
        """The text, or None if it does not exist."""
        if self.is_private:
            self.backend.keep_private(self.name)
        return self.backend.read_text(self.name)

    def write(self, text: str) -> None:
        """Replace the text."""
        lock.check(self.backend)
        self.backend.write_text(self.name, text, is_private=self.is_private)

    @contextmanager
    def updating(self) -> Iterator[None]:
        """Lock the lake while the text is read and then written.

        Who holds the lock for longer than ten seconds is not waited for: at worst, one of two texts that are written at
        once is lost.
        """
        with ExitStack() as held:
            with suppress(LockedError):
                held.enter_context(locking.replacing_files(self.backend, "alert", _PATIENCE_S))
            yield
