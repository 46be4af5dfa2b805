"""The proposals of a day: calls of production that the holdout lacks, without near-duplicates and leaks.

Running the same day again gives the same proposals, less what was decided in between.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from flows.config import Config
from flows.evaluate.propose.described import Described, describe_calls, describe_examples
from flows.evaluate.propose.holdout_file import Row, messages_of_row, read_file
from flows.evaluate.propose.leaks import leaks_of, sources_of
from flows.evaluate.propose.picks import Pick, pick, traits_of_gap
from flows.evaluate.propose.pool import Call, Known, read_calls, read_known, window_of
from flows.evaluate.propose.proposal_decisions import read_decisions
from flows.evaluate.propose.traits import Traits, asked_text, lacking, structure_of
from flows.lake import Lake, from_rows
from flows.stats.near_duplicates import nearest, repeats
from flows.stats.sample import rank

Languages = Callable[[Iterable[str | None]], list[str | None]]
"""Codes of the languages of texts, `und` where unclear: flows/transform/language.py."""

LIMIT = 30
_UNDETERMINED = "und"
_ENGLISH = "en"
_ANY = 0.01  # similarity from which the nearest example is worth showing


@dataclass(frozen=True)
class Proposed:
    """The proposals of one route, rows of `holdout_proposals`, and what became of all `considered` calls."""

    route: str
    rows: list[Row]
    considered: int = 0
    decided: int = 0
    near_holdout: int = 0
    near_each_other: int = 0
    leaks: int = 0
    gaps: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """One line for people."""
        return (
            f"{self.route}: {len(self.rows):,} proposals of {self.considered:,} calls; left out: {self.leaks:,} leaks,"
            f" {self.near_holdout:,} near-duplicates of the holdout, {self.near_each_other:,} of one another,"
            f" {self.decided:,} decided before"
        )


def propose(
    config: Config, day: date, routes: Sequence[str], languages: Languages, limit: int = LIMIT
) -> list[Proposed]:
    """Write the day's `holdout_proposals` of these routes; other routes' rows stay.

    Raises ConfigError for a route without a holdout and for a test set that cannot be read.
    """
    lake = config.open_lake()
    found = [propose_route(config, day, route, languages, limit) for route in routes]
    with lake.lock("holdout"):
        decided = read_decisions(lake)
        kept = [
            row
            for row in lake.read("holdout_proposals", day).to_pylist()
            if row["route"] not in routes or row["proposal_id"] in decided
        ]
        known = {row["proposal_id"] for row in kept}
        new = [row for one in found for row in one.rows if row["proposal_id"] not in known]
        lake.write("holdout_proposals", day, from_rows([*kept, *new], "holdout_proposals"))
    return found


def propose_route(config: Config, day: date, route: str, languages: Languages, limit: int) -> Proposed:
    """The proposals of one route. Nothing is written."""
    lake, days = config.open_lake(), window_of(config, day)
    examples = {str(row["example_id"]): messages_of_row(row) for row in read_file(config, route).rows}
    known = read_known(lake, days)
    calls = read_calls(lake, days, route, known)
    here = describe_calls(config, days, route, [call.call_id for call in calls])
    there = describe_examples(config, days, route)
    traits = _traits({call.call_id: call.messages for call in calls}, here, languages)
    gaps = lacking(list(traits.values()), list(_traits(examples, there, languages).values()))
    considered, counts = len(calls), Counter[str]()
    calls = _without_decided(lake, route, calls)
    counts["decided"] = considered - len(calls)
    # What people said comes first among near-duplicates of one another.
    calls = sorted(calls, key=lambda call: (call.call_id not in known.call_ids, rank(call.call_id)))
    calls = _left(config, route, calls, examples, counts)
    picks = pick(calls, known, [(gap, traits_of_gap(gap, calls, traits)) for gap in gaps], here, there, limit=limit)
    return Proposed(
        route,
        _rows(route, picks, known, examples),
        considered,
        counts["decided"],
        counts["holdout"],
        counts["each other"],
        counts["leaks"],
        [gap.explanation for gap in gaps],
    )


def proposal_id(route: str, call_id: str) -> str:
    """The id of a call's proposal: the same whenever it is proposed."""
    return "p-" + hashlib.sha256(f"{route}\x1f{call_id}".encode(errors="replace")).hexdigest()[:12]


def _without_decided(lake: Lake, route: str, calls: Sequence[Call]) -> list[Call]:
    """Neither the calls themselves nor near-duplicates of what was decided."""
    decided = read_decisions(lake)
    texts = [
        asked_text(json.loads(row["messages_json"]))
        for day in lake.days("holdout_proposals")
        for row in lake.read("holdout_proposals", day, columns=["proposal_id", "route", "messages_json"]).to_pylist()
        if row["proposal_id"] in decided and row["route"] == route
    ]
    left = [call for call in calls if proposal_id(route, call.call_id) not in decided]
    near = nearest([asked_text(call.messages) for call in left], texts)
    return [call for call, found in zip(left, near, strict=True) if found is None]


def _left(
    config: Config, route: str, calls: Sequence[Call], examples: dict[str, list[Row]], counts: Counter[str]
) -> list[Call]:
    """The calls that are neither leaks nor near-duplicates of the holdout or of a call before; `counts` the others."""
    sources = sources_of(config, route, [*(call.messages for call in calls), *examples.values()])
    steps: dict[str, Callable[[list[str]], Sequence[object]]] = {
        "leaks": lambda texts: leaks_of(texts, sources),
        "holdout": lambda texts: nearest(texts, [asked_text(messages) for messages in examples.values()]),
        "each other": repeats,
    }
    left = [call for call in calls if asked_text(call.messages).strip()]
    for name, step in steps.items():
        found = step([asked_text(call.messages) for call in left])
        kept = [call for call, one in zip(left, found, strict=True) if one is None]
        counts[name] = len(left) - len(kept)
        left = kept
    return left


def _traits(conversations: Mapping[str, Sequence[Row]], found: Described, languages: Languages) -> dict[str, Traits]:
    ids = list(conversations)
    codes = languages([asked_text(conversations[one]) for one in ids])
    traits: dict[str, Traits] = {}
    for one, code in zip(ids, codes, strict=True):
        mine = structure_of(conversations[one])
        if code not in (None, _UNDETERMINED):
            mine["language"] = str(code)
        if one in found.topics:
            mine["topic"] = found.topics[one]
        if code == _ENGLISH and one in found.typos:
            mine["typos"] = found.typos[one]
        traits[one] = mine
    return traits


def _rows(route: str, picks: Sequence[Pick], known: Known, examples: dict[str, list[Row]]) -> list[Row]:
    ids = list(examples)
    near = nearest([asked_text(one.call.messages) for one in picks], [asked_text(examples[one]) for one in ids], _ANY)
    rows = []
    for one, similar in zip(picks, near, strict=True):
        expected, origin = _expected(one.call, known)
        rows.append(
            {
                "proposal_id": proposal_id(route, one.call.call_id),
                "route": route,
                "call_id": one.call.call_id,
                "messages_json": json.dumps(one.call.messages, ensure_ascii=False),
                "input_text": one.call.input_text,
                "output_text": one.call.output_text,
                "expected_text": expected,
                "expected_origin": origin,
                "reason": one.reason,
                "explanation": one.explanation,
                "nearest_example_id": ids[similar.place] if similar else None,
                "similarity": similar.similarity if similar else None,
            }
        )
    return rows


def _expected(call: Call, known: Known) -> tuple[str | None, str | None]:
    """What is proposed as the expected answer, and whose it is; null of an answer that a person found wrong."""
    if call.call_id in known.edits:
        return known.edits[call.call_id], "edited"
    if call.call_id in known.failure_modes:
        return None, None
    if not call.output_text.strip():
        return None, None
    return call.output_text, "labelled" if call.call_id in known.passed else "output"
