"""Names of objects, and how their store is reached: `s3://`, `gs://` and `az://`, whole or as patterns."""

import re
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEMES = ("s3", "gs", "az")
_EXTRAS = {"gs": "gcs", "az": "azure"}
_EXAMPLES = "s3://bucket/prefix, gs://bucket/prefix, az://container/prefix"


class Storage(BaseModel):
    """Connection to the object store. Missing values are taken from the provider's usual sources: environment, files.

    `gs://` takes `token`, `endpoint_url` and `anon` only; `az://` takes `key` and `secret` as name and key of the
    storage account.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    key: str | None = Field(default=None, repr=False)
    """Access key id; of Azure the name of the storage account. Needs `secret`."""
    secret: str | None = Field(default=None, repr=False)
    """Secret access key; of Azure the key of the storage account. Needs `key`."""
    token: str | None = Field(default=None, repr=False)
    """Session token; of Google a bearer token."""
    endpoint_url: str | None = Field(default=None, pattern=r"^https?://[^@]+$")
    """URL of the store. Default: the provider's."""
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
    return isinstance(name, str) and name.startswith(tuple(f"{scheme}://" for scheme in SCHEMES))


def known_place(place: Any) -> Any:
    """A local path or the address of objects, unchanged. Raises ValueError for anything else."""
    if not isinstance(place, Path | str):
        raise ValueError(f"should be a path, or an address such as {_EXAMPLES}")
    if not isinstance(place, str) or "://" not in place:
        return place
    if not is_remote(place):
        raise ValueError(f"{scheme_of(place)}:// is not a supported store; use {_EXAMPLES}, or a path")
    if scheme_of(place) in _EXTRAS and find_spec("obstore") is None:
        extra = _EXTRAS[scheme_of(place)]
        raise ValueError(f"{scheme_of(place)}:// needs an extra: run `pip install 'genchi[{extra}]'`")
    if not re.fullmatch(r"[A-Za-z0-9._-]{3,255}", split(place)[0]):
        raise ValueError(f"{split(place)[0]!r} is not a valid bucket name; use {_EXAMPLES}")
    return place


def scheme_of(address: str) -> str:
    """The scheme of an address: one of SCHEMES."""
    return address.partition("://")[0]


def split(address: str) -> tuple[str, str]:
    """The bucket and the key of an address."""
    bucket, _, key = address.partition("://")[2].partition("/")
    return bucket, key.strip("/")
