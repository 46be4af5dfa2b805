"""What people are asked about an answer: the criteria of kind judge, or whether the answer is good."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

OVERALL = "overall"
_OVERALL_VERSION = "overall-1"


@dataclass(frozen=True)
class Question:
    """One question about the answers of a route. `judge` is the model that answers it too; None where none does."""

    route: str
    criterion: str
    version: str
    text: str
    judge: str | None = None

    def seed(self, day: date) -> str:
        """What the draw of a day begins from; flows/stats/sample.py ranks keys that begin with it."""
        return "\x1f".join((day.isoformat(), self.route, self.criterion))


def overall(route: str) -> Question:
    """The question of a route without criteria of kind judge."""
    return Question(route, OVERALL, _OVERALL_VERSION, "Is this answer good?")


def questions_of(asked: Iterable[Question], routes: Iterable[str]) -> list[Question]:
    """The questions about each of the routes, by route and criterion; `overall` where there is none of its own."""
    given: dict[str, list[Question]] = {}
    for question in asked:
        given.setdefault(question.route, []).append(question)
    found = [one for route in routes for one in given.get(route) or [overall(route)]]
    return sorted(found, key=lambda one: (one.route, one.criterion))


def shares(sizes: Sequence[int], count: int, turn: int, least: int = 10) -> list[int]:
    """How many of `count` answers go to each question, of which `sizes` answers can be drawn.

    At most so many questions are asked in one night that each gets `least` answers; the others have their turn in the
    next nights, of which `turn` is the number. What a question has too few answers for goes to the others.
    """
    at_once = min(len(sizes), max(1, count // least))
    turns = [(turn * at_once + step) % len(sizes) for step in range(len(sizes))] if sizes else []
    given = [0] * len(sizes)
    chosen: list[int] = []
    for place in turns:
        if len(chosen) < at_once or sum(sizes[one] for one in chosen) < count:
            chosen.append(place)
    left = count
    for position, place in enumerate(sorted(chosen, key=lambda one: (sizes[one], turns.index(one)))):
        given[place] = min(sizes[place], -(-left // (len(chosen) - position)))
        left -= given[place]
    return given
