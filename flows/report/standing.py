"""What the pinned model is worth beside the others, which examples flipped, and whether it is still itself. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from flows.report import pictures
from flows.report.pictures import Scale
from flows.report.rows import Facts, Flip, Pin, Standing
from flows.report.verdict import worse_slices
from flows.report.wording import count, milliseconds, money, percent

SHOWN = 10  # examples of one kind; the others are in the mart
LONGEST = 1200  # characters of an answer

FLIPS = {"regressed": "regressed", "repaired": "repaired", "flaky": "answered now right, now wrong"}


@dataclass(frozen=True)
class Place:
    """One entrant of the frontier."""

    row: Standing
    rate: str
    cost: str
    median: str
    slow: str
    note: str
    tone: str
    picture: Markup


@dataclass(frozen=True)
class Frontier:
    """The entrants of one route, the best first."""

    route: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Flips:
    """Examples of one model, route and criterion that fared alike: the first `SHOWN`, of `total`."""

    route: str
    criterion: str
    what: str
    rows: tuple[Flip, ...]
    total: int

    @property
    def word(self) -> str:
        """`what` for people."""
        return FLIPS[self.what]


def frontiers(facts: Facts) -> tuple[Frontier, ...]:
    """The routes on which more than the pinned model took part."""
    models = {row.model for row in facts.standings}
    sliced = {(row.route, model) for model in models for row in worse_slices(facts, model)}
    found = [
        (route, tuple(_place(row, (route, row.model) in sliced) for row in rows))
        for route, rows in groupby(facts.standings, lambda row: row.route)
    ]
    return tuple(Frontier(route, places) for route, places in found if len(places) > 1)


def _place(row: Standing, is_worse_somewhere: bool) -> Place:
    note, tone = _note(row, is_worse_somewhere)
    rate, picture = "not scored", Markup("")
    if row.pass_rate is not None and row.ci_low is not None and row.ci_high is not None:
        rate = f"{percent(row.pass_rate)} ({percent(row.ci_low)} to {percent(row.ci_high)})"
        label = f"{row.model} on {row.route}: {rate}"
        interval = (row.ci_low, row.pass_rate, row.ci_high)
        picture = pictures.interval(interval, Scale(0, 1, 4, 96), tone, label, [(0.0, "zero"), (1.0, "zero")])
    cost, median, slow = (
        money(row.cost_per_1k_calls),
        milliseconds(row.latency_p50_ms),
        milliseconds(row.latency_p95_ms),
    )
    return Place(row, rate, cost, median, slow, note, tone, picture)


def _note(row: Standing, is_worse_somewhere: bool) -> tuple[str, str]:
    if row.is_smallest_sufficient and is_worse_somewhere:
        return "smallest that suffices, but for slices", "unclear"
    if row.is_smallest_sufficient:
        return "smallest that suffices", "better"
    if row.arm != "pinned" and not row.is_sufficient:
        return "not shown to suffice", "unclear"
    return ("beaten by another", "unclear") if row.is_dominated else ("suffices", "same")


def flips_of(facts: Facts, model: str) -> tuple[Flips, ...]:
    """What a model regressed, repaired, or answers now this way and now that, by route and criterion."""
    mine = [row for row in facts.flips if row.model == model]
    found: list[Flips] = []
    for (route, criterion), rows in groupby(mine, lambda row: (row.route, row.criterion)):
        found += _by_kind(route, criterion, list(rows))
    return tuple(sorted(found, key=lambda one: tuple(FLIPS).index(one.what)))


def _by_kind(route: str, criterion: str, rows: list[Flip]) -> Iterable[Flips]:
    for what in FLIPS:
        alike = [row for row in rows if what in (row.flip, row.flip or row.state)]
        if alike:
            yield Flips(route, criterion, what, tuple(alike[:SHOWN]), len(alike))


def pin_sentence(pin: Pin) -> str:
    """Whether the pinned model is the one that it was, in one sentence."""
    served = f" It is served as {', '.join(pin.served_names)}." if pin.served_names else ""
    if pin.is_changed is None and pin.has_past:
        return f"{pin.model}: it gave no answer tonight that could be held against its past.{served}"
    if pin.is_changed is None:
        return f"{pin.model}: there is no past yet to hold its answers against.{served}"
    if pin.p_value is None:
        held = "its answers could not be held against its past"
    else:
        held = f"its answers to {count(pin.n_prompts, 'prompt')} were held against its past (p = {pin.p_value:.2g})"
    word = "has changed behind its name" if pin.is_changed else "is as it was"
    return f"{pin.model} {word}: {held}.{served}"


def cut(text: str | None) -> str:
    """An answer, cut where it is very long."""
    whole = text or ""
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}\N{HORIZONTAL ELLIPSIS}"
