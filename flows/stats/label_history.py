"""The labels and the strata of a route and criterion over the days, and what a window of them holds."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from flows.stats.label_strata import FAIL, PASS, UNJUDGED, Label, Strata, verdict_of

Row = Mapping[str, Any]
LONGEST = 28
"""Days of the longest window."""
_DISAGREEMENT = "disagreement"
_OF_ANSWER = ("route", "criterion", "criterion_version", "subject", "subject_id")


@dataclass(frozen=True)
class Answer:
    """An answer that people judged. `pair` has the verdicts of the first two people (True: failed), None for one.

    `is_held_out` is false, too, where the person whose label decides had seen the judge's verdict. `probability` and
    `stratum` are those of its draw, None for an imported label.
    """

    day: date
    version: str
    judge: str | None
    is_failed: bool
    is_failed_by_judge: bool | None
    is_held_out: bool
    pair: tuple[bool, bool] | None
    probability: float | None
    stratum: str | None


@dataclass(frozen=True)
class History:
    """The answers that people judged by a criterion, and the rows of strata, of one route."""

    answers: Sequence[Answer]
    strata: Sequence[Row]

    def window(self, last: date, days: int) -> Self:
        """What is of the `days` days that end with `last`."""
        first = last - timedelta(days=days - 1)
        return type(self)(
            [one for one in self.answers if first <= one.day <= last],
            [row for row in self.strata if first <= row["day"] <= last],
        )

    def of(self, version: str, judge: str | None = None) -> Self:
        """What is of a version of the criterion, and has a verdict of a judge where one is given."""
        answers = [one for one in self.answers if one.version == version]
        strata = [row for row in self.strata if row["criterion_version"] == version]
        if judge is not None:
            answers = [one for one in answers if one.judge == judge and one.is_failed_by_judge is not None]
            strata = [row for row in strata if row["judge"] == judge and verdict_of(row["stratum"]) != UNJUDGED]
        return type(self)(answers, strata)

    def held_out(self) -> Self:
        """Without the labels by which the criterion was made, and those that are not blind."""
        return type(self)([one for one in self.answers if one.is_held_out], self.strata)

    def version(self) -> str | None:
        """The newest version of the criterion: that of the newest strata, or else of the newest label."""
        newest = [(row["day"], row["criterion_version"]) for row in self.strata]
        newest = newest or [(one.day, one.version) for one in self.answers]
        return max(newest)[1] if newest else None

    def judge(self) -> str | None:
        """The judge of the newest strata that have one."""
        judges = [(row["day"], row["judge"]) for row in self.strata if row["judge"] is not None]
        return max(judges)[1] if judges else None

    def sums(self) -> Strata:
        """The drawn answers by stratum."""
        sizes: dict[str, int] = defaultdict(int)
        for row in self.strata:
            sizes[row["stratum"]] += row["stratum_size"]
        return Strata.of(sizes, self._drawn()).kept()

    def imported(self) -> Strata:
        """Answers with imported labels and a verdict of the judge; all of them count alike, and are the whole pool."""
        labels = [
            Label(f"plain:{FAIL if one.is_failed_by_judge else PASS}", 1.0, one.is_failed)
            for one in self.answers
            if one.probability is None and one.is_failed_by_judge is not None
        ]
        sizes = {name: sum(label.stratum == name for label in labels) for name in {one.stratum for one in labels}}
        return Strata.of(sizes, labels).kept()

    def verdicts(self) -> tuple[int, int]:
        """How many calls the judge failed, and how many it judged."""
        failed = sum(row["stratum_size"] for row in self.strata if verdict_of(row["stratum"]) == FAIL)
        passed = sum(row["stratum_size"] for row in self.strata if verdict_of(row["stratum"]) == PASS)
        return failed, failed + passed

    def _drawn(self) -> Iterator[Label]:
        for one in self.answers:
            if one.probability is not None and one.stratum is not None:
                yield Label(one.stratum, one.probability, one.is_failed)


def histories(labels: Iterable[Row], strata: Iterable[Row]) -> dict[tuple[str, str], History]:
    """The history of each route and criterion. Rows are those of the dbt models int_labels and stg_review_strata."""
    found: dict[tuple[str, str], tuple[list[Answer], list[Row]]] = defaultdict(lambda: ([], []))
    of_answer: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in labels:
        of_answer[tuple(row[name] for name in _OF_ANSWER)].append(row)
    for (route, criterion, *_), rows in of_answer.items():
        if (answer := _answer(sorted(rows, key=lambda row: row["nth"]))) is not None:
            found[route, criterion][0].append(answer)
    for row in strata:
        found[row["route"], row["criterion"]][1].append(row)
    return {key: History(*parts) for key, parts in sorted(found.items())}


def _answer(rows: Sequence[Row]) -> Answer | None:
    """The first label is the answer's; while people disagree and it was judged once more, the last such label is."""
    judged = [row for row in rows if row["is_drawn"]] or [row for row in rows if row["is_imported"]]
    if not judged:
        return None
    first = deciding = judged[0]
    if len({bool(row["is_failed"]) for row in judged}) > 1:
        deciding = next((row for row in reversed(rows) if row["draw"] == _DISAGREEMENT), first)
    blind = [bool(row["is_failed"]) for row in judged if row["is_blind"]]
    pair = (blind[0], blind[1]) if len(blind) > 1 else None
    return Answer(
        day=first["day"],
        version=first["criterion_version"],
        judge=first["judge"],
        is_failed=bool(deciding["is_failed"]),
        is_failed_by_judge=first["is_failed_by_judge"],
        is_held_out=bool(first["is_held_out"] and deciding["is_blind"]),
        pair=pair if first["is_drawn"] else None,
        probability=first["inclusion_probability"] if first["is_drawn"] else None,
        stratum=first["stratum"] if first["is_drawn"] else None,
    )
