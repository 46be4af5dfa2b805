"""The only code that talks to an object store: find, read, put, and errors in one line.

Belongs here: `s3://` names, whole or as patterns. Does not belong here: the paths of a lake (`lake.py` knows), and
files of this machine (`source_files.py` finds both).
"""

import fnmatch
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flows.errors import RunError, TransientError, UnreadableError
from flows.retry_policy import brief_retries

SCHEME = "s3://"
_BLOCK = 8 << 20  # bytes per request when a file is read from start to end
_REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "InvalidSecurity"}
_FORBIDDEN = {"AccessDenied", "403"}
_CHANGED = {"PreconditionFailed", "412"}
_GONE = {"NoSuchKey", "404"}
_OVERLOADED = {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "500", "502", "503", "504"}
_SILENT = ("Connection", "Timeout", "Endpoint", "Proxy", "ClientPayload", "ServerDisconnected")


class Storage(BaseModel):
    """Connection to the object store. Missing values are taken from AWS's usual sources (environment, files)."""

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
    """Whether a name is the address of an object."""
    return isinstance(name, str) and name.startswith(SCHEME)


def known_place(place: Any) -> Any:
    """A local path or an `s3://` address, unchanged. Raises ValueError for anything else."""
    if not isinstance(place, Path | str):
        raise ValueError("should be a path, or an address such as s3://bucket/prefix")
    if not isinstance(place, str) or "://" not in place:
        return place
    if not is_remote(place):
        raise ValueError(f"{place.partition('://')[0]}:// is not a supported store; use s3://bucket/prefix, or a path")
    if not re.fullmatch(r"[A-Za-z0-9._-]{3,255}", split(place)[0]):
        raise ValueError(f"{split(place)[0]!r} is not a valid bucket name; use s3://bucket/prefix")
    return place


def find_objects(pattern: str, storage: Storage) -> list[Found]:
    """The objects that a glob matches, by name; see `source_files.search`.

    Raises UnreadableError if they may not be listed, RunError if the store cannot be reached.
    """
    return sorted(_objects_like(pattern, storage), key=lambda one: one.name.split("/"))


def open_object(name: str, storage: Storage) -> IO[bytes]:
    """An object to read from its start, block by block.

    Raises UnreadableError if it vanished, changes or may not be read, RunError if the store cannot be reached.
    """
    return io.BufferedReader(_Reading(name, storage), _BLOCK)


def filesystem(storage: Storage) -> Any:
    """The fsspec file system of a store: one per process, without a cache of listings."""
    return _filesystem(storage, os.getpid())


@cache
def _filesystem(storage: Storage, _: int) -> Any:
    import s3fs  # noqa: PLC0415 - imported late: costs a second, and a local lake does not need it

    return s3fs.S3FileSystem(
        anon=storage.anon,
        key=storage.key,
        secret=storage.secret,
        token=storage.token,
        endpoint_url=storage.endpoint_url,
        client_kwargs={"region_name": storage.region} if storage.region else {},
        # An unreachable store is reported within seconds; s3fs retries by itself if that may help.
        config_kwargs={"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 2, "mode": "standard"}},
        default_block_size=_BLOCK,
        use_listings_cache=False,
        skip_instance_cache=True,
    )


class _Reading(io.RawIOBase):
    """An object as a raw stream. Each read is one request; it is an error if the object changed meanwhile."""

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
    """An object's content, and the store's metadata. `asked` are a Range and conditions."""
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


def _objects_like(pattern: str, storage: Storage) -> Iterator[Found]:
    bucket, key = split(pattern)
    parts = key.split("/")
    for one in listed(bucket, re.split(r"[*?\[]", key, maxsplit=1)[0], storage):
        if _matches(one.name.removeprefix(f"{SCHEME}{bucket}/").split("/"), parts):
            yield one


def listed(bucket: str, prefix: str, storage: Storage) -> Iterator[Found]:
    """Every object whose key begins with the prefix, without the markers of empty folders."""
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
    """Errors of the store as a RunError of one line; neither it nor its cause contains a secret."""
    try:
        yield
    except Exception as error:
        if absent_is_fine and code_of(error) in _GONE:
            return
        described = describe_error(error, where, storage)
        if _is_of_one_object(error):
            raise UnreadableError(where, described.removeprefix(f"{where}: ")) from None
        raise (TransientError if _is_transient(error) else RunError)(described) from None


def _is_of_one_object(error: Exception) -> bool:
    """Whether an error says nothing of other objects: it is not there, may not be read, or changes."""
    code = code_of(error)
    return code in _FORBIDDEN | _CHANGED | _GONE or (
        not code and (isinstance(error, FileNotFoundError) or type(error).__name__ == "FileExpired")
    )


def _is_transient(error: Exception) -> bool:
    """Whether the same request may succeed in a minute: the store is unreachable or overloaded."""
    code = code_of(error)
    return code in _OVERLOADED or (not code and any(word in type(error).__name__ for word in _SILENT))


def code_of(error: BaseException | None) -> str:
    """The store's error code, or an empty text."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        error = error.__cause__
    return ""


def describe_error(error: Exception, where: str, storage: Storage) -> str:
    """The error and how to fix it, in one line. Of the store's message only the error code is shown."""
    code, kind = code_of(error), type(error).__name__
    endpoint = urlsplit(storage.endpoint_url).netloc if storage.endpoint_url else "the object store"
    where_to_set = "in `storage`, or in the AWS environment variables"
    if code == "NoSuchBucket":
        message = "no such bucket; create it, or correct its name"
    elif code in _REFUSED:
        message = f"invalid credentials ({code}); correct key and secret {where_to_set}"
    elif code in _FORBIDDEN:
        message = f"access denied ({code}); use other credentials {where_to_set}, or allow these to read and write"
    elif "Credential" in kind or "Token" in kind:
        message = f"no credentials ({kind}); set key and secret {where_to_set}"
    elif not code and any(word in kind for word in _SILENT):
        message = f"{endpoint} does not respond ({kind}); check `storage.endpoint_url` and the network"
    elif kind == "FileExpired" or code in _CHANGED:
        message = "it changed while it was read; run the same command again"
    elif code in _GONE or isinstance(error, FileNotFoundError):
        message = "no such object"
    else:
        message = f"the object store failed: {code or kind}"
    return f"{where}: {message}"
