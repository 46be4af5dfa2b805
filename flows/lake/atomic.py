"""Atomic writes: a reader sees the old file or the new one, never a part."""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from flows.errors import RunError

# A full disk or quota, a broken or read-only disk, and missing permissions.
_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM)
_LEFT_OVER = re.compile(r"\.(?:.*\.([0-9]+)\.tmp)|genchi-([0-9]+)-.*", re.DOTALL)
PRIVATE, SHARED = 0o600, 0o666


@contextmanager
def replacing(place: Path, mode: int = SHARED, before: Callable[[], object] = lambda: None) -> Iterator[IO[bytes]]:
    """A temporary file next to `place`; flushed to disk and renamed to `place` if the block succeeds.

    `mode` are its permissions, less what the umask takes away. `before` is called when all is written, before the old
    file is replaced. Raises RunError if the disk refuses to write; the old file is then as it was.
    """
    beside = place.with_name(f".{place.name}.{secrets.token_hex(4)}.{os.getpid()}.tmp")
    with naming_write(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            before()
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def naming_write(place: Path | str) -> Iterator[None]:
    """An error of the disk in the block, which says of no file what it was, as a RunError that names `place`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS or not _is_of(error, Path(place)):
            raise
        raise RunError(
            f"{place}: {os.strerror(error.errno)} while writing; nothing of it was published: free space or repair the"
            " disk, and run the same command again"
        ) from error


def _is_of(error: OSError, place: Path) -> bool:
    """Whether an error names no file, or the place, or its temporary file, or a folder of it."""
    if not error.filename:
        return True
    named = Path(os.fsdecode(error.filename))
    return named == place or named in place.parents or (named.parent == place.parent and place.name in named.name)


def replace_text(place: Path, text: str, mode: int = SHARED) -> None:
    """Write `text` to `place` in UTF-8, atomically."""
    with replacing(place, mode) as file:
        file.write(text.encode())


def replace_bytes(place: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write `content` to `place`, atomically."""
    with replacing(place, mode) as file:
        file.write(content)


def scratch_prefix() -> str:
    """The beginning of the name of a temporary file or folder of this process, which `clear_left_over` knows."""
    return f"genchi-{os.getpid()}-"


def clear_left_over(folder: Path) -> None:
    """Delete the temporary files and folders that processes which run no more have left in a folder."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            match = _LEFT_OVER.fullmatch(path.name)
            if match and not _is_running(int(match[1] or match[2])):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True  # of another user
    except (ProcessLookupError, OverflowError):
        return False
    return True
