"""Objects of Google Cloud Storage (`gs://`) and Azure Blob Storage (`az://`), through obstore.

Belongs here: one function for each request. Does not belong here: patterns, and what an error means to a person
(`object_store.py` has both). obstore is an extra: `known_place` refuses these addresses where it is not installed.
"""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flows.lake.store_addresses import Found, Storage, scheme_of, split

_CONDITION_FAILED = ("AlreadyExistsError", "PreconditionError", "FileNotFoundError")


def listed(address: str, storage: Storage) -> Iterator[Found]:
    """Every object whose address begins with this one."""
    import obstore  # noqa: PLC0415 - imported late: an extra, and most lakes do not need it

    scheme, (bucket, _) = scheme_of(address), split(address)
    key = address.partition("://")[2].partition("/")[2]
    store = _store(scheme, bucket, storage, os.getpid())
    for batch in obstore.list(store, prefix=key.rpartition("/")[0] or None):  # the library's prefixes are folders
        for one in batch:
            if one["path"].startswith(key):
                yield Found(f"{scheme}://{bucket}/{one['path']}", one["size"], one["last_modified"], _tag_of(one))


def get(name: str, storage: Storage, span: tuple[int, int] | None = None, tag: str = "") -> tuple[bytes, Found]:
    """An object, or its bytes from the first up to the second of `span`; only if its tag is still `tag`."""
    import obstore  # noqa: PLC0415 - imported late: an extra, and most lakes do not need it

    asked: Any = {"range": span} if span else {}
    if tag:
        asked["if_match"] = json.loads(tag)["e_tag"]
    found = obstore.get(_store_of(name, storage), split(name)[1], options=asked)
    meta = found.meta
    return bytes(found.bytes()), Found(name, meta["size"], meta["last_modified"], _tag_of(meta))


def exists(name: str, storage: Storage) -> bool:
    """Whether there is such an object."""
    import obstore  # noqa: PLC0415 - imported late: an extra, and most lakes do not need it

    try:
        obstore.head(_store_of(name, storage), split(name)[1])
    except FileNotFoundError:
        return False
    return True


def put(name: str, content: bytes | Path, storage: Storage) -> None:
    """Put an object, from memory or from a file; a reader sees the old one or the new one."""
    import obstore  # noqa: PLC0415 - imported late: an extra, and most lakes do not need it

    obstore.put(_store_of(name, storage), split(name)[1], content)


def put_if(name: str, content: bytes, tag: str | None, storage: Storage) -> str | None:
    """Put an object only if its tag is still `tag` (None: if it does not exist). Returns its new tag, or None."""
    import obstore  # noqa: PLC0415 - imported late: an extra, and most lakes do not need it

    mode: Any = "create" if tag is None else {key: value for key, value in json.loads(tag).items() if value}
    try:
        return _tag_of(obstore.put(_store_of(name, storage), split(name)[1], content, mode=mode))
    except Exception as error:
        if type(error).__name__ in _CONDITION_FAILED:
            return None
        raise


def copy(source: str, target: str, storage: Storage) -> None:
    """Copy an object within its bucket."""
    import obstore  # noqa: PLC0415 - imported late: an extra, and most lakes do not need it

    obstore.copy(_store_of(source, storage), split(source)[1], split(target)[1])


def delete(name: str, storage: Storage) -> None:
    """Delete an object; does nothing if it does not exist."""
    import obstore  # noqa: PLC0415 - imported late: an extra, and most lakes do not need it

    try:
        obstore.delete(_store_of(name, storage), split(name)[1])
    except FileNotFoundError:
        return


def _tag_of(meta: Any) -> str:
    """Google's conditions name a generation, Azure's an entity tag: a tag of ours has both."""
    return json.dumps({"e_tag": meta["e_tag"], "version": meta["version"]})


def _store_of(name: str, storage: Storage) -> Any:
    return _store(scheme_of(name), split(name)[0], storage, os.getpid())


@cache
def _store(scheme: str, bucket: str, storage: Storage, _: int) -> Any:
    from obstore.store import AzureStore, GCSStore  # noqa: PLC0415 - imported late: an extra

    is_plain = bool(storage.endpoint_url and storage.endpoint_url.startswith("http://"))
    common: dict[str, Any] = {
        "client_options": {"allow_http": is_plain, "connect_timeout": "5s", "timeout": "60s"},
        # An unreachable store is reported within seconds.
        "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=30)},
    }
    if scheme == "gs":
        given = {
            "base_url": storage.endpoint_url,
            "bearer_token": storage.token,
            "skip_signature": storage.anon or None,
        }
        return GCSStore(bucket, **_set(given), **common)
    given = {
        "account_name": storage.key,
        "account_key": storage.secret,
        "token": storage.token,
        "endpoint": storage.endpoint_url,
        "skip_signature": storage.anon or None,
    }
    return AzureStore(bucket, **_set(given), **common)


def _set(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None}
