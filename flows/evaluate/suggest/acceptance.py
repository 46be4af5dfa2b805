"""Accepting and rejecting suggestions, and a failure mode that becomes a criterion in one step."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flows.config import Config
from flows.errors import ConfigError, LockedError, RunError
from flows.evaluate.criteria import load_criteria
from flows.evaluate.setup import EvalSetup, read_setup
from flows.evaluate.suggest import suggestion_decisions as decisions
from flows.evaluate.suggest.criteria_writer import add_criterion
from flows.evaluate.suggest.criterion_candidates import judge_family, text_families
from flows.evaluate.suggest.labelled_answers import LabelledAnswer, labelled_answers
from flows.evaluate.suggest.measuring import measure, verdicts_of_code
from flows.evaluate.suggest.suggestions import LIMIT, Row, measured_rows, named, unmeasured_rows
from flows.lake import Lake, from_rows

_LONGEST = 200
_PATIENCE = 10.0
"""Seconds that a person waits for the lake's lock at a page."""


def accept_suggestion(
    config: Config, suggestion_id: str, author: str, definition: Mapping[str, Any] | None = None
) -> str:
    """Write a suggested criterion to its route's criteria file, with who accepted it and why; it runs the next night.

    `definition` is what a person made of it, as the keys of the criteria file; by default the suggested one. Returns
    a line that says what was written where. Raises ConfigError, with nothing written, for an unknown suggestion, for a
    name that the file has, and for a definition that is not valid.
    """
    row = find(config.open_lake(), suggestion_id)
    route = config.routes.get(row["route"])
    if route is None or route.criteria is None:
        raise ConfigError(f"{config.path}: route {row['route']!r} has no criteria file; set `criteria` of it")
    wanted = dict(json.loads(row["definition_json"]) if definition is None else definition)
    wanted.setdefault("name", row["criterion"])
    if not isinstance(wanted["name"], str) or not wanted["name"].strip():
        raise ConfigError("the criterion needs a `name`, a text")
    wanted |= {"author": _line(author), "reason": reason_of(row)}
    schema, judge = route.output_schema, config.judge
    add_criterion(
        route.criteria,
        wanted,
        lambda path: load_criteria(path, config.workspace, schema, judge, report=True),
    )
    return f"{route.criteria}: criterion {wanted['name']!r} was added; it runs the next night"


def accept(config: Config, suggestion_id: str, author: str) -> str:
    """`accept_suggestion`, and the decision on the record."""
    lake = config.open_lake()
    key = find(lake, suggestion_id)["suggestion_id"]
    told = accept_suggestion(config, key, author)
    decisions.record(lake, key, author, accepted=True)
    return told


def reject(config: Config, suggestion_id: str, author: str) -> str:
    """Record that a suggestion is not wanted: it is not made again."""
    lake = config.open_lake()
    row = find(lake, suggestion_id)
    decisions.record(lake, row["suggestion_id"], author, accepted=False)
    return f"{row['route']}: {row['criterion']!r} is not suggested again"


def apply_decision(config: Config, decision: Mapping[str, Any]) -> str:
    """Accept what a row of `review_decisions` accepts, as the person corrected it; other rows change nothing."""
    if decision["kind"] != decisions.KIND or not decision["accepted"]:
        return ""
    value = json.loads(decision["value_json"]) if decision["value_json"] else None
    return accept_suggestion(config, decision["subject_id"], decision["annotator"], value)


def find(lake: Lake, suggestion_id: str) -> Row:
    """The newest suggestion with this id, or with an id that begins so. Raises ConfigError where there is none."""
    for day in reversed(lake.days("criterion_suggestions")):
        rows: list[Row] = lake.read("criterion_suggestions", day).to_pylist()
        found = {row["suggestion_id"]: row for row in rows if row["suggestion_id"].startswith(suggestion_id)}
        if len(found) > 1 and suggestion_id not in found:
            raise ConfigError(f"{suggestion_id!r} is the beginning of {len(found)} suggestions; give more of the id")
        if found and suggestion_id:
            return found.get(suggestion_id) or next(iter(found.values()))
    raise ConfigError(f"no suggestion {suggestion_id!r}; `genchi criteria suggest` makes and lists them")


def reason_of(row: Mapping[str, Any]) -> str:
    """Why a criterion was accepted, in one line."""
    mode = f", failure mode {_line(row['failure_mode'])}" if row["failure_mode"] else ""
    return f"accepted from {row['n_labels']} labels{mode}, origin {row['origin']}"


def _line(text: str) -> str:
    """A text on one line, without what cannot be seen, cut."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:_LONGEST]


def suggest_for_mode(config: Config, route: str, failure_mode: str, day: date | None = None) -> Row:
    """The best candidate for one failure mode, written to the newest suggestions; `accept_suggestion` takes its id.

    It is code where a pattern tells the answers with this mode from good ones within the limit on false failures, and
    else a question to the judge. Raises ConfigError for an unknown route and for a mode that no label has, and RunError
    where somebody else locks the lake for longer than a person waits.
    """
    setup, lake = read_setup(config), config.open_lake()
    if route not in setup.criteria:
        raise ConfigError(f"{config.path}: no route {route!r}; `routes` has {', '.join(setup.criteria)}")
    wanted = " ".join(failure_mode.split()).casefold()
    answers = [
        one
        for one in labelled_answers(lake, route, first=wanted)
        if not one.is_bad or wanted in [mode.casefold() for mode in one.modes]
    ]
    if not any(one.is_bad for one in answers):
        raise ConfigError(f"route {route}: no labelled answer has the failure mode {_line(failure_mode)!r}")
    row = _best_row(setup, route, _line(failure_mode), answers)
    try:
        with lake.lock("criteria", _PATIENCE):
            at = max([day or config.yesterday(), *lake.days("criterion_suggestions")])
            kept = [
                one
                for one in lake.read("criterion_suggestions", at).to_pylist()
                if one["suggestion_id"] != row["suggestion_id"]
            ]
            lake.write("criterion_suggestions", at, from_rows([*kept, row], "criterion_suggestions"))
    except LockedError as error:
        raise RunError(f"`genchi {error.verb}` writes to the lake; try again in a minute") from None
    return row


def _best_row(setup: EvalSetup, route: str, mode: str, answers: Sequence[LabelledAnswer]) -> Row:
    call_ids = frozenset(one.call_id for one in answers if one.is_bad)
    families = [one for one in text_families(answers, {mode: call_ids}) if one.mode is not None]
    fails = verdicts_of_code(families, answers, None)
    found = measure(families, fails, answers, setup.config.limits[LIMIT])
    rows = measured_rows(route, found, answers)
    chosen = [row for row in rows if row["is_chosen"]] or [row for row in rows if _tells(row, call_ids)]
    if not chosen:
        chosen = unmeasured_rows(route, [judge_family(mode, call_ids)], answers)
    return named(setup, route, chosen[:1])[0]


def _tells(row: Row, call_ids: frozenset[str]) -> bool:
    """With too few labels to measure anything: whether a pattern fails most answers of the mode and no good one."""
    return not row["is_measured"] and row["n_caught"] * 2 > len(call_ids) and not row["n_false"]
