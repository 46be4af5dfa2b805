"""prefect.yaml with the deployments of one workspace: what else stands in it stays, comments too."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from flows.cli.deploy.deployments import entries
from flows.config import Config
from flows.errors import ConfigError
from flows.lake import replace_text

_HEAD = """\
# Deployments of genchi, written by `genchi deploy`, which replaces its own workspace's entries and leaves the rest.
# In this folder: prefect deploy --all
"""
# What a person may have set by hand, and keeps unless the command names another.
_KEPT = ("schedules", "work_pool")


@dataclass(frozen=True)
class Planned:
    """A prefect.yaml as it is to be written, with the names of the workspace's own deployments and their work pools.

    `schedules` has, of each active schedule, the name of the deployment and the cron expression with its time zone.
    """

    path: Path
    text: str
    names: tuple[str, ...]
    pools: tuple[str, ...]
    schedules: tuple[tuple[str, str], ...]


def planned(path: Path, config: Config, cron: str | None, pool: str | None, defaults: tuple[str, str]) -> Planned:
    """The file at `path` with the entries of a workspace; nothing is written.

    An entry that is there keeps its keys that genchi does not write, and its schedules and work pool unless `cron` or
    `pool` are given; `defaults` are those of a new entry. Raises ConfigError for a file that is no prefect.yaml, and
    where another workspace has the same name.
    """
    yaml = _round_trip()
    document = _read(path, yaml)
    listed = document.setdefault("deployments", CommentedSeq())
    if listed is None:
        listed = document["deployments"] = CommentedSeq()
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise ConfigError(f"{path}: deployments: must be a list of entries; it is no prefect.yaml")
    known = {str(entry.get("name")): entry for entry in listed}
    ours = entries(config, cron or defaults[0], pool or defaults[1])
    for entry in ours:
        old = known.get(entry["name"])
        if old is None:
            listed.append(CommentedMap(entry))
            continue
        _refuse_other(path, old, entry)
        given = {"schedules": cron is not None, "work_pool": pool is not None}
        old.update({key: value for key, value in entry.items() if key not in _KEPT or given[key] or key not in old})
        _in_zone(old.get("schedules"), config.timezone)
    text = io.StringIO()
    yaml.dump(document, text)
    written = text.getvalue()
    names = tuple(entry["name"] for entry in ours)
    mine = [entry for entry in listed if entry.get("name") in names]
    text_of_file = written if path.is_file() else _HEAD + written
    return Planned(path, text_of_file, names, tuple(_pools(mine)), tuple(_schedules(mine)))


def write(plan: Planned) -> None:
    """Replace the file, whole or not at all. Raises ConfigError where it cannot be written."""
    try:
        replace_text(plan.path, plan.text)
    except OSError as error:
        raise ConfigError(f"{plan.path}: cannot be written: {error.strerror or error}; name another --file") from None


def _schedules(listed: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The names of entries with their schedules, those left out that are not active."""
    for entry in listed:
        for schedule in entry.get("schedules") or ():
            if isinstance(schedule, dict) and schedule.get("active", True):
                cron, zone = schedule.get("cron"), schedule.get("timezone", "UTC")
                yield str(entry["name"]), f"{cron} ({zone})" if cron else "as in the file"


def _pools(listed: Sequence[Mapping[str, Any]]) -> list[str]:
    """The work pools of entries, each once."""
    pools = [entry["work_pool"] for entry in listed]
    return list(dict.fromkeys(str(pool["name"]) for pool in pools if isinstance(pool, dict) and "name" in pool))


def _round_trip() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _read(path: Path, yaml: YAML) -> CommentedMap:
    if not path.exists():
        return CommentedMap({"name": "genchi"})
    try:
        found = yaml.load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f", line {line + 1}" if line is not None else ""
        raise ConfigError(f"{path}: not valid YAML{where}; correct it, or name another --file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}; name another --file") from None
    if found is None:
        return CommentedMap({"name": "genchi"})
    if not isinstance(found, CommentedMap):
        raise ConfigError(f"{path}: expected keys and values such as `deployments:`; name another --file")
    return found


def _refuse_other(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Two workspaces with one name would deploy over each other."""
    parameters = old.get("parameters")
    theirs = parameters.get("config_path") if isinstance(parameters, dict) else None
    mine = new["parameters"]["config_path"]
    if theirs not in (None, mine):
        raise ConfigError(
            f"{path}: {new['name']} is of {theirs}; give one of the two workspaces another `app`, or, if it has moved"
            f" to {mine}, delete that entry"
        )


def _in_zone(schedules: Any, timezone: str) -> None:
    """The time zone of schedules that were kept: the workspace's."""
    for schedule in schedules if isinstance(schedules, Sequence) else ():
        if isinstance(schedule, dict) and "cron" in schedule:
            schedule["timezone"] = timezone
