"""A glob means the same in a bucket as on a disk, and what is wrong with a store is one line without a secret."""

import glob
from pathlib import Path

import pytest
from pydantic import ValidationError

from flows.errors import RunError, TransientError
from flows.lake import object_store
from flows.lake.source_files import find_files
from flows.lake.store_addresses import Storage

NAMES = (
    *("a.jsonl", "b.jsonl.gz", "2026-03-02/a.jsonl", "2026-03-02/.hidden.jsonl", "2026-03-02/x/c.jsonl"),
    *("2026-03-02/x/y/d.jsonl", ".git/e.jsonl", "2026-03-02-x/f.jsonl", "[1]/g.jsonl", "2026-03-02/.x/h.jsonl"),
)
PATTERNS = (
    *("*.jsonl", "*.jsonl*", "*/*.jsonl", "**/*.jsonl", "**", "2026-03-02/**", "2026-03-02/**/*.jsonl", ".git/*"),
    *("*/.hidden*", "[[]1]/*", "2026-0?-0[1-3]/a.jsonl", "2026-03-02/a.jsonl", "**/x/**/*.jsonl", "**/.x/*"),
    *("nowhere/*", "**/**/d.jsonl", "2026-03-02/x/**/**", "a*", "**/y/*"),
)  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_glob_finds_the_same_objects_as_files(tmp_path: Path, pattern: str) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = {name for name in glob.glob(pattern, root_dir=tmp_path, recursive=True) if (tmp_path / name).is_file()}
    assert {name for name in NAMES if object_store._matches(name.split("/"), pattern.split("/"))} == expected
    here = find_files(f"{glob.escape(str(tmp_path))}/{pattern}", Storage())
    assert [one.name for one in here] == sorted((f"{tmp_path}/{name}" for name in expected), key=lambda n: n.split("/"))


def test_a_store_that_does_not_answer_is_one_line_within_seconds() -> None:
    storage = Storage(key="k", secret="hush", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(RunError) as caught:
        find_files("s3://bucket/*.jsonl", storage)
    said = str(caught.value)
    assert said.startswith("s3://bucket/: 127.0.0.1:1 does not respond (EndpointConnectionError); check `storage.endp")
    assert "hush" not in said
    assert caught.value.__cause__ is None


def test_options_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValidationError, match="go together"):
        Storage(key="k")


class EndpointConnectionError(Exception):
    """As botocore names it: the store is out of reach."""


class RefusedError(Exception):
    """A store that answers, with its own word for what is wrong."""

    def __init__(self, code: str) -> None:
        self.response = {"Error": {"Code": code}}


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (EndpointConnectionError("no route"), True),
        (RefusedError("SlowDown"), True),
        (RefusedError("AccessDenied"), False),
        (RefusedError("NoSuchBucket"), False),
        (FileNotFoundError("no such object"), False),
    ],
)
def test_only_a_store_that_is_out_of_reach_or_overloaded_is_asked_again(error: Exception, passes: bool) -> None:
    with pytest.raises(RunError) as raised, object_store.readable_errors("s3://genchi/lake", Storage()):
        raise error
    assert isinstance(raised.value, TransientError) == passes
