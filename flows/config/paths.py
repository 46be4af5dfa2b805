"""Paths and addresses of genchi.yaml: relative ones are relative to its folder.

The folder is the context of a validation. Without one, as where a test builds a section by hand, paths stay as given.
"""

import glob
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, ValidationInfo

from flows.functions import FunctionName, parse_function
from flows.lake import known_place


def _in_workspace(path: Path, info: ValidationInfo) -> Path:
    return info.context / path if info.context else path


def _pattern(text: str, info: ValidationInfo) -> str:
    """A glob. Characters of the folder's own name that a glob treats as special are escaped."""
    if not info.context or not text or "://" in text:
        return str(known_place(text))
    return str(Path(glob.escape(str(info.context))) / text)


def _lake_place(value: Any, info: ValidationInfo) -> Path | str:
    if isinstance(value, str) and "://" in value:
        return str(known_place(value.rstrip("/")))
    place = known_place(value)
    return _in_workspace(Path(place), info) if info.context else place


def _web_address(address: str) -> str:
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"{address!r} is not the address of a folder on the web; begin it with https://")
    return address.rstrip("/")


def _function(value: Any, info: ValidationInfo) -> FunctionName:
    found = value if isinstance(value, FunctionName) else parse_function(str(value))
    return FunctionName(_in_workspace(found.file, info), found.function)


# A file or folder of this machine.
WorkspacePath = Annotated[Path, AfterValidator(_in_workspace)]
# Files of this machine or objects of a store, as a glob; a text, for `{day}` may be in it.
SourcePattern = Annotated[str, AfterValidator(_pattern)]
# A folder of this machine, or the address of a part of a bucket.
LakePlace = Annotated[Path | str, PlainValidator(_lake_place)]
# Where a folder is served; without a slash at its end.
WebAddress = Annotated[str, AfterValidator(_web_address)]
# A function in a Python file of the workspace, written as its path, a colon and its name.
WorkspaceFunction = Annotated[FunctionName, PlainValidator(_function)]
