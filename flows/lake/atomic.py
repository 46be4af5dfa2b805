"""Atomic writes: a reader sees the old file or the new one, never a part."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

_LEFT_OVER = re.compile(r"\.(?:.*\.([0-9]+)\.tmp)|genchi-([0-9]+)-.*", re.DOTALL)
PRIVATE, SHARED = 0o600, 0o666


@contextmanager
def replacing(place: Path, mode: int = SHARED) -> Iterator[IO[bytes]]:
    """A temporary file next to `place`; flushed to disk and renamed to `place` if the block succeeds.

    `mode` are its permissions, less what the umask takes away.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def replace_text(place: Path, text: str, mode: int = SHARED) -> None:
    """Write `text` to `place` in UTF-8, atomically."""
    with replacing(place, mode) as file:
        file.write(text.encode())


def replace_parquet(place: Path, rows: pa.Table) -> None:
    """Write `rows` to the file, atomically."""
    with replacing(place) as file:
        pq.write_table(rows, file, compression="zstd")


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
