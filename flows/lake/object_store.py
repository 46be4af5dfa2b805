"""The only code that talks to an object store: find, read, put, and what is wrong with it in one line.

Belongs here: `s3://` names, whole or as patterns, and files of this machine where a source's path may be either.
Does not belong here: what lies where in a lake (`lake.py` knows).
"""

import fnmatch
import glob
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flows.errors import RunError, TransientError
from flows.retry_policy import brief_retries

SCHEME = "s3://"
_BLOCK = 8 << 20  # bytes asked for at once where a file is read from its start to its end
_REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "InvalidSecurity"}
_FORBIDDEN = {"AccessDenied", "403"}
_CHANGED = {"PreconditionFailed", "412"}
_OVERLOADED = {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "500", "502", "503", "504"}
_SILENT = ("Connection", "Timeout", "Endpoint", "Proxy", "ClientPayload", "ServerDisconnected")


class Storage(BaseModel):
    """How the object store is reached. What is not given is taken from the usual places of AWS (environment, files)."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    key: str | None = Field(default=None, repr=False)
    """Access key id. Needs `secret`."""
    secret: str | None = Field(default=None, repr=False)
    """Secret access key. Needs `key`."""
    token: str | None = Field(default=None, repr=False)
    """Session token."""
    endpoint_url: str | None = Field(default=None, pattern=r"^https?://[^@]+$")
    """URL of the store. Default: AWS."""
    region: str | None = None
    """Region."""
    anon: bool = False
    """Send unsigned requests, for public buckets."""

    @model_validator(mode="after")
    def _has_whole_credentials(self) -> "Storage":
        if (self.key is None) != (self.secret is None):
            raise ValueError("`key` and `secret` go together; give both, or neither for the environment's")
        return self


@dataclass(frozen=True)
class Found:
    """One file or object that a pattern matches. `modified` is in UTC; of an object it is the store's own time.

    `tag` changes whenever an object does; files have none.
    """

    name: str
    size: int
    modified: datetime
    tag: str = ""


def is_remote(name: str | Path) -> bool:
    """Whether a name is an object's."""
    return isinstance(name, str) and name.startswith(SCHEME)


def known_place(place: Any) -> Any:
    """A path of this machine, or an address in a store that is known, as it is. Raises ValueError for anything else."""
    if not isinstance(place, Path | str):
        raise ValueError("should be a path, or an address such as s3://bucket/prefix")
    if not isinstance(place, str) or "://" not in place:
        return place
    if not is_remote(place):
        raise ValueError(f"{place.partition('://')[0]}:// is no store that is known; use s3://bucket/prefix, or a path")
    if not re.fullmatch(r"[A-Za-z0-9._-]{3,255}", split(place)[0]):
        raise ValueError(f"{split(place)[0]!r} is no name of a bucket; use s3://bucket/prefix")
    return place


def find_files(pattern: str, storage: Storage) -> list[Found]:
    """The files or objects that a glob matches, by name. `**` is any folders; hidden names take a pattern with a dot.

    Raises RunError where the store cannot be asked.
    """
    found = _objects_like(pattern, storage) if is_remote(pattern) else _files_like(pattern)
    return sorted(found, key=lambda one: one.name.split("/"))


def open_binary(name: str, storage: Storage) -> IO[bytes]:
    """A file or object to read from its start, block by block. Raises RunError where the store cannot be asked."""
    if not is_remote(name):
        return Path(name).open("rb")
    return io.BufferedReader(_Reading(name, storage), _BLOCK)


def filesystem(storage: Storage) -> Any:
    """The fsspec file system of a store: one a process, which remembers no listing."""
    return _filesystem(storage, os.getpid())


@cache
def _filesystem(storage: Storage, _: int) -> Any:
    import s3fs  # noqa: PLC0415 - imported late: costs a second, and a lake of files needs none of it

    return s3fs.S3FileSystem(
        anon=storage.anon,
        key=storage.key,
        secret=storage.secret,
        token=storage.token,
        endpoint_url=storage.endpoint_url,
        client_kwargs={"region_name": storage.region} if storage.region else {},
        # A store that is not there is said so in seconds; s3fs asks again by itself where that may help.
        config_kwargs={"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 2, "mode": "standard"}},
        default_block_size=_BLOCK,
        use_listings_cache=False,
        skip_instance_cache=True,
    )


class _Reading(io.RawIOBase):
    """An object as a raw stream. Each read is one request; that the object changed meanwhile is an error."""

    def __init__(self, name: str, storage: Storage) -> None:
        self._name, self._storage = name, storage
        with readable_errors(name, storage):
            self._file = filesystem(storage).open(name, "rb", cache_type="none")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place: int = self._file.seek(offset, whence)
        return place

    def readinto(self, buffer: Any) -> int:
        with readable_errors(self._name, self._storage):
            content: bytes = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def get(name: str, storage: Storage, **asked: str) -> tuple[bytes, dict[str, Any]]:
    """An object's content, and all that the store says of it. `asked` are a Range and conditions."""
    import fsspec.asyn  # noqa: PLC0415 - imported late, with s3fs
    import s3fs.core  # noqa: PLC0415 - imported late: costs a second

    bucket, key = split(name)
    files = filesystem(storage)

    async def ask() -> tuple[bytes, dict[str, Any]]:
        answer = await files._call_s3("get_object", Bucket=bucket, Key=key, **asked)
        async with answer["Body"] as body:
            return await body.read(), answer

    def broke_off(error: BaseException) -> bool:
        return isinstance(error, s3fs.core.S3_RETRYABLE_ERRORS)  # in the middle of the content

    found: tuple[bytes, dict[str, Any]] = brief_retries(broke_off)(fsspec.asyn.sync, files.loop, ask)
    return found


def split(url: str) -> tuple[str, str]:
    """The bucket and the key of an address."""
    bucket, _, key = url.removeprefix(SCHEME).partition("/")
    return bucket, key.strip("/")


def _files_like(pattern: str) -> Iterator[Found]:
    for name in set(glob.glob(pattern, recursive=True)):  # two `**` give a name twice
        if Path(name).is_file():
            stat = Path(name).stat()
            # A file that was moved here has the time of its content; only the other tells that it is a new one.
            yield Found(name, stat.st_size, datetime.fromtimestamp(max(stat.st_mtime, stat.st_ctime), UTC))


def _objects_like(pattern: str, storage: Storage) -> Iterator[Found]:
    bucket, key = split(pattern)
    parts = key.split("/")
    for one in listed(bucket, re.split(r"[*?\[]", key, maxsplit=1)[0], storage):
        if _matches(one.name.removeprefix(f"{SCHEME}{bucket}/").split("/"), parts):
            yield one


def listed(bucket: str, prefix: str, storage: Storage) -> Iterator[Found]:
    """Every object whose key begins so; the markers of empty folders are none."""
    asked: dict[str, str] = {"Bucket": bucket, "Prefix": prefix}
    while True:
        with readable_errors(f"{SCHEME}{bucket}/{prefix}", storage):
            page = filesystem(storage).call_s3("list_objects_v2", **asked)
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield Found(f"{SCHEME}{bucket}/{entry['Key']}", entry["Size"], entry["LastModified"], entry["ETag"])
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


def _matches(names: list[str], parts: list[str]) -> bool:
    """Whether a name matches a pattern, both split at their slashes, by the rules of glob.glob."""
    if not names or not parts:
        return not names and not parts
    is_hidden = names[0].startswith(".") and not parts[0].startswith(".")
    if parts[0] == "**":
        here = len(names) == 1 if len(parts) == 1 else _matches(names, parts[1:])
        return (here and not (is_hidden and len(parts) == 1)) or (not is_hidden and _matches(names[1:], parts))
    return not is_hidden and fnmatch.fnmatchcase(names[0], parts[0]) and _matches(names[1:], parts[1:])


@contextmanager
def readable_errors(where: str, storage: Storage, *, absent_is_fine: bool = False) -> Iterator[None]:
    """What goes wrong in talking to the store, as one line for people; no secret is in it, nor in a cause."""
    try:
        yield
    except Exception as error:
        if absent_is_fine and code_of(error) in ("NoSuchKey", "404"):
            return
        kind = TransientError if _is_transient(error) else RunError
        raise kind(describe_error(error, where, storage)) from None


def _is_transient(error: Exception) -> bool:
    """Whether the same request may succeed in a minute: the store is out of reach or overloaded."""
    code = code_of(error)
    return code in _OVERLOADED or (not code and any(word in type(error).__name__ for word in _SILENT))


def code_of(error: BaseException | None) -> str:
    """The store's own word for an error, or nothing."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        error = error.__cause__
    return ""


def describe_error(error: Exception, where: str, storage: Storage) -> str:
    """What went wrong and how to mend it, in one line. Of what the store wrote only its word for the error is told."""
    code, kind = code_of(error), type(error).__name__
    endpoint = urlsplit(storage.endpoint_url).netloc if storage.endpoint_url else "the object store"
    mended = "in `storage`, or in the environment as AWS has it"
    if code == "NoSuchBucket":
        told = "there is no such bucket; make it, or mend its name"
    elif code in _REFUSED:
        told = f"the store refuses the credentials ({code}); mend key and secret {mended}"
    elif code in _FORBIDDEN:
        told = f"the store forbids this ({code}); give other credentials {mended}, or let these read and write"
    elif "Credential" in kind or "Token" in kind:
        told = f"there are no credentials ({kind}); give key and secret {mended}"
    elif not code and any(word in kind for word in _SILENT):
        told = f"{endpoint} does not answer ({kind}); look at `storage.endpoint_url` and the network"
    elif kind == "FileExpired" or code in _CHANGED:
        told = "it changed while it was read; run the same command again"
    elif isinstance(error, FileNotFoundError):
        told = "there is no such object"
    else:
        told = f"the object store failed: {code or kind}"
    return f"{where}: {told}"
