"""What of the machine this process may use: its processors and its memory, within the limits of a container."""

import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def usable_processors(groups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> int:
    """The processors that this process may run on, at least 1: its affinity, and the quota of its control groups.

    A quota of two and a half processors counts as three. `groups` is where the control groups are mounted (version 1 or
    2 of the kernel's interface), `membership` the file that names those of this process.
    """
    found = len(os.sched_getaffinity(0))
    for folder in _folders(groups, membership, "cpu"):
        quota, period = _words(folder / "cpu.max") or (
            *_words(folder / "cpu.cfs_quota_us"),
            *_words(folder / "cpu.cfs_period_us"),
        ) or ("max", "max")  # fmt: skip
        if quota.isdigit() and period.isdigit() and int(period):
            found = min(found, -(-int(quota) // int(period)))
    return max(1, found)


def usable_memory(groups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> int:
    """The bytes of memory that this process may fill: the machine's, and the limits of its control groups."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for folder in _folders(groups, membership, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _words(folder / name)
            if limit and limit[0].isdigit() and int(limit[0]):
                found = min(found, int(limit[0]))
    return found


def _folders(groups: Path, membership: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's control groups of one controller, and of those above them.

    In a container, the path of the group may be the host's: then the mounted root is the container's own.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = groups / controllers if controllers else groups
        folder = root / path.lstrip("/")
        yield from (one for one in (folder, *folder.parents) if one == root or root in one.parents)


def _words(file: Path) -> tuple[str, ...]:
    try:
        return tuple(file.read_text(encoding="utf-8").split())
    except OSError:
        return ()
