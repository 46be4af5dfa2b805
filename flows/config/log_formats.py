"""The log formats: genchi's own, and those that a workspace has in its folder `formats`, a file each.

Belongs here: which names there are, and the file of each. What a format's SELECT means is ingest's.
"""

import re
from pathlib import Path

from flows.errors import ConfigError
from flows.project import LOG_FORMATS, log_formats

FOLDER = "formats"
_SHARED_MACROS = "macros"
_NAME = re.compile(r"[A-Za-z][\w-]*")


def known_formats(workspace: Path | None) -> list[str]:
    """The names of all formats, genchi's own first.

    Raises ConfigError for a file of the workspace with a name of genchi's own, or with one that is no name.
    """
    return [*log_formats(), *own_formats(workspace)]


def own_formats(workspace: Path | None) -> list[str]:
    """The names of the formats of a workspace. Raises ConfigError as `known_formats`."""
    files = sorted((workspace / FOLDER).glob("*.sql")) if workspace else []
    ours = {*log_formats(), _SHARED_MACROS}
    for file in files:
        if file.stem in ours:
            raise ConfigError(f"{file}: `{file.stem}` is a name of genchi's own; rename the file")
        if not _NAME.fullmatch(file.stem):
            raise ConfigError(f"{file}: a format's name is a letter, then letters, digits, `_` and `-`; rename it")
    return [file.stem for file in files]


def format_file(name: str, workspace: Path | None) -> Path:
    """The file with a format's SELECT."""
    ours = LOG_FORMATS / f"{name}.sql"
    return ours if workspace is None or ours.is_file() else workspace / FOLDER / ours.name


def known_format(name: str, workspace: Path | None) -> str:
    """The same name. Raises ValueError for one that is no format, and ConfigError as `known_formats`."""
    known = known_formats(workspace)
    if name not in known:
        raise ValueError(
            f"unknown log format; use one of {', '.join(known)}, or write `{FOLDER}/<name>.sql` beside genchi.yaml"
        )
    return name
