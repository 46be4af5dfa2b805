"""The machine: free disk space, and the installed versions compared with the lock."""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from flows.cli.doctor.check_result import Finding
from flows.cli.doctor.place_checks import nearest_folder
from flows.config import Config
from flows.project import LOCK

# A night of a million calls needs about 1 GB for its lake, its warehouse and dbt's temporary tables.
_LITTLE_BYTES, _NONE_BYTES = 2 << 30, 200 << 20
_PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)")
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def disk_findings(config: Config) -> Iterator[Finding]:
    """The free space of each disk that a night writes to."""
    places = {"lake": config.state, "warehouse": config.warehouse.parent, "reports": config.reports,
              "temporary files": Path(tempfile.gettempdir())}  # fmt: skip
    disks: dict[int, tuple[Path, list[str]]] = {}
    for name, place in places.items():
        folder = nearest_folder(place)
        disks.setdefault(folder.stat().st_dev, (folder, []))[1].append(name)
    for folder, names in disks.values():
        free = shutil.disk_usage(folder).free
        text = f"disk: {_size(free)} free at {folder} ({', '.join(names)})"
        if free < _NONE_BYTES:
            yield Finding("problem", f"{text}; too little for a night: free at least {_size(_LITTLE_BYTES)}")
        elif free < _LITTLE_BYTES:
            yield Finding("warning", f"{text}; a night of a million calls needs about {_size(_LITTLE_BYTES)}")
        else:
            yield Finding("ok", text)


def _size(count: int) -> str:
    return f"{count / (1 << 30):,.1f} GiB" if count >= 1 << 30 else f"{count / (1 << 20):,.0f} MiB"


def version_findings() -> Iterator[Finding]:
    """The versions of Python, genchi and the libraries that it names, where they are not those of the lock."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    supported = metadata("genchi")["Requires-Python"]
    if not _is_supported(supported):
        yield Finding("problem", f"versions: python {python}; genchi needs {supported}: run `make venv` with another")
        return
    locked: dict[str, set[str]] = {}
    for name, number in _LOCKED.findall(LOCK.read_text(encoding="utf-8")):
        locked.setdefault(_normal(name), set()).add(number)
    names = [name for line in requires("genchi") or () if "extra ==" not in line for name in _PACKAGE.findall(line)]
    others = [problem for name in names if (problem := _difference(name, locked.get(_normal(name), set())))]
    if others:
        shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
        yield Finding("warning", f"versions: not those that genchi is tested with: {shown}; run `make venv`")
    else:
        yield Finding("ok", f"versions: genchi {version('genchi')}, python {python}, {len(names)} libraries as locked")


def _difference(name: str, locked: set[str]) -> str:
    """How the installed version of a package differs from the lock; empty if it does not."""
    try:
        installed = version(name)
    except PackageNotFoundError:
        return f"{name} is missing"
    return "" if not locked or installed in locked else f"{name} {installed} (locked: {' or '.join(sorted(locked))})"


def _is_supported(bounds: str) -> bool:
    minor = {sign: int(number) for sign, number in re.findall(r"(>=|<)\s*3\.(\d+)", bounds)}
    return minor[">="] <= sys.version_info[1] < minor["<"]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
