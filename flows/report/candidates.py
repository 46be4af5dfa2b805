"""How the models of a route compare, which examples flipped, and whether the pinned model is the same. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from flows.report import charts
from flows.report.charts import Scale
from flows.report.evaluation_rows import Flip, FrontierRow, Pin
from flows.report.evidence import FLIPPED
from flows.report.night_verdict import worse_slices
from flows.report.rows import Facts
from flows.report.wording import milliseconds, money, percent
from flows.words import counted

LONGEST = 1200  # characters of an answer

FLIPS = ("regressed", "repaired", "flaky")


@dataclass(frozen=True)
class Place:
    """One model of the frontier."""

    row: FrontierRow
    rate: str
    cost: str
    median: str
    slow: str
    note: str
    tone: str
    picture: Markup


@dataclass(frozen=True)
class Frontier:
    """The models of one route, the best first; `why_no_cheapest` says why none is named the cheapest, or is empty."""

    route: str
    places: tuple[Place, ...]
    why_no_cheapest: str = ""


@dataclass(frozen=True)
class Flips:
    """Examples of one model, route and criterion that fared alike: the first `evidence.FLIPPED`, of `total`."""

    route: str
    criterion: str
    what: str
    rows: tuple[Flip, ...]
    total: int


def frontiers(facts: Facts) -> tuple[Frontier, ...]:
    """The routes on which more than the pinned model took part."""
    models = {row.model for row in facts.frontier}
    sliced = {(row.route, model) for model in models for row in worse_slices(facts, model)}
    found = [
        (route, tuple(_place(row, (route, row.model) in sliced) for row in rows))
        for route, rows in groupby(facts.frontier, lambda row: row.route)
    ]
    return tuple(Frontier(route, places, _why_no_cheapest(places)) for route, places in found if len(places) > 1)


def _why_no_cheapest(places: Iterable[Place]) -> str:
    """Whose costs are not known as a whole, where that leaves the cheapest unknown; else empty."""
    unknown = [place.row for place in places if place.row.is_sufficient and place.row.is_smallest_sufficient is None]
    reasons = [f"{row.model} {' and '.join(gaps)}" for row in unknown if (gaps := _gaps(row))]
    return f"Which is the cheapest is not known: {'; '.join(reasons)}." if reasons else ""


def _gaps(row: FrontierRow) -> list[str]:
    gaps = []
    if row.cost_per_1k_calls is None:
        gaps.append("has no known cost")
    elif row.n_without_cost:
        gaps.append(f"has {counted(row.n_without_cost, 'answer')} without a known cost")
    if row.n_unanswered:
        gaps.append(f"left {counted(row.n_unanswered, 'example')} unanswered")
    return gaps


def _place(row: FrontierRow, is_worse_somewhere: bool) -> Place:
    note, tone = _note(row, is_worse_somewhere)
    rate, picture = "not scored", Markup("")
    if row.pass_rate is not None and row.ci_low is not None and row.ci_high is not None:
        rate = f"{percent(row.pass_rate)} ({percent(row.ci_low)} to {percent(row.ci_high)})"
        label = f"{row.model} on {row.route}: {rate}"
        interval = (row.ci_low, row.pass_rate, row.ci_high)
        picture = charts.interval(interval, Scale(0, 1, 4, 96), tone, label, [(0.0, "zero"), (1.0, "zero")])
    partly = f" ({row.n_without_cost:,} not known)" if row.n_without_cost and row.cost_per_1k_calls is not None else ""
    cost, median, slow = (
        f"{money(row.cost_per_1k_calls)}{partly}",
        milliseconds(row.latency_p50_ms),
        milliseconds(row.latency_p95_ms),
    )
    return Place(row, rate, cost, median, slow, note, tone, picture)


def _note(row: FrontierRow, is_worse_somewhere: bool) -> tuple[str, str]:
    if row.is_smallest_sufficient and is_worse_somewhere:
        return "cheapest that is good enough, except on slices", "unclear"
    if row.is_smallest_sufficient:
        return "cheapest that is good enough", "better"
    if row.arm != "pinned" and not row.is_sufficient:
        return "not enough evidence", "unclear"
    return ("dominated", "unclear") if row.is_dominated else ("good enough", "same")


def flips_of(facts: Facts, model: str) -> tuple[Flips, ...]:
    """The examples that a model regressed or repaired, or that are flaky, by route and criterion."""
    mine = [row for row in facts.flips if row.model == model]
    found: list[Flips] = []
    for (route, criterion), rows in groupby(mine, lambda row: (row.route, row.criterion)):
        found += _by_kind(route, criterion, list(rows))
    return tuple(sorted(found, key=lambda one: FLIPS.index(one.what)))


def _by_kind(route: str, criterion: str, rows: list[Flip]) -> Iterable[Flips]:
    for what in FLIPS:
        alike = [row for row in rows if what in (row.flip, row.flip or row.state)]
        if alike:
            yield Flips(route, criterion, what, tuple(alike[:FLIPPED]), len(alike))


def pin_sentence(pin: Pin) -> str:
    """Whether the pinned model is still the same, in one sentence."""
    served = f" It is served as {', '.join(pin.served_names)}." if pin.served_names else ""
    if pin.is_changed is None and pin.has_past:
        return f"{pin.model}: no answers tonight that can be compared with earlier nights.{served}"
    if pin.is_changed is None:
        return f"{pin.model}: no earlier nights yet to compare its answers with.{served}"
    if pin.p_value is None:
        compared = "its answers could not be compared with earlier nights"
    else:
        prompts = counted(pin.n_prompts, "prompt")
        compared = f"its answers to {prompts} were compared with earlier nights (p = {pin.p_value:.2g})"
    word = "appears to have changed" if pin.is_changed else "shows no change"
    return f"{pin.model} {word}: {compared}.{served}"


def cut(text: str | None, longest: int = LONGEST) -> str:
    """A text, cut where it has more than `longest` characters."""
    whole = text or ""
    return whole if len(whole) <= longest else f"{whole[:longest]}\N{HORIZONTAL ELLIPSIS}"
