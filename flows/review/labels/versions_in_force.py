"""Which version of a criterion was in force at a time, for labels that do not name one."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from flows.lake import Lake

Name = tuple[str, str]
"""Route and criterion."""

_COLUMNS = ("route", "criterion", "criterion_version")


class Versions:
    """The versions of some criteria of routes.

    They are those of the lake's `criteria`, with their times. A criterion that is not there has the newest version of
    its scores, or else of the strata of the queues; its time is not known.
    """

    def __init__(self, lake: Lake, names: Iterable[Name]) -> None:
        wanted = set(names)
        self._noted: dict[Name, list[tuple[datetime, str]]] = defaultdict(list)
        for day in lake.days("criteria") if wanted else ():
            for row in lake.read("criteria", day).to_pylist():
                if (name := (row["route"], row["criterion"])) in wanted:
                    self._noted[name].append((row["since"], row["criterion_version"]))
        self._newest: dict[Name, str] = {}
        for table in ("scores", "review_strata"):
            self._newest |= _newest(lake, table, wanted - self._noted.keys() - self._newest.keys())

    def at(self, route: str, criterion: str, at: datetime) -> str | None:
        """The version in force at a time; the newest where none was noted before it, None where none is known."""
        noted = sorted(self._noted.get((route, criterion), ()))
        before = [version for since, version in noted if since <= at]
        if noted:
            return (before or [noted[-1][1]])[-1]
        return self._newest.get((route, criterion))


def _newest(lake: Lake, table: str, names: set[Name]) -> dict[Name, str]:
    """The version of each name on the newest day of a table that has one."""
    found: dict[Name, str] = {}
    for day in reversed(lake.days(table)):
        if names <= found.keys():
            break
        rows = lake.read(table, day, columns=_COLUMNS).group_by(list(_COLUMNS)).aggregate([]).to_pylist()
        for row in sorted(rows, key=lambda row: str(row["criterion_version"])):
            name = (row["route"], row["criterion"])
            if name in names and row["criterion_version"] is not None and name not in found:
                found[name] = row["criterion_version"]
    return found
