"""The only code that talks to an object store: find, read, put, and errors in one line.

Belongs here: names of objects, whole or as patterns, and the requests to S3; those to Google and Azure are in
`cloud_objects.py`. Does not belong here: the paths of a lake (`lake.py` knows), and files of this machine
(`source_files.py` finds both).
"""

import fnmatch
import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import IO, Any
from urllib.parse import urlsplit

from flows.errors import RunError, TransientError, UnreadableError
from flows.lake import cloud_objects
from flows.lake.store_addresses import Found, Storage, scheme_of, split
from flows.retry_policy import brief_retries

_BLOCK = 8 << 20  # bytes per request when a file is read from start to end
_REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "InvalidSecurity"}
_FORBIDDEN = {"AccessDenied", "403"}
_CHANGED = {"PreconditionFailed", "412"}
_GONE = {"NoSuchKey", "404"}
_OVERLOADED = {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "500", "502", "503", "504"}
_OF_OBSTORE = {
    "AlreadyExistsError": "412",
    "FileNotFoundError": "404",
    "PermissionError": "403",
    "PermissionDeniedError": "403",
    "PreconditionError": "412",
    "UnauthenticatedError": "InvalidToken",
}
_OF_LISTINGS = {"401": "InvalidToken", "404": "NoSuchBucket"}
_WHERE_TO_SET = {
    "s3": "in `storage`, or in the AWS environment variables",
    "gs": "in `storage.token`, or by GOOGLE_APPLICATION_CREDENTIALS",
    "az": "in `storage` (name and key of the account), or in the AZURE_STORAGE environment variables",
}
_SILENT = ("GenericError", "Connection", "Timeout", "Endpoint", "Proxy", "ClientPayload", "ServerDisconnected")


def find_objects(pattern: str, storage: Storage) -> list[Found]:
    """The objects that a glob matches, by name; see `source_files.search`.

    Raises UnreadableError if they may not be listed, RunError if the store cannot be reached.
    """
    return sorted(_objects_like(pattern, storage), key=lambda one: one.name.split("/"))


def open_object(name: str, storage: Storage) -> IO[bytes]:
    """An object to read from its start, block by block.

    Raises UnreadableError if it vanished, changes or may not be read, RunError if the store cannot be reached.
    """
    reading = _Reading(name, storage) if scheme_of(name) == "s3" else _cloud_reading(name, storage)
    return io.BufferedReader(reading, _BLOCK)


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


class Ranged(io.RawIOBase):
    """An object of `size` bytes as a raw stream; `fetch` gives those from one place up to another."""

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self.size, self._fetch, self._at = size, fetch, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self.size if size < 0 else min(self.size, self._at + size)
        content = self._fetch(self._at, end) if end > self._at else b""
        self._at += len(content)
        return content

    def readinto(self, buffer: Any) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def _cloud_reading(name: str, storage: Storage) -> Ranged:
    """An object of Google's or Azure's, as it is now. Raises UnreadableError if it is not there."""
    with readable_errors(name, storage):
        found = next((one for one in cloud_objects.listed(name, storage) if one.name == name), None)
    if found is None:
        raise UnreadableError(name, "no such object")
    return Ranged(found.size, partial(range_of, found, storage))


def range_of(one: Found, storage: Storage, start: int, end: int) -> bytes:
    """The bytes from `start` up to `end` of an object, as it was when it was listed. Raises RunError."""
    with readable_errors(one.name, storage):
        if scheme_of(one.name) != "s3":
            return cloud_objects.get(one.name, storage, (start, end), one.tag)[0]
        return get(one.name, storage, Range=f"bytes={start}-{end - 1}", IfMatch=one.tag)[0]


def content_of_object(name: str, storage: Storage) -> bytes:
    """An object's whole content."""
    return (get if scheme_of(name) == "s3" else cloud_objects.get)(name, storage)[0]


def get(name: str, storage: Storage, **asked: str) -> tuple[bytes, dict[str, Any]]:
    """The content of an object of S3, and the store's metadata. `asked` are a Range and conditions."""
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


def _objects_like(pattern: str, storage: Storage) -> Iterator[Found]:
    bucket, key = split(pattern)
    root, parts = f"{scheme_of(pattern)}://{bucket}/", key.split("/")
    for one in listed(root + re.split(r"[*?\[]", key, maxsplit=1)[0], storage):
        if _matches(one.name.removeprefix(root).split("/"), parts):
            yield one


def listed(address: str, storage: Storage) -> Iterator[Found]:
    """Every object whose address begins with this one, without the markers of empty folders."""
    if scheme_of(address) != "s3":
        with readable_errors(address, storage):
            yield from cloud_objects.listed(address, storage)
        return
    bucket, _, prefix = address.partition("://")[2].partition("/")
    asked: dict[str, str] = {"Bucket": bucket, "Prefix": prefix}
    while True:
        with readable_errors(address, storage):
            page = filesystem(storage).call_s3("list_objects_v2", **asked)
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield Found(f"s3://{bucket}/{entry['Key']}", entry["Size"], entry["LastModified"], entry["ETag"])
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
    found = error
    while found is not None:  # of S3, whose client turns its errors into those of files
        response = getattr(found, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        found = found.__cause__
    if type(error).__name__ == "GenericError":  # of a listing by obstore, where it has no kinds
        status = re.search(r"status code: (\d{3})", str(error))
        return _OF_LISTINGS.get(status[1], status[1]) if status else ""
    return _OF_OBSTORE.get(type(error).__name__, "")


def describe_error(error: Exception, where: str, storage: Storage) -> str:
    """The error and how to fix it, in one line. Of the store's message only the error code is shown."""
    code, kind = code_of(error), type(error).__name__
    endpoint = urlsplit(storage.endpoint_url).netloc if storage.endpoint_url else "the object store"
    where_to_set = _WHERE_TO_SET.get(scheme_of(where), _WHERE_TO_SET["s3"])
    if code == "NoSuchBucket":
        message = "no such bucket; create it, or correct its name"
    elif code in _REFUSED:
        message = f"invalid credentials ({code}); correct key and secret {where_to_set}"
    elif code in _FORBIDDEN:
        message = f"access denied ({code}); use other credentials {where_to_set}, or allow these to read and write"
    elif "Credential" in kind or "Token" in kind:
        message = f"no credentials ({kind}); set key and secret {where_to_set}"
    elif not code and kind == "GenericError":
        message = f"{endpoint} does not respond, or there are no credentials; set these {where_to_set}"
    elif not code and any(word in kind for word in _SILENT):
        message = f"{endpoint} does not respond ({kind}); check `storage.endpoint_url` and the network"
    elif kind == "FileExpired" or code in _CHANGED:
        message = "it changed while it was read; run the same command again"
    elif code in _GONE or isinstance(error, FileNotFoundError):
        message = "no such object"
    else:
        message = f"the object store failed: {code or kind}"
    return f"{where}: {message}"
