"""Whether the cluster of `engine.address` can do a night's tasks: it answers, and its workers have what this has."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from flows.cli.doctor.check_result import Finding
from flows.cluster import Tasks, differences, packages
from flows.config import Config
from flows.errors import ConfigError, RunError, in_one_line
from flows.lake import Lake, probe, probing, read_probe
from flows.words import counted

_PATIENCE_S = 60.0
_SHOWN = 5
_SAME = "install the same requirements.lock on all workers"


@dataclass(frozen=True, repr=False)
class Look:
    """What a worker is to look at: a lake, and what its probe says; "" where the lake does not exist yet."""

    lake: Lake
    probe: str


@dataclass(frozen=True)
class Seen:
    """The versions of a worker's packages, and what is wrong with the lake as it sees it."""

    packages: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def cluster_findings(config: Config) -> Iterator[Finding]:
    """One finding for the cluster, or one for each worker with a problem; none where there is no cluster."""
    name = f"cluster: {config.engine.address}"
    try:
        with config.engine.open_tasks() as tasks:
            if tasks is not None:
                yield from _workers(config, name, tasks)
    except (ConfigError, RunError) as error:
        yield Finding("misconfigured", f"cluster: {error}")


def look(given: Look) -> Seen:
    """On a worker: its packages, and whether it can read and write the lake."""
    problem = ""
    if given.probe:
        try:
            problem = _problem_of(given)
        except (OSError, RunError) as error:
            problem = in_one_line(error)
    return Seen(dict(packages()), problem)


def _problem_of(given: Look) -> str:
    if read_probe(given.lake) != given.probe:
        return "is not the one of this machine; use an object store, or a folder that all share under the same path"
    probe(given.lake, f"_probe-{secrets.token_hex(8)}")
    return ""


def _workers(config: Config, name: str, tasks: Tasks) -> Iterator[Finding]:
    lake, text = config.open_lake(), secrets.token_hex(8)
    is_new = isinstance(lake.root, Path) and not lake.root.exists()
    asked = Look(replace(lake), "" if is_new else text)
    with probing(lake, text):
        found = tasks.on_each(look, asked, _PATIENCE_S)
    if not found:
        yield Finding("problem", f"{name}: no workers; start some, with genchi and this machine's requirements.lock")
        return
    wrong = [text for worker, seen in found.items() for text in _wrong(config, worker, seen)]
    for text in wrong[:_SHOWN]:
        yield Finding("problem", f"{name}: {text}")
    if len(wrong) > _SHOWN:
        yield Finding("problem", f"{name}: {len(wrong) - _SHOWN:,} more problems of workers")
    if not wrong:
        sees = "the lake does not exist yet" if is_new else "they can read and write the lake"
        yield Finding("ok", f"{name}: {counted(len(found), 'worker')} with the same packages; {sees}")


def _wrong(config: Config, worker: str, seen: Seen | str) -> Iterator[str]:
    if isinstance(seen, str):
        yield f"worker {worker}: {seen}; look at its log, and {_SAME}"
        return
    if unlike := differences(seen.packages, packages()):
        yield f"worker {worker} has {unlike[0]}; {_SAME}"
    if seen.problem:
        yield f"worker {worker}: lake: {config.lake}: {seen.problem}"
