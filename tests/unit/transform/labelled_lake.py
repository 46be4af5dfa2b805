"""A small lake with labels by hand: routes of which each shows one thing that labels can say, or why they cannot."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flows.lake.lake import Lake, from_rows

LAST = date(2026, 3, 31)
DAYS = [LAST - timedelta(days=n) for n in range(29, -1, -1)]
SIZES = {"plain:fail": 40, "plain:pass": 440, "incident:fail": 6, "incident:pass": 14}
DRAWN = {"plain:fail": 6, "plain:pass": 8, "incident:fail": 3, "incident:pass": 1}
JUDGE = "judge-1"
Row = dict[str, Any]


@dataclass
class Written:
    """Rows by table and day, and of each route the labels that count for its rates."""

    rows: dict[str, dict[date, list[Row]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    counted: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def write(self, lake: Lake) -> None:
        """Write all of them."""
        for table, days in self.rows.items():
            for day, rows in days.items():
                lake.write(table, day, from_rows(rows, table), "by-hand")

    def strata(
        self, day: date, route: str, sizes: Mapping[str, int], judge: str | None = JUDGE, version: str = "v2"
    ) -> None:
        """The strata of a day."""
        place = {"route": route, "criterion": "right", "criterion_version": version, "judge": judge}
        for name, size in sizes.items():
            self.rows["review_strata"][day].append({**place, "stratum": name, "stratum_size": size, "sample_size": 0})

    def label(self, day: date, route: str, answer: str, passed: bool | None, **more: Any) -> Row:
        """A label of an answer of a day's queue, made on the next day."""
        of_day = self.rows["annotations"][day + timedelta(days=1)]
        row = {
            "label_id": f"{day}-{len(of_day)}", "subject": "interaction", "subject_id": answer, "route": route,
            "criterion": "right", "criterion_version": "v2", "annotator": "ann", "annotator_kind": "person",
            "at": datetime.combine(day, time(8), UTC) + timedelta(days=1, seconds=len(of_day)), "passed": passed,
            "queue_day": day, "draw": "random", "judge": JUDGE, "seconds": float(len(of_day) ** 2 % 47), **more,
        }  # fmt: skip
        of_day.append(row)
        return row

    def day(
        self, day: date, route: str, *, drawn: Mapping[str, int] = DRAWN, judge: str | None = JUDGE, good: bool = True
    ) -> None:
        """A day's labels: people fail all but one of a stratum that the judge fails, and sometimes one that it passes.

        If the judge is not `good`, people fail every second answer, whatever it said.
        """
        for stratum, count in drawn.items():
            for n in range(count):
                missed = n == 0 and day.day % 3 == 0
                is_failed = (n > 0 if stratum.endswith("fail") else missed) if good else n % 2 == 0
                how = DRAWN_AS | {"stratum": stratum, "judge_verdict": judge and not stratum.endswith("fail")}
                how["inclusion_probability"] = count / SIZES.get(stratum, 500) * (0.8 if day.day % 2 else 1.0)
                answer = f"{route} {day} {stratum} {n}"
                self.counted[route].append(self.label(day, route, answer, not is_failed, **how, judge=judge))


DRAWN_AS: Row = {"draw": "targeted"}
IMPORTED: Row = {"annotator_kind": "imported", "queue_day": None, "draw": None, "judge": None}


def written() -> Written:
    """The whole lake. There are no labels of the last day yet, as in a night."""
    found = Written()
    for day in DAYS:
        for route in ("triage", "weak", "suggested", "few"):
            found.strata(day, route, SIZES)
        found.strata(day, "unjudged", {"plain:unjudged": 500}, judge=None)
        found.strata(day, "changed", SIZES, "judge-0" if day < DAYS[-6] else JUDGE, "v1" if day < DAYS[-6] else "v2")
        found.strata(day, "renewed", SIZES, version="v1" if day < DAYS[-3] else "v2")
        found.strata(day, "imported", SIZES)
        if day == LAST:
            continue
        found.day(day, "triage")
        found.day(day, "weak", good=False)
        found.day(day, "suggested")
        found.day(day, "few", drawn={"plain:pass": 17})
        found.day(day, "unjudged", drawn={"plain:unjudged": 3}, judge=None)
        if day >= DAYS[-6]:
            found.day(day, "changed")
        if day >= DAYS[-3]:
            found.day(day, "renewed")
        for n in range(3):
            if day >= DAYS[-28]:
                found.label(day, "imported", f"i {day} {n}", n > 0, **IMPORTED)
                found.rows["scores"][day].append(score(f"i {day} {n}", passed=n > 0 and day.day % 9 > 0))
        _second(found, day)
    version = {"route": "suggested", "criterion": "right", "criterion_version": "v2", "author": "ann"}
    since = datetime.combine(DAYS[-10], time(), UTC)
    found.rows["criteria"][DAYS[-10]].append({**version, "since": since, "reason": "accepted from 9 labels"})
    _foreign(found)
    _odd(found)
    return found


def score(answer: str, *, passed: bool, route: str = "imported") -> Row:
    """The judge's score of an answer."""
    return {"subject": "interaction", "subject_id": answer, "route": route, "criterion": "right",
            "criterion_version": "v2", "passed": passed, "score": float(passed), "run_id": "production"}  # fmt: skip


FOREIGN = {f"f{n}": n % 3 > 0 for n in range(90)}
"""Calls of the route `foreign`, and what people said of them in another tool: every third fails."""


def _foreign(found: Written) -> None:
    """A route whose labels come from another tool, and whose newest judge is not the last one by name."""
    day, name = DAYS[-5], {"route": "foreign", "criterion": "right"}
    at = datetime.combine(day, time(9), UTC)
    for of_day in DAYS[-10:]:
        found.strata(of_day, "foreign", SIZES, "z-older" if of_day < DAYS[-7] else JUDGE)
    for n, (call, passed) in enumerate(FOREIGN.items()):
        found.rows["interactions"][day].append({"call_id": call, "route": "foreign", "started_at": at})
        found.rows["scores"][day].append(score(call, passed=passed and n % 9 > 1, route="foreign"))
    for version, since in (("v1", DAYS[0]), ("v2", DAYS[-10])):
        noted = {"criterion_version": version, "since": datetime.combine(since, time(), UTC)}
        found.rows["criteria"][since].append(name | noted)


def _second(found: Written, day: date) -> None:
    """Bob judges three answers a day that ann has judged, every ninth otherwise than she."""
    for n in range(3):
        first = next(row for row in found.counted["triage"] if row["subject_id"] == f"triage {day} plain:pass {n}")
        same = (day.toordinal() * 3 + n) % 9 > 0
        how = {name: first[name] for name in ("stratum", "inclusion_probability", "judge_verdict", "draw")}
        found.label(day, "triage", first["subject_id"], first["passed"] is same, annotator="bob", **how)


def _odd(found: Written) -> None:
    """Labels that are taken back, changed, unsure, repeated, imported or older; one answer that three people judged."""
    day = DAYS[-4]
    how = {"stratum": "plain:pass", "inclusion_probability": 0.02, "judge_verdict": True}
    back = found.label(day, "triage", "taken back", passed=False, **how)
    found.label(day, "triage", "taken back", passed=None, retracts=back["label_id"])
    found.label(day, "triage", "changed", passed=False, **how)
    found.counted["triage"].append(found.label(day, "triage", "changed", passed=True, **how, blind=False))
    found.label(day, "triage", "unsure", passed=False, **how)
    found.label(day, "triage", "unsure", passed=None, **how)
    found.label(day, "triage", "three", passed=True, **how)
    found.label(day, "triage", "three", passed=False, annotator="bob", **how)
    third = found.label(day, "triage", "three", passed=False, annotator="ann", draw="disagreement")
    found.counted["triage"].append(third | how)
    found.label(day, "triage", "again", passed=False, draw="relabel")
    found.label(day, "triage", "elsewhere", passed=False, annotator_kind="imported", queue_day=None, draw=None)
    found.label(day, "triage", "old", passed=False, criterion_version="v1", **how)
