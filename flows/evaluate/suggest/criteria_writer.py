"""Adding one criterion to the end of a criteria file: everything that stands in it stays as it is.

The new text is checked as a whole before it takes the file's place: it must hold the old criteria and the new one, and
load. What people and models wrote comes into it as quoted values only.
"""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from flows.errors import ConfigError
from flows.lake import replace_text


class _Dumper(yaml.SafeDumper):
    """Texts with line breaks or signs that cannot be seen are written with escapes, on one line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _text)


def add_criterion(path: Path, criterion: dict[str, Any], check: Callable[[Path], object]) -> None:
    """Append a criterion to the file, atomically; `check` is called with a copy of the new file, and raises if it is
    wrong.

    Raises ConfigError, in one line and with nothing written, for a file that is no list in block style, for a name
    that is in it already, and for what `check` raises.
    """
    place = path.resolve()
    with _alone(place):
        text = _read(path, place)
        before = _values(path, text)
        if criterion["name"] in [one.get("name") for one in before if isinstance(one, dict)]:
            raise ConfigError(f"{path}: has a criterion {criterion['name']!r} already; choose another name")
        new = _appended(path, text, criterion)
        with suppress(yaml.YAMLError):
            if yaml.safe_load(new) == [*before, criterion]:
                _try(path, place, new, check)
                mode = place.stat().st_mode & 0o777
                replace_text(place, new, mode)
                place.chmod(mode)
                return
        raise ConfigError(f"{path}: cannot be extended; add by hand: {_block(criterion, 0, '; ').strip('; ')}")


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Keeps other writers of files in this folder waiting."""
    descriptor = os.open(place.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path, place: Path) -> str:
    try:
        return place.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; write a first criterion there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({type(error).__name__}); it must be a readable UTF-8 file"
        ) from None


def _values(path: Path, text: str) -> list[Any]:
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        raise ConfigError(f"{path}: not valid YAML; correct it first") from None
    if not isinstance(found, list):
        raise ConfigError(f"{path}: is no list of criteria; write a first criterion there")
    return found


def _appended(path: Path, text: str, criterion: dict[str, Any]) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.SequenceNode) or root.flow_style:
        shown = _block(criterion, 0, "; ").strip("; ")
        raise ConfigError(f"{path}: is a list in brackets, which is not extended; add by hand: {shown}")
    end = "\r\n" if "\r\n" in text else "\n"
    whole = text if text.endswith("\n") else text + end
    return whole + _block(criterion, root.start_mark.column, end)


def _block(criterion: dict[str, Any], indent: int, end: str) -> str:
    lines = yaml.dump(
        [criterion], Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000_000, default_flow_style=False
    )
    return "".join(f"{' ' * indent}{line}{end}" for line in lines.split("\n") if line)


def _try(path: Path, place: Path, text: str, check: Callable[[Path], object]) -> None:
    """Check the new text as a file beside the old one, so that its relative paths hold."""
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".yaml.tmp", dir=place.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        check(Path(name))
    except ConfigError as error:
        raise ConfigError(str(error).replace(name, str(path))) from None
    finally:
        Path(name).unlink(missing_ok=True)
