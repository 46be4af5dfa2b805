"""`genchi backup`: a copy of what cannot be made again from the logs, and the way back.

What people decided (labels, decisions, acknowledgements), what was paid for (answers, verdicts, vectors of a remote
model), what was frozen (test sets, criteria, anchors), how nights went, who was forgotten, and the secret of the user
keys. All else is made again by `genchi backfill`.

A target has `manifest.json`, with the name, the bytes and the SHA-256 of each file, and the files by their hashes in
`objects/`: what is unchanged is not copied again. The manifest is written last, so that a run that is killed leaves the
backup before it. What it no longer names is deleted then: so leaves a backup what was forgotten.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath

from flows.config import Config
from flows.erasure import erase_again
from flows.errors import ConfigError, RunError
from flows.lake import (
    LAKE_VERSION,
    Backend,
    Lake,
    Note,
    Storage,
    has_same_files,
    is_remote,
    known_place,
    open_backend,
    reason_of,
)
from flows.review import collect
from flows.words import counted

TABLES = (
    *("annotations", "review_decisions", "review_queue", "review_strata", "acknowledgements"),
    *("completions", "judgements", "canaries", "shadow_samples", "anchor_grades", "anchor_tests"),
    *("examples", "criteria", "criterion_suggestions", "holdout_proposals", "holdout_versions", "holdout_joins"),
    *("anchors", "model_variants", "estimates", "comparisons", "night_runs", "tombstones"),
)
"""The tables that are copied: a night of the past cannot be had again, and answers were paid for."""
_OF_REMOTE_MODELS = ("embeddings", "topic_catalog", "topics")
_SECRET = "_reference/user_key_secret"  # noqa: S105 - the name of the file
_MANIFEST = "manifest.json"
_PATIENCE_S = 600
_OURS = re.compile("objects/[0-9a-f]{64}")  # else it is none of ours, and not ours to delete


@dataclass(frozen=True)
class File:
    """One file of a backup."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Backup:
    """What a backup holds: the version of the lake, and its files by their names in the lake."""

    app: str
    version: int
    made_at: str
    files: dict[str, File]


def back_up(config: Config, target: str, now: datetime) -> list[str]:
    """Copy what changed since the last backup at `target`, and check what was copied; lines that say so.

    Raises ConfigError for a target that is the lake or another app's, and RunError where the lake is in use, or lake
    or target cannot be read or written.
    """
    there = _open(config, target)
    lake = config.open_lake()
    with lake.lock_whole("backup", _PATIENCE_S):
        collect(config)
        before = _read(there, is_needed=False)
        if before:
            _check_app(config, before, target)
        objects = {name: size for name, size in there.sizes("objects/*").items() if _OURS.fullmatch(name)}
        files, copied, size = dict[str, File](), 0, 0
        for name in _names(config, lake):
            content = _content(lake.backend, name)
            if content is None:
                continue
            file = files[name] = File(len(content), hashlib.sha256(content).hexdigest())
            if objects.get(_object(file)) != file.bytes:
                _put(there, _object(file), content)
                objects[_object(file)] = file.bytes
                copied, size = copied + 1, size + file.bytes
        made = Backup(config.app, lake.version, now.isoformat(timespec="seconds"), files)
        there.write_text(_MANIFEST, json.dumps(asdict(made), indent=0, sort_keys=True), is_private=True)
        gone = sorted(set(objects) - {_object(file) for file in files.values()})
        for name in gone:
            there.remove(name)
    total = sum(file.bytes for file in files.values())
    return [
        f"backed up {counted(len(files), 'file')} ({total / 1e6:,.1f} MB) to {target}",
        f"  copied and read back {copied:,} ({size / 1e6:,.1f} MB), there already {len(files) - copied:,},"
        f" deleted {len(gone):,}",
    ]


def restore(config: Config, source: str) -> list[str]:
    """Bring back the files that the lake lacks, and erase what was forgotten since; lines that say so.

    Every file is compared with its hash before anything is written; a file that the lake has stays as it is. Raises
    RunError for a backup that is damaged or of another version, and for a lake with another secret of user keys.
    """
    there = _open(config, source)
    lake = config.open_lake()
    with lake.lock_whole("backup", _PATIENCE_S):
        kept = _read(there, is_needed=True)
        assert kept is not None
        _check_app(config, kept, source)
        if not has_same_files(kept.version):
            raise RunError(
                f"{source}: was made of a lake of version {kept.version}, this genchi writes version {LAKE_VERSION};"
                " restore it with the genchi that made it, and then upgrade"
            )
        _check_secret(lake, there, kept, source)
        missing = {name: file for name, file in kept.files.items() if not lake.backend.exists(name)}
        for file in missing.values():
            _checked(there, file, source)
        for name, file in missing.items():  # the secret before the rows with its keys: a kill must not part them
            if _partition(name) is None:
                note = Note(lake.backend, name, is_private=name == _SECRET)
                note.write(_checked(there, file, source).decode())
        with lake.staging() as staged:
            for name, file in missing.items():
                if (at := _partition(name)) is not None:
                    staged.place(*at).write_bytes(_checked(there, file, source))
        lines = [
            f"brought back {counted(len(missing), 'file')} from {source}, made at {kept.made_at}",
            f"  {len(kept.files) - len(missing):,} that the lake has stay as they are",
        ]
        forgotten = erase_again(config)
        if forgotten and _is_newer(lake, kept):
            forgotten.append("  the backup is older than `genchi forget`: name them to it again, so that texts go, too")
        return [*lines, *forgotten, "  the rest is made from the logs: genchi backfill --start D --end D"]


def _is_newer(lake: Lake, kept: Backup) -> bool:
    """Whether somebody was forgotten after a backup was made: its texts are theirs, too, and stones know ids only."""
    made = datetime.fromisoformat(kept.made_at)
    times = [at for day in lake.days("tombstones") for at in lake.read("tombstones", day)["at"].to_pylist()]
    return any(at > made for at in times)


def _names(config: Config, lake: Lake) -> list[str]:
    """The files to copy, in order."""
    tables = (*TABLES, *(_OF_REMOTE_MODELS if _is_paid(config) else ()))
    of_tables = [
        f"{table}/day={day}/{file}.parquet"
        for table in tables
        for day in lake.days(table)
        for file in lake.names(table, day)
    ]
    return [*of_tables, *lake.backend.names("_alerts/*.json"), _SECRET]


def _is_paid(config: Config) -> bool:
    """Whether vectors come from a model that is asked over the network."""
    return config.embedding.model != "wordllama" and not config.embedding.model.startswith("model2vec/")


def _partition(name: str) -> tuple[str, date, str] | None:
    """The table, the day and the file of a partition; None for a note."""
    parts = PurePosixPath(name).parts
    if parts[0].startswith("_"):
        return None
    return parts[0], date.fromisoformat(parts[1].removeprefix("day=")), PurePosixPath(parts[2]).stem


def _check_app(config: Config, found: Backup, place: str) -> None:
    if found.app != config.app:
        raise ConfigError(f"{place}: is a backup of {found.app!r}; name another place for {config.app!r}")


def _open(config: Config, place: str) -> Backend:
    """The backend of a place. Raises ConfigError where it is none, or the lake, or within it."""
    try:
        known_place(place)
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None
    if is_remote(place):
        if f"{place.rstrip('/')}/".startswith(f"{str(config.lake).rstrip('/')}/"):
            raise ConfigError(f"{place}: is in the lake itself; name another prefix, best of another bucket")
        return open_backend(place.rstrip("/"), config.storage)
    root = Path(place).expanduser().absolute()
    if isinstance(config.lake, Path) and root.resolve().is_relative_to(config.lake.resolve()):
        raise ConfigError(f"{place}: is in the lake itself; name another folder, best on another disk")
    nearest = next(one for one in (root, *root.parents) if one.exists())
    if not nearest.is_dir():
        raise ConfigError(f"{place}: {nearest} is a file; name a folder")
    return open_backend(root, Storage())


def _object(file: File) -> str:
    return f"objects/{file.sha256}"


def _content(backend: Backend, name: str) -> bytes | None:
    source = backend.source(name)
    if source is None:
        return None
    return source.read_bytes() if isinstance(source, Path) else source.read()


def _put(there: Backend, name: str, content: bytes) -> None:
    """Write an object, and read it back."""
    with there.replacing(name) as file:
        file.write(content)
    there.keep_private(name)
    if _content(there, name) != content:
        raise RunError(f"{there.place(name)}: is not what was written; the disk or the store is damaged")


def _read(there: Backend, *, is_needed: bool) -> Backup | None:
    try:
        text = there.read_text(_MANIFEST)
    except OSError as error:
        raise RunError(f"{there.place(_MANIFEST)}: {reason_of(error)}") from None
    if text is None:
        if is_needed:
            raise ConfigError(f"{there.place(_MANIFEST)}: no such file; this is no backup of genchi")
        return None
    try:
        found = json.loads(text)
        return Backup(**{**found, "files": {name: File(**file) for name, file in found["files"].items()}})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise RunError(f"{there.place(_MANIFEST)}: cannot be read; take another backup") from None


def _checked(there: Backend, file: File, source: str) -> bytes:
    content = _content(there, _object(file))
    if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
        what = "is gone" if content is None else "is damaged"
        raise RunError(f"{source}: {_object(file)} {what}; nothing was brought back: take another backup")
    return content


def _check_secret(lake: Lake, there: Backend, kept: Backup, source: str) -> None:
    own = lake.backend.read_text(_SECRET)
    theirs = kept.files.get(_SECRET)
    if own is not None and theirs and own != _checked(there, theirs, source).decode():
        raise RunError(
            f"{lake.backend.place(_SECRET)}: is another secret than that of the backup, so that users would have two"
            " keys; restore into a new lake, before its first night"
        )
