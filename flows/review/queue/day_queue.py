"""The queue of a day: drawn once, written to `review_queue`, with the sizes of its strata in `review_strata`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow.compute as pc

from flows.config import Config, risk_on, sizes_by_risk
from flows.lake import Lake, from_rows
from flows.marts import open_marts
from flows.review.queue import strata
from flows.review.queue.day_pool import DayPool, open_pool
from flows.review.queue.night_findings import findings_of
from flows.review.queue.questions import Question, questions_of, shares
from flows.review.queue.queue_rows import Pick, Row, in_random_order, rows_of_calls, rows_of_flips, seconds_of
from flows.stats.cluster_draw import draw
from flows.stats.sample import rank
from flows.words import counted

NOT_AGAIN_DAYS = 60
"""What was in a queue of so many days before is not drawn again."""
_BESIDE = 1 / 6  # of a question's sample: flips, and calls that the judge has not seen


@dataclass(frozen=True)
class QueueResult:
    """How many answers the queue of a day has, of how many routes, and how many of them a second person judges too.

    `judged` are the labels that it has already: then it stays as it was drawn.
    """

    answers: int = 0
    routes: int = 0
    seconds: int = 0
    judged: int = 0

    def summary(self) -> str:
        """One line for people."""
        if not self.answers:
            return "nothing to review"
        twice = f", {self.seconds:,} of them by a second person too" if self.seconds else ""
        kept = f"; kept, because {counted(self.judged, 'label')} {_hang(self.judged)} on it" if self.judged else ""
        return f"{counted(self.answers, 'answer')} to review of {counted(self.routes, 'route')}{twice}{kept}"


def _hang(count: int) -> str:
    return "hangs" if count == 1 else "hang"


def draw_queue(
    config: Config, day: date, asked: Iterable[Question], collect: Callable[[], object] = lambda: None
) -> QueueResult:
    """Draw the queue of `day`, unless labels hang on the one that it has. `asked` are the criteria of kind judge.

    `collect` brings the newest labels into the lake. Needs the day's marts for its incidents and flips; without them it
    is drawn from the rest. The lake is locked only while the queue is replaced. Raises RunError where a file of the
    lake cannot be read.
    """
    lake = config.open_lake()
    collect()
    if judged := labels_on(lake, day):
        return _result(lake.read("review_queue", day).to_pylist(), judged)
    rows: list[Row] = []
    sizes: list[Row] = []
    if any(sizes_by_risk(config, "review_samples").values()) and lake.files("interactions", day):
        rows, sizes = _drawn(config, day, list(asked))
    placed = [row | {"position": position} for position, row in enumerate(rows, 1)]
    with lake.lock("review"):
        collect()
        if judged := labels_on(lake, day):
            return _result(lake.read("review_queue", day).to_pylist(), judged)
        lake.write("review_strata", day, from_rows(sizes, "review_strata"))
        lake.write("review_queue", day, from_rows(placed, "review_queue"))
    return _result(placed, 0)


def labels_on(lake: Lake, day: date) -> int:
    """How many labels there are on the queue of a day."""
    days = (given for given in lake.days("annotations") if given >= day - timedelta(days=1))
    queues = (lake.read("annotations", given, columns=["queue_day"])["queue_day"] for given in days)
    return sum(pc.sum(pc.equal(queue, day)).as_py() or 0 for queue in queues)


def _result(rows: Sequence[Row], judged: int) -> QueueResult:
    first = [row for row in rows if not row["is_second"]]
    return QueueResult(len(first), len({row["route"] for row in first}), len(rows) - len(first), judged)


def _drawn(config: Config, day: date, asked: Sequence[Question]) -> tuple[list[Row], list[Row]]:
    """The rows of the queue in their order, and those of the strata."""
    lake, found = config.open_lake(), findings_of(open_marts(config), day)
    seen = set(_seen(lake, day))
    criteria = sorted({one.criterion for one in asked if one.judge})
    with open_pool(lake, day, criteria, found.incidents.suspects, seen) as pool:
        questions = questions_of(asked, pool.routes(config.routes))
        given = _shares(config, questions, [pool.sessions(one) for one in questions], day)
        picks: list[Pick] = []
        shown: list[Row] = []
        sizes: list[Row] = []
        for question, share in zip(questions, given, strict=True):
            beside = int(share * _BESIDE) if config.review.draw == "finding" else 0
            flips = [one for one in found.flips if _is_about(one, question) and _of_flip(one, question) not in seen]
            examples = rows_of_flips(lake, day, question, flips[: -(-beside // 2)])
            outside = _outside(pool, question, day, beside - len(examples))
            drawn, strata_rows = _picks(
                config, pool, question, day, count=share - len(examples) - len(outside), share=share
            )
            picks += [*drawn, *outside, *seconds_of(drawn, question.seed(day))]
            shown += examples
            sizes += strata_rows
    called = rows_of_calls(lake, day, picks, found.incidents)
    _count_samples(sizes, called)
    rows = [*called, *shown]
    turn = day.toordinal() % max(1, len(questions))
    queue = [row for one in (*questions[turn:], *questions[:turn]) for row in in_random_order(rows, one, day)]
    return sorted(queue, key=lambda row: row["is_second"]), sizes


def _shares(config: Config, questions: Sequence[Question], available: Sequence[int], day: date) -> list[int]:
    """How many answers go to each question: as many as if all routes had the risk of its own route."""
    counts = sizes_by_risk(config, "review_samples")
    given = {risk: shares(available, count, day.toordinal()) for risk, count in counts.items()}
    return [given[risk_on(config, one.route)][place] for place, one in enumerate(questions)]


def _count_samples(sizes: Sequence[Row], called: Sequence[Row]) -> None:
    """Write how many calls of each stratum are in the queue: those that were drawn, but for those without an answer."""
    names = ("route", "criterion", "stratum")
    drawn = Counter(tuple(row[name] for name in names) for row in called if not row["is_second"])
    for row in (*sizes, *called):
        if row["stratum"] is not None:
            row["sample_size"] = drawn[tuple(row[name] for name in names)]


def _picks(
    config: Config, pool: DayPool, question: Question, day: date, *, count: int, share: int
) -> tuple[list[Pick], list[Row]]:
    """The calls that are drawn for a question, `count` of the `share` that it has, and the sizes of its strata.

    How many answers of a stratum are in the queue is not known yet: see `_count_samples`.
    """
    sizes, is_judged, seed = pool.sizes(question), pool.is_judged(question), question.seed(day)
    picks: list[Pick] = []
    if sizes and count > 0:
        at_random = min(count, share * strata.RANDOM)
        weights = strata.weights(sizes, at_random, count - at_random, config.review.draw)
        units = pool.units(question, seed)
        weight_of = np.array([weights.get(strata.name_of(code), 0.0) for code in range(strata.CODES)])
        start = int(rank(seed, "start")[:13], 16) / 16**13
        drawn = draw(weight_of[units.strata], units.clusters, units.strata, size=count, start=start)
        names = [strata.name_of(code) for code in units.strata[drawn.places].tolist()]
        calls = pool.calls(units.places[drawn.places])
        for (call_id, is_slow), name, probability in zip(calls, names, drawn.probabilities.tolist(), strict=True):
            chance = int(rank(seed, "random", call_id)[:13], 16) / 16**13
            picks.append(
                Pick(
                    question,
                    call_id,
                    kind=name.partition(":")[0],
                    draw="random" if chance < strata.random_part(weights, name) else "targeted",
                    is_judged=is_judged,
                    is_slow=is_slow,
                    stratum=name,
                    stratum_size=sizes[name],
                    probability=min(1.0, probability),
                )
            )
    return picks, [
        {
            "route": question.route,
            "criterion": question.criterion,
            "criterion_version": question.version,
            "judge": question.judge if is_judged else None,
            "stratum": name,
            "stratum_size": size,
        }
        for name, size in sizes.items()
    ]


def _outside(pool: DayPool, question: Question, day: date, count: int) -> list[Pick]:
    """Calls of incidents, new topics and bad feedback that the judge has not seen; their chance is not known."""
    if count < 1 or not pool.is_judged(question):
        return []
    found = pool.outside(question, question.seed(day), count)
    return [Pick(question, call_id, strata.KINDS[kind], "targeted") for call_id, kind in found]


def _is_about(flip: Mapping[str, Any], question: Question) -> bool:
    """Whether people judge a flip by this question: by its own criterion, or where the question is `overall`."""
    return flip["route"] == question.route and (question.judge is None or flip["criterion"] == question.criterion)


def _of_flip(flip: Mapping[str, Any], question: Question) -> tuple[str, str, str]:
    """What `_seen` has of an answer to this example by this model, whatever the night."""
    return question.route, question.criterion, f"{flip['model']}/{flip['route']}/{flip['example_id']}"


def _seen(lake: Lake, day: date) -> Iterator[tuple[str, str, str]]:
    """(route, criterion, id) of what was in a queue before, or has a label: a call, or an example and its model."""
    columns = ["route", "criterion", "subject", "subject_id"]
    for table in ("review_queue", "annotations"):
        for other in lake.days(table):
            if day - timedelta(days=NOT_AGAIN_DAYS) <= other and (other < day or table == "annotations"):
                for row in lake.read(table, other, columns=columns).to_pylist():
                    is_call = row["subject"] == "interaction"
                    name = row["subject_id"]
                    yield row["route"], row["criterion"], name if is_call else name.partition("/")[2].rpartition("/")[0]
