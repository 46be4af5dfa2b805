"""What a person sees of a day's queue: which items are theirs, and what the labels say so far. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from flows.review.labels import Name, name_of
from flows.review.page.judgement import RESOLUTION
from flows.review.page.queue_items import Item

Row = Mapping[str, Any]

MOST_MODES = 9


@dataclass(frozen=True)
class Standing:
    """An item for one person: their own label, and those of others. `is_open` says that it waits for them."""

    item: Item
    mine: Row | None
    others: tuple[Row, ...]
    is_mine: bool

    @property
    def is_open(self) -> bool:
        """Whether it is theirs to judge and not judged."""
        return self.is_mine and self.mine is None


@dataclass(frozen=True)
class Agreement:
    """How often two people gave the same verdict on the same answer, of those that both were sure about."""

    first: str
    second: str
    both: int
    same: int


def standing_of(item: Item, labels: Iterable[Row], annotator: str) -> Standing:
    """Whether an item is this person's to judge: one judgement each, and of items for a second annotator two."""
    judged = [row for row in labels if row["draw"] != RESOLUTION]
    mine = [row for row in judged if row["annotator"] == annotator and row["annotator_kind"] == "person"]
    others = [row for row in judged if row["annotator"] != annotator]
    people = {row["annotator"] for row in others if row["annotator_kind"] == "person"}
    is_mine = bool(mine) or len(people) < (2 if item.is_second else 1)
    return Standing(item, mine[-1] if mine else None, tuple(others), is_mine)


def modes_by_route(labels: Iterable[Row]) -> dict[str, list[str]]:
    """Of each route the most frequent failure modes, at most 9; spellings that differ in case only are one mode."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    spelled: dict[tuple[str, str], str] = {}
    for row in labels:
        if row["failure_mode"]:
            key = row["failure_mode"].casefold()
            counts[row["route"]][key] += 1
            spelled.setdefault((row["route"], key), row["failure_mode"])
    return {
        route: [spelled[route, key] for key, _ in sorted(found.items(), key=lambda one: (-one[1], one[0]))][:MOST_MODES]
        for route, found in counts.items()
    }


def failed_since_new_mode(labels: Sequence[Row]) -> tuple[int, int]:
    """How many failed labels with a mode came after the last one that named a new mode, and how many there are.

    `labels` are in the order of time. Many without a new mode: the modes that there are have been seen.
    """
    seen: set[str] = set()
    since = total = 0
    for row in labels:
        if row["passed"] is False and row["failure_mode"]:
            key = row["failure_mode"].casefold()
            since, total = (since + 1 if key in seen else 0), total + 1
            seen.add(key)
    return since, total


def agreements(labels: Iterable[Row]) -> list[Agreement]:
    """Of each two people who judged the same answers by the same version of a criterion: how many, and how often alike.

    Unsure counts on neither side.
    """
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for verdicts in _verdicts(labels).values():
        for (first, one), (second, other) in combinations(sorted(verdicts.items()), 2):
            counts[first, second][0] += 1
            counts[first, second][1] += one == other
    return [Agreement(first, second, both, same) for (first, second), (both, same) in sorted(counts.items())]


def disagreed(items: Iterable[Item], labels: Sequence[Row]) -> list[tuple[Item, list[Row], Row | None]]:
    """The items on which two people gave different verdicts: their labels, and the third judgement if there is one."""
    verdicts = _verdicts(labels)
    of: dict[Name, list[Row]] = defaultdict(list)
    for row in labels:
        of[name_of(row)].append(row)
    found = []
    for item in items:
        if len(set(verdicts.get(item.name, {}).values())) > 1:
            judged = [row for row in of[item.name] if row["draw"] != RESOLUTION and row["annotator_kind"] == "person"]
            third = [row for row in of[item.name] if row["draw"] == RESOLUTION]
            found.append((item, judged, third[-1] if third else None))
    return found


def _verdicts(labels: Iterable[Row]) -> dict[Name, dict[str, bool]]:
    """By answer and version of a criterion: the verdict of each person who was sure."""
    found: dict[Name, dict[str, bool]] = defaultdict(dict)
    for row in labels:
        if row["annotator_kind"] == "person" and row["draw"] != RESOLUTION and row["passed"] is not None:
            found[name_of(row)][row["annotator"]] = row["passed"]
    return found
