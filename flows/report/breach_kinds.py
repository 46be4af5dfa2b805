"""What the dbt project's seeds say of breaches: the kinds, and which features are shares."""

import csv
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from flows.project import DBT_PROJECT


@dataclass(frozen=True)
class Kind:
    """One row of seeds/breach_kinds.csv.

    Among breaches of equal severity the lowest `rank` comes first. `about` is traffic, pinned, candidate or judge;
    `picture` names what `cards` draws.
    """

    kind: str
    rank: int
    about: str
    words: str
    picture: str


@cache
def breach_kinds() -> dict[str, Kind]:
    """Every kind, by its name."""
    with (DBT_PROJECT / "seeds" / "breach_kinds.csv").open(encoding="utf-8", newline="") as seed:
        return {
            row["kind"]: Kind(row["kind"], int(row["rank"]), row["about"], row["words"], row["picture"])
            for row in csv.DictReader(seed)
        }


def kind_of(name: str) -> Kind:
    """The kind of that name. One that the seed does not have (of an older warehouse) comes last, without a picture."""
    return breach_kinds().get(name) or Kind(name, len(breach_kinds()) + 1, "", name, "none")


def is_share(feature: str, of_workspace: Collection[str] = ()) -> bool:
    """Whether the values of a feature are between 0 and 1, to be shown in percent; `of_workspace` has its own."""
    name, colon, _ = feature.partition(":")  # model:gpt-4o has the row of model:
    return name + colon in _shares() or feature in of_workspace


@cache
def _shares() -> frozenset[str]:
    with (DBT_PROJECT / "seeds" / "features.csv").open(encoding="utf-8", newline="") as seed:
        return frozenset(
            row["feature"] for row in csv.DictReader(seed) if row["kind"] == "share" or row["grid"] == "unit"
        )
