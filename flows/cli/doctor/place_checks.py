"""Whether the lake and the folder of the pages can be written."""

import os
from collections.abc import Iterator
from pathlib import Path

from flows.cli.doctor.check_result import Finding
from flows.config import Config
from flows.errors import RunError, in_one_line
from flows.lake import Lake, probe
from flows.warehouse import damage_of


def lake_findings(config: Config) -> Iterator[Finding]:
    """Write a file to the lake and remove it."""
    try:
        probe(config.open_lake())
    except RunError as error:
        yield Finding("misconfigured", f"lake: {error}")
        return
    except OSError as error:
        problem = f"lake: {config.lake}: {error.strerror} while writing; check its permissions"
        yield Finding("misconfigured", problem)
        return
    is_new = isinstance(config.lake, Path) and not config.lake.exists()
    state = "does not exist yet; the first run creates it" if is_new else "can be listed and written"
    yield Finding("ok", f"lake: {config.lake} {state}; the warehouse is {config.warehouse}")


def published_findings(config: Config) -> Iterator[Finding]:
    """Files of the lake that are gone or are not as they were published, and a warehouse that is damaged."""
    try:
        faults = config.open_lake().faults(is_deep=True)
    except (RunError, OSError) as error:
        yield Finding("problem", f"lake: {in_one_line(error)}")
        return
    for fault in faults:
        yield Finding("problem", f"lake: {fault.text}")
    damage = damage_of(config.warehouse, is_whole=True)
    if damage:
        yield Finding("problem", f"warehouse: {config.warehouse}: {damage}; `genchi transform` builds it anew")
    elif not faults:
        yield Finding("ok", "lake: every file is as it was published; the warehouse can be read")


def report_findings(config: Config) -> Iterator[Finding]:
    """Whether the pages and the warehouse can be written."""
    for name, folder in (("reports", config.reports), ("warehouse", config.warehouse.parent)):
        if config.warehouse.exists() and name == "warehouse" and not os.access(config.warehouse, os.W_OK):
            yield Finding("misconfigured", f"warehouse: {config.warehouse}: cannot be written; check its permissions")
            continue
        there = nearest_folder(folder)
        if not there.is_dir():
            yield Finding("misconfigured", f"{name}: {there}: is a file; `{name}` needs a folder: move the file away")
        elif not os.access(there, os.W_OK | os.X_OK):
            yield Finding("misconfigured", f"{name}: {there}: cannot be written; check its permissions")
        elif name == "reports":
            state = "can be written" if there == folder else "does not exist yet; the first night creates it"
            yield Finding("ok", f"reports: {folder} {state}")


def export_findings(config: Config) -> Iterator[Finding]:
    """Whether the exported tables can be written; none where nothing is exported."""
    if config.export is None:
        return
    path, name = config.export.path, f"export: {config.export.path}"
    if isinstance(path, Path):
        there = nearest_folder(path)
        if not there.is_dir():
            yield Finding("misconfigured", f"{name}: {there} is a file; `export.path` needs a folder: move it")
        elif not os.access(there, os.W_OK | os.X_OK):
            yield Finding("misconfigured", f"{name}: {there} cannot be written; check its permissions")
        else:
            state = "can be written" if there == path else "does not exist yet; the first night creates it"
            yield Finding("ok", f"{name} {state}")
        return
    try:
        probe(Lake(path, config.storage))
    except (RunError, OSError) as error:
        yield Finding("misconfigured", f"export: {in_one_line(error)}; correct `export.path` or `storage`")
        return
    yield Finding("ok", f"{name} can be listed and written")


def nearest_folder(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
