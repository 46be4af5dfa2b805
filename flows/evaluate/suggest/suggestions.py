"""`genchi criteria suggest`: candidates from labels, notes, prompt and schema, measured and written to the lake."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from flows.errors import ConfigError
from flows.evaluate.criteria import NOT_DECISIVE, Criterion, hash_of
from flows.evaluate.setup import EvalSetup
from flows.evaluate.suggest.criterion_candidates import Candidate, CandidateFamily, judge_family, name_of, text_families
from flows.evaluate.suggest.failure_modes import modes_of
from flows.evaluate.suggest.labelled_answers import LabelledAnswer, labelled_answers, read_labels
from flows.evaluate.suggest.measuring import Measured, measure, verdicts_of_code, verdicts_of_judge
from flows.evaluate.suggest.prompt_rules import prompt_families, prompt_of
from flows.evaluate.suggest.suggestion_decisions import decided
from flows.lake import Lake, from_rows
from flows.llm import ClientFactory
from flows.stats.assertion_sets import Array

Row = dict[str, Any]

LIMIT = "max_false_failures"
_METHOD = 1
"""Counted up where the same labels would give other suggestions."""
_MOST_MODES, _MOST_ROWS, _EXAMPLES = 8, 20, 5


@dataclass(frozen=True)
class Suggested:
    """The suggestions that were written, as rows of `criterion_suggestions`."""

    rows: tuple[Row, ...] = ()

    def summary(self) -> str:
        """One line for people."""
        chosen = sum(bool(row["is_chosen"]) for row in self.rows)
        return f"{len(self.rows):,} criteria suggested, {chosen:,} of them chosen by labels"


def suggest_criteria(
    setup: EvalSetup,
    day: date,
    clients: ClientFactory | None = None,
    *,
    routes: Iterable[str] | None = None,
    ask: bool = False,
) -> Suggested:
    """Suggest criteria for the routes that have criteria files, and replace those of `day` in the lake.

    A route whose labels, criteria and decisions are those of its newest suggestions keeps these, unless with `ask`;
    where all do, nothing is written. The judge is asked only with `ask`. What was accepted or rejected before is not
    suggested again. What somebody else suggests meanwhile stays. Raises ConfigError for a route that is not configured.
    """
    known = [name for name, route in setup.config.routes.items() if route.criteria]
    names = known if routes is None else list(routes)
    for name in names:
        if name not in setup.config.routes:
            raise ConfigError(f"{setup.config.path}: no route {name!r}; `routes` has {', '.join(setup.config.routes)}")
    lake, rows, is_new = setup.config.open_lake(), list[Row](), False
    labels, done, newest = read_labels(lake), sorted(decided(lake)), _newest(lake)
    for name in names:
        of_route = [row for row in labels if row["route"] == name]
        basis = _basis(setup, name, of_route, done)
        stored = [row for row in newest if row["route"] == name]
        if not ask and basis in {row["basis"] for row in stored}:
            rows += stored
            continue
        is_new = True
        made = _rows_of_route(setup, day, name, of_route, clients, ask=ask)
        rows += [{**row, "basis": basis} for row in made]
    if not is_new:
        return Suggested(tuple(rows))
    before = {row["suggestion_id"] for row in (*newest, *rows)}
    with lake.lock("criteria"):
        newest = _newest(lake)
        rows += [row for row in newest if row["route"] in names and row["suggestion_id"] not in before]
        of_day = lake.read("criterion_suggestions", day).to_pylist() or newest
        kept = [row for row in of_day if row["route"] in known and row["route"] not in names]
        lake.write("criterion_suggestions", day, from_rows([*kept, *rows], "criterion_suggestions"))
    return Suggested(tuple(rows))


def _newest(lake: Lake) -> list[Row]:
    """All suggestions of the newest day that has some."""
    days = (lake.read("criterion_suggestions", day).to_pylist() for day in reversed(lake.days("criterion_suggestions")))
    return next(filter(None, days), [])


def _basis(setup: EvalSetup, route: str, labels: Sequence[Mapping[str, Any]], done: Sequence[str]) -> str:
    """A hash of what the suggestions of a route rest on; texts of answers stay as they are."""
    schema = setup.output_schemas.get(route)
    return hash_of(
        _METHOD,
        [row["label_id"] for row in labels],
        [(one.name, one.version) for one in setup.criteria.get(route, ())],
        done,
        schema and schema.version,
        setup.config.limits[LIMIT],
    )


def _rows_of_route(
    setup: EvalSetup,
    day: date,
    route: str,
    labels: Sequence[Mapping[str, Any]],
    clients: ClientFactory | None,
    *,
    ask: bool,
) -> list[Row]:
    lake, schema = setup.config.open_lake(), setup.output_schemas.get(route)
    answers = labelled_answers(lake, route, labels)
    modes = dict(list(modes_of(answers).items())[:_MOST_MODES])
    families = [*prompt_families(prompt_of(answers), has_schema=schema is not None), *text_families(answers, modes)]
    families = _unknown(setup, route, families)
    fails = verdicts_of_code(families, answers, schema)
    judged = _unknown(setup, route, [judge_family(mode, call_ids) for mode, call_ids in modes.items()])
    unmeasured = judged
    if ask:
        verdicts = verdicts_of_judge(setup, day, judged, answers, route, clients=clients)
        whole = [(family, flags) for family, flags in zip(judged, verdicts, strict=True) if flags is not None]
        families, fails = [*families, *(one for one, _ in whole)], [*fails, *(flags for _, flags in whole)]
        unmeasured = [family for family, flags in zip(judged, verdicts, strict=True) if flags is None]
    found = measure(families, fails, answers, setup.config.limits[LIMIT])
    return named(setup, route, [*measured_rows(route, found, answers), *unmeasured_rows(route, unmeasured, answers)])


def _unknown(setup: EvalSetup, route: str, families: Iterable[CandidateFamily]) -> list[CandidateFamily]:
    """The families, with variants that are no criterion of the route yet, and about which nobody has decided."""
    known, done = {_essence(one) for one in setup.criteria.get(route, ())}, decided(setup.config.open_lake())
    found = []
    for family in families:
        variants = tuple(
            one
            for one in family.variants
            if json.dumps(one.definition, sort_keys=True) not in known and id_of(route, one.definition) not in done
        )
        if variants:
            found.append(CandidateFamily(variants, family.mode, family.call_ids))
    return found


def _essence(criterion: Criterion) -> str:
    """The keys of a criterion that decide which answers pass, as `Candidate.definition` has them."""
    keys = criterion.definition.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=NOT_DECISIVE)
    return json.dumps(keys, sort_keys=True)


def id_of(route: str, definition: dict[str, Any]) -> str:
    """The id of a suggestion: the same for the same definition, so that a decision about it lasts."""
    return hash_of(route, {key: value for key, value in definition.items() if key != "name"})


def measured_rows(route: str, found: Measured, answers: Sequence[LabelledAnswer]) -> list[Row]:
    """A row for each family: the chosen ones in their order, then those that cover most, then what the prompt asks."""
    rows, order = [], list(found.fitted.choice.chosen) if found.fitted else []
    labels = found.labels
    for place in range(len(found.families)):
        candidate, fails = found.candidate(place), found.failing(place)
        caught = int((fails & labels.is_bad).sum())
        is_rule = candidate.origin in ("prompt", "schema")
        false, good = int((fails & ~labels.is_bad).sum()), int((~labels.is_bad).sum())
        is_useless = not caught or caught * max(good, 1) <= false * max(int(labels.is_bad.sum()), 1)
        if place not in order and is_useless and not is_rule:
            continue
        row = _row(route, candidate, labels.is_bad, _examples(fails & labels.is_bad, answers))
        if found.fitted:
            rates, together = found.fitted.of_each[place], found.fitted.of_set
            row |= vars(rates) | {"is_measured": rates.coverage is not None and rates.false_failure_rate is not None}
            row |= {
                "set_coverage": together.coverage,
                "set_false_failure_rate": together.false_failure_rate,
                "set_false_failure_high": together.false_failure_high,
            }
        row |= {"is_chosen": place in order, "n_caught": caught, "n_false": false}
        rows.append((order.index(place) if place in order else len(order), not is_rule, -caught, false, row))
    rows.sort(key=lambda one: one[:4])
    return [row for *_, row in rows[:_MOST_ROWS]]


def unmeasured_rows(route: str, families: Sequence[CandidateFamily], answers: Sequence[LabelledAnswer]) -> list[Row]:
    """A row for each judge's question that nobody has measured."""
    is_bad = np.array([one.is_bad for one in answers], bool)
    return [_row(route, family.variants[0], is_bad, sorted(family.call_ids)[:_EXAMPLES]) for family in families]


def _examples(where: Array, answers: Sequence[LabelledAnswer]) -> list[str]:
    return [answers[int(n)].call_id for n in np.flatnonzero(where)[:_EXAMPLES]]


def _row(route: str, candidate: Candidate, is_bad: Array, example_ids: list[str]) -> Row:
    return {
        "suggestion_id": id_of(route, candidate.definition),
        "route": route,
        "criterion": candidate.title,
        "kind": candidate.definition["kind"],
        "definition_json": json.dumps(candidate.definition, ensure_ascii=False),
        "origin": candidate.origin,
        "failure_mode": candidate.failure_mode,
        "explanation": candidate.explanation,
        "n_labels": len(is_bad),
        "n_failures": int(is_bad.sum()),
        **dict.fromkeys(("coverage", "coverage_low", "false_failure_rate", "false_failure_high")),
        "is_measured": False,
        "is_chosen": False,
        "example_ids": example_ids,
    }


def named(setup: EvalSetup, route: str, rows: Sequence[Row]) -> list[Row]:
    """The rows with a name that the route's file does not have, once each, ranked in their order."""
    taken, seen, found = {one.name for one in setup.criteria.get(route, ())}, set[str](), list[Row]()
    for row in rows:
        if row["suggestion_id"] in seen:
            continue
        seen.add(row["suggestion_id"])
        name = name_of(row["criterion"], taken)
        taken.add(name)
        definition = json.dumps({"name": name, **json.loads(row["definition_json"])}, ensure_ascii=False)
        found.append({**row, "criterion": name, "definition_json": definition, "rank": len(found) + 1})
    return found


def read_suggestions(lake: Lake) -> list[Row]:
    """The suggestions of the newest day that has some, about which nobody has decided, by route and rank."""
    if not (rows := _newest(lake)):
        return []
    done = decided(lake)
    open_ = [row for row in rows if row["suggestion_id"] not in done]
    return sorted(open_, key=lambda row: (row["route"], row["rank"] or 0))
