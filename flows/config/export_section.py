"""The section `export` of genchi.yaml: the marts as tables for other engines."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from flows.config.paths import LakePlace
from flows.config.sections import Section
from flows.errors import ConfigError

if TYPE_CHECKING:
    from flows.config.load import Config

_LIBRARIES = {"delta": "deltalake", "iceberg": "pyiceberg"}


class Export(Section):
    """Where the marts go as tables that other engines read, after each night."""

    format: Literal["delta", "iceberg", "parquet"]
    """`delta`, `iceberg` (each needs its extra, such as `genchi[delta]`), or plain `parquet`."""
    path: LakePlace
    """Directory of the tables, or an address as of `lake`; `storage` has its keys. A mart is a table in it."""
    catalog: dict[str, str] = Field(default_factory=dict, repr=False)
    """For `iceberg`: properties of pyiceberg's catalogue, such as `type` and `uri`. Default: an SQLite file."""

    @model_validator(mode="after")
    def _can_be_written(self) -> "Export":
        if self.format in _LIBRARIES and find_spec(_LIBRARIES[self.format]) is None:
            raise ValueError(f"format `{self.format}` needs an extra: run `pip install 'genchi[{self.format}]'`")
        if self.catalog and self.format != "iceberg":
            raise ValueError(f"`catalog` is for format `iceberg`, and not for `{self.format}`")
        return self


def check_export(config: "Config") -> None:
    """Raise ConfigError where the tables would lie among what genchi reads or writes itself."""
    if config.export is None:
        return
    path = config.export.path
    for what, place in _taken(config):
        if _lies_in(path, place) or _lies_in(place, path):
            raise ConfigError(
                f"{config.path}: export.path: {path} and {what} ({place}) lie in one another; choose another folder"
            )


def _taken(config: "Config") -> Iterator[tuple[str, Path | str]]:
    yield "the lake", config.lake
    yield "the reports", config.reports
    yield "the warehouse", config.warehouse
    for source in config.sources:
        folder = re.split(r"[*?\[{]", source.path, maxsplit=1)[0].rpartition("/")[0]
        if source.path and "://" in folder:
            yield f"the logs of {source.name}", folder
        elif source.path and Path(folder) != config.workspace:
            yield f"the logs of {source.name}", Path(folder)


def _lies_in(place: Path | str, folder: Path | str) -> bool:
    """Whether a folder or address is another or lies below it."""
    if isinstance(place, Path) != isinstance(folder, Path):
        return False
    if isinstance(place, Path) and isinstance(folder, Path):
        return place.resolve().is_relative_to(folder.resolve())
    return PurePosixPath(str(place)).is_relative_to(PurePosixPath(str(folder)))
