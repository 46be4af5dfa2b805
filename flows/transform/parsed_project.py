"""What dbt has parsed of genchi's project, kept for all workspaces of a user that have the same settings.

dbt parses its whole project for every new workspace, in five seconds of CPU. What comes out depends on the project, its
variables and dbt, and not on where lake and warehouse are: sources name the lake by a variable of DuckDB
(store_plugin.py), and days are read when a model runs (macros/days.sql). It has no text of a log. Whether it still is
what the files say, dbt finds out itself; but where a seed lies it never asks again, so what was parsed of a project at
another place is of no use.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from flows.config import Config
from flows.errors import RunError
from flows.lake import replace_bytes, replace_text
from flows.project import DBT_PROJECT
from flows.transform.built_before import project_of

FILE = "partial_parse.msgpack"
_MOST = 8  # settings and versions of the project that are kept, of two megabytes each


def install() -> None:
    """Let dbt in this process use what it has parsed for a warehouse at another place."""
    from dbt.adapters.duckdb.credentials import DuckDBCredentials  # noqa: PLC0415 - imported late: costs seconds

    keys = DuckDBCredentials._connection_keys  # of which dbt keeps a hash; it has no setting for it

    def without_place(credentials: DuckDBCredentials) -> tuple[str, ...]:
        return tuple(key for key in keys(credentials) if key != "path")  # type: ignore[no-untyped-call]  # dbt's own

    if keys.__name__ != without_place.__name__:
        DuckDBCredentials._connection_keys = without_place  # type: ignore[method-assign]  # this is the place for it


def is_there(config: Config, variables: Mapping[str, object]) -> bool:
    """Whether the next build finds the project parsed, or can leave it to none but itself."""
    kept = _place(config, variables)
    return kept is None or kept.exists() or (config.state / "_dbt" / "target" / FILE).exists()


def drop_if_moved(target: Path, packages: str) -> None:
    """Delete what dbt has in its folder `target` of a project, or of `packages` beside it, that lay elsewhere."""
    note, places = target / "parsed_at.txt", f"{DBT_PROJECT}\n{packages}"
    if note.exists() and note.read_text(encoding="utf-8") == places:
        return
    (target / FILE).unlink(missing_ok=True)
    replace_text(note, places)


@contextmanager
def shared(config: Config, variables: Mapping[str, object], target: Path) -> Iterator[None]:
    """Put into dbt's folder `target` what was parsed with these settings, if it is not; keep what dbt then parses.

    Without a home folder, or with one that cannot be written, each workspace has only its own.
    """
    own = target / FILE
    note, kept = own.with_name("parsed_for.txt"), _place(config, variables)
    if kept is None or (own.exists() and note.exists() and note.read_text(encoding="utf-8") == kept.name):
        yield
        return
    before = _written(own)
    with suppress(OSError, RunError):
        replace_bytes(own, kept.read_bytes())
    yield
    if _written(own) == before:  # dbt could not parse
        return
    with suppress(OSError, RunError):
        replace_text(note, kept.name)
        if not kept.exists():
            replace_bytes(kept, own.read_bytes())
            by_age = sorted(kept.parent.glob("*.msgpack"), key=lambda place: place.stat().st_mtime)
            for old in by_age[:-_MOST]:
                old.unlink()


def _written(path: Path) -> int:
    """When a file was written last, in nanoseconds; 0 if there is none."""
    return path.stat().st_mtime_ns if path.exists() else 0


def _place(config: Config, variables: Mapping[str, object]) -> Path | None:
    """Where workspaces with the same settings keep what dbt has parsed; None without a home folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - Path's own raises
    if not Path(cache).is_absolute():
        return None
    place = hashlib.sha256(os.fsencode(DBT_PROJECT)).hexdigest()[:16]
    names = (config.engine.warehouse, version("dbt-core"), version("dbt-duckdb"), place, project_of(variables)[:32])
    return Path(cache) / "genchi" / f"{'-'.join(names)}.msgpack"
