"""Small objects are fetched ahead, in order, and their content is not kept."""

import io
import threading

import pytest

from flows.errors import RunError
from flows.ingest.find.fetching import fetched
from flows.ingest.read import reader


def test_small_remote_files_are_fetched_together_and_given_in_order() -> None:
    together = threading.Barrier(4, timeout=20)
    opened: list[str] = []

    def opening(name: str) -> io.BytesIO:
        opened.append(name)
        together.wait()  # passes only where four are asked for at once
        return io.BytesIO(f'{{"n":"{name}"}}\n'.encode())

    files = [
        reader.LogFile("s", f"{n}.jsonl", lambda n=n: opening(str(n)), expected_bytes=9, is_remote=True)  # type: ignore[misc]  # mypy cannot type a lambda's default
        for n in range(8)
    ]
    (batch,) = reader.read_files(fetched(files))
    assert batch.records.column("raw").to_pylist() == [f'{{"n":"{n}"}}\n' for n in range(8)]
    assert sorted(opened) == [str(n) for n in range(8)]


def test_a_store_that_cannot_be_asked_is_said() -> None:
    def failing() -> io.BytesIO:
        raise RunError("s3://b/k: the store cannot be asked")

    with pytest.raises(RunError, match="cannot be asked"):
        list(reader.read_files(fetched([reader.LogFile("s", "a", failing, is_remote=True)])))
