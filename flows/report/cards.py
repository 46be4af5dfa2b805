"""The incidents of a night as cards: what happened, what to do, what it looks like, and what moved. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from flows.report.breach_kinds import is_share, kind_of
from flows.report.breach_pictures import NOTHING, Picture, picture_of, picture_of_change
from flows.report.candidates import cut
from flows.report.evaluation_rows import Flip
from flows.report.evidence import EXAMPLES, examples_of
from flows.report.incident_rows import SEVERITIES, Change, Incident, in_order
from flows.report.next_steps import Words, next_step
from flows.report.rows import Breach, CallText, Facts
from flows.report.wording import number, percent
from flows.text_marks import Piece, pieces
from flows.words import day_and_month

DRAWN = 12  # series of an incident with a history; of the others only the numbers are shown
LONG, SHORT = 600, 240  # characters of a text that an incident is about, and of the other one


@dataclass(frozen=True)
class Quote:
    """One call: its texts, cut; of its output what a typical call does not have is marked."""

    call_id: str
    about: str
    question: str
    answer: tuple[Piece, ...]
    error: str


@dataclass(frozen=True)
class Moved:
    """One series of an incident: before and now in words, and its history, which may be empty."""

    change: Change
    what: str
    before: str
    now: str
    picture: Markup
    legend: str


@dataclass(frozen=True)
class Card:
    """One incident. `calls` are the ids of calls without texts; the picture and `typical` may be missing.

    `acknowledged` says who takes care of it. `regressed` are examples that a candidate fails and the pinned model
    passes, in two quotes each: pinned, candidate.
    """

    anchor: str
    incident: Incident
    age: str
    next_step: tuple[Words, ...]
    breaches: tuple[Breach, ...]
    picture: Markup
    legend: str
    examples: tuple[Quote, ...]
    typical: Quote | None
    calls: tuple[str, ...]
    moved: tuple[Moved, ...]
    regressed: tuple[Quote, ...] = ()
    acknowledged: str = ""


@dataclass(frozen=True)
class Cards:
    """The incidents of the night, in the order of the page: told, over (a line each), and for information.

    `loose` are the breaches that are part of no incident: information too.
    """

    told: tuple[Card, ...]
    over: tuple[Incident, ...]
    info: tuple[Card, ...]
    loose: tuple[Breach, ...]


def cards(facts: Facts) -> Cards:
    """The night's cards; the same for the same facts."""
    ordered = in_order(facts.incidents)
    made = [_card(facts, found, n) for n, found in enumerate(ordered, 1) if found.is_going_on]
    known = {found.incident_id for found in ordered}
    return Cards(
        tuple(card for card in made if card.incident.is_told),
        tuple(found for found in ordered if not found.is_going_on),
        tuple(card for card in made if not card.incident.is_told),
        tuple(sorted((breach for breach in facts.breaches if breach.incident_id not in known), key=_rank)),
    )


def _members(breaches: Sequence[Breach], incident: Incident) -> tuple[Breach, ...]:
    """The breaches of an incident: those that its evidence names first, in its order."""
    place = {name: n for n, name in enumerate(incident.breach_names)}
    mine = [breach for breach in breaches if breach.incident_id == incident.incident_id]
    return tuple(sorted(mine, key=lambda breach: (place.get(breach.name, len(place)), _rank(breach))))


def _rank(breach: Breach) -> tuple[int, int, str]:
    return SEVERITIES.index(breach.severity), kind_of(breach.kind).rank, breach.subject


def _card(facts: Facts, incident: Incident, n: int) -> Card:
    breaches = _members(facts.breaches, incident)
    drawn = (picture_of(facts, breach) for breach in breaches)
    picture, legend = next((found for found in drawn if found[0]), NOTHING)
    shown = examples_of(incident, facts.texts)
    typical = _typical(facts, incident, breaches, shown)
    with_texts = {call.call_id for call in shown}
    is_about_inputs = bool(incident.changes) and incident.changes[0].side == "input"
    where = {call.route for call in [*shown, *([typical] if typical else [])]}

    def quote(call: CallText, before: CallText | None, when: str) -> Quote:
        on = f", on {call.route}" if len(where) > 1 and call.route else ""
        return _quote(call, before, f"{when}{on}", SHORT if not is_about_inputs else LONG, LONG)

    return Card(
        f"incident-{n}",
        incident,
        age(incident),
        next_step(incident, {score.route for score in facts.scores}),
        breaches,
        picture,
        legend,
        tuple(quote(call, typical, "This night") for call in shown),
        quote(typical, None, f"Before, typical: {day_and_month(typical.day)}") if typical else None,
        tuple(call for call in incident.calls if call not in with_texts),
        tuple(_moved(facts, incident, change, place) for place, change in enumerate(incident.changes)),
        tuple(_regressed(facts, incident)) if incident.cause_kind == "candidate" else (),
        facts.acknowledged.get(incident.incident_id, ""),
    )


def _regressed(facts: Facts, incident: Incident) -> Iterator[Quote]:
    """The first examples that got worse, with their questions; none where no texts are shown."""
    examples: dict[tuple[str, str], Flip] = {}  # an example may be worse on several criteria
    for row in facts.flips:
        if row.flip == "regressed" and row.model == incident.cause and row.route in incident.routes and row.answer:
            examples.setdefault((row.route, row.example_id), row)
    for row in list(examples.values())[:EXAMPLES]:
        question = cut(facts.questions.get((row.route, row.example_id)), SHORT)
        pinned, answer = cut(row.pinned_answer, LONG), cut(row.answer, LONG)
        yield Quote(row.example_id, "Pinned model, example", question, (Piece(pinned),) if pinned else (), "")
        yield Quote(row.example_id, f"{row.model}, example", "", pieces(answer, pinned), "")


def age(incident: Incident) -> str:
    """`new`, or for how many nights and since when."""
    if incident.state == "open":
        return "new"
    return f"night {incident.nights:,}, since {day_and_month(incident.first_seen)}"


def _typical(
    facts: Facts, incident: Incident, breaches: Sequence[Breach], shown: Sequence[CallText]
) -> CallText | None:
    """A call from before, of the route of the first call that is shown where there is one."""
    names = dict.fromkeys([*incident.breach_names, *(breach.name for breach in breaches)])
    found = [facts.typical[name] for name in names if name in facts.typical]
    alike = [call for call in found if shown and call.route == shown[0].route]
    return next(iter([*alike, *found]), None)


def _quote(call: CallText, before: CallText | None, about: str, question: int, answer: int) -> Quote:
    text = cut(call.output_text, answer)
    is_alike = before is not None and before.route == call.route
    marked = pieces(text, cut(before.output_text, answer)) if before and is_alike else (Piece(text),) if text else ()
    return Quote(call.call_id, about, cut(call.input_text, question), marked, cut(call.error_message, answer))


def _moved(facts: Facts, incident: Incident, change: Change, place: int) -> Moved:
    write: Callable[[float | None], str] = percent if _is_share(facts, change) else number
    what = change.what if change.feature else kind_of(change.what).words  # of what is no series, its kind
    return Moved(change, what, write(change.before), write(change.now), *_history(facts, incident, change, place))


def _is_share(facts: Facts, change: Change) -> bool:
    """Of what is no feature (a pass rate, a difference), all values are shares; topics have no row of their own."""
    return not change.feature or change.feature.startswith("topic:") or is_share(change.feature, facts.own_shares)


def _history(facts: Facts, incident: Incident, change: Change, place: int) -> Picture:
    return picture_of_change(facts, incident, change) if place < DRAWN else NOTHING
