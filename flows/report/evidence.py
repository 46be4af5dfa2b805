"""The texts behind the page: example calls, typical calls from before, questions of the holdout, rejected records.

The texts are the lake's, redacted when they were ingested. A typical call is one of the `_NEAR` of `fct_text_samples`
whose value is nearest to the breach's reference, or of any where an incident is about no feature of texts: the one
whose input has the most words in common with that of the incident's first call, so that the two outputs can be
compared. At most `INCIDENTS` incidents get texts, whatever the size of the day. Where `evidence` is `ids`, there are
no texts.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta

from flows.config import Config
from flows.lake import Lake, first_rejects, rows_with
from flows.marts import open_marts
from flows.report.evaluation_rows import Flip
from flows.report.incident_rows import Incident
from flows.report.rows import Breach, CallText, Rejected

EXAMPLES = 3  # calls of an incident
INCIDENTS = 24
FLIPPED = 10  # examples of a model, route, criterion and kind of flip
_LONGEST = 400  # characters of a question and of a rejected record
_KEPT = 2000  # characters of a call's texts: more than are shown, and thousands of calls are read
_NEAR = 48
_TRIED = 4  # breaches of an incident for which a typical call is looked for

_WORD = re.compile(r"[^\W_]+")
_NEAREST = """
    (
        select cast(? as varchar) as breach, subject_id, day
        from marts.fct_text_samples
        where route = ? and side = ? and day between ? and ?
        order by {distance}day desc, sample_place
        limit {limit}
    )
"""


def read_texts(
    config: Config, lake: Lake, day: date, incidents: Sequence[Incident], breaches: Sequence[Breach]
) -> tuple[dict[str, CallText], dict[str, CallText]]:
    """The example calls of the worst incidents by their call_id, and typical calls by the breach's `name`.

    Both are empty where `evidence` is `ids`. Retention may have removed a text; such a call is left out.
    """
    if config.evidence == "ids":
        return {}, {}
    shown = [incident for incident in incidents if incident.is_going_on][:INCIDENTS]
    examples = {call: day for incident in shown for call in incident.calls}
    by_name = {breach.name: breach for breach in breaches}
    owners = {name: incident for incident in shown for name in incident.breach_names[:_TRIED] if name in by_name}
    places = _near(config, day, [by_name[name] for name in owners])
    texts = _texts(lake, [*examples.items(), *(place for near in places.values() for place in near)])
    found = {call: texts[call, day] for call in examples if (call, day) in texts}
    typical = {}
    for name, near in places.items():
        calls = [texts[place] for place in near if place in texts]
        if calls:
            about = next(iter(examples_of(owners[name], found)), calls[0])
            typical[name] = max(calls, key=lambda call: _alike(call, about))  # of equals the first, the nearest
    return found, typical


def examples_of(incident: Incident, texts: Mapping[str, CallText]) -> list[CallText]:
    """The EXAMPLES calls to show with an incident, in its order: of several that ask the same, the first one.

    Only where fewer are different, the same question is shown again.
    """
    calls = [texts[call] for call in incident.calls if call in texts]
    first = {_words(call.input_text): call.call_id for call in reversed(calls)}
    chosen = sorted(calls, key=lambda call: first[_words(call.input_text)] != call.call_id)[:EXAMPLES]
    return [call for call in calls if call in chosen]


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(_WORD.findall((text or "")[:_LONGEST].lower()))


def _alike(one: CallText, other: CallText) -> float:
    """The share of the words of two inputs that both have (Jaccard's index)."""
    mine, others = set(_words(one.input_text)), set(_words(other.input_text))
    return len(mine & others) / max(1, len(mine | others))


def without_texts(flips: Sequence[Flip]) -> tuple[Flip, ...]:
    """The flips without their answers."""
    return tuple(replace(flip, answer=None, pinned_answer=None, failing_reason=None) for flip in flips)


def read_questions(config: Config, lake: Lake, day: date, flips: Sequence[Flip]) -> dict[tuple[str, str], str]:
    """The questions of the first flips of each kind, by route and the example's id."""
    if config.evidence == "ids":
        return {}
    n: Counter[tuple[str, ...]] = Counter()
    shown: set[tuple[str, str]] = set()
    for flip in flips:
        kind = (flip.model, flip.route, flip.criterion, flip.flip or flip.state)
        n[kind] += 1
        if n[kind] <= FLIPPED:
            shown.add((flip.route, flip.example_id))
    ids = {example_id for _, example_id in shown}
    columns = ("set", "route", "example_id", "input_text")
    rows = rows_with(lake, "examples", day, key="example_id", values=ids, columns=columns).to_pylist()
    found = {(row["route"], row["example_id"]): row["input_text"] for row in rows if row["set"] == "holdout"}
    return {place: text for place, text in found.items() if place in shown and text}


def read_rejected(config: Config, lake: Lake, day: date) -> tuple[Rejected, ...]:
    """The reasons for quarantine, the most frequent first, each with its first record."""
    rows = first_rejects(lake, day, 0 if config.evidence == "ids" else _LONGEST)
    return tuple(Rejected(row["reason"], row["n"], row["file"], row["line"], row["raw"] or None) for row in rows)


def _near(config: Config, day: date, breaches: Sequence[Breach]) -> dict[str, list[tuple[str, date]]]:
    """The call_id and the day of typical calls, by the name of the breach: the nearest by a feature of texts.

    Where an incident has none, as where cost or a field moved, any call of the sample is as typical as another.
    """
    marts = open_marts(config)
    known = set(marts.columns().get("fct_text_samples", ()))
    drifts = [breach for breach in breaches if breach.evidence.get("reference") == "trailing"] if known else []
    measured = {breach.incident_id for breach in drifts if breach.evidence.get("feature") in known}
    parts: list[str] = []
    values: list[object] = []
    for breach in drifts:
        about = breach.evidence
        feature, usual = about.get("feature"), about.get("value_reference")
        if feature not in known and breach.incident_id in measured:
            continue
        seen_over = int(about.get("window_nights") or 1)  # these nights have changed already
        days = (day - timedelta(days=config.window_days), breach.first_seen - timedelta(days=seen_over))
        side = "output" if about.get("side") == "pair" else about.get("side")
        values += [breach.name, about.get("route"), side, *days]
        distance = ""
        if feature in known and usual is not None:  # it is the name of a column, so it may be in the SQL
            distance = f'abs(cast("{feature}" as double) - ?) nulls last, '
            values.append(usual)
        parts.append(_NEAREST.format(distance=distance, limit=_NEAR))
    rows = marts.query(" union all ".join(parts), values) if parts else []
    found: dict[str, list[tuple[str, date]]] = defaultdict(list)
    for row in rows:
        found[row["breach"]].append((row["subject_id"], row["day"]))
    return found


def _texts(lake: Lake, calls: Sequence[tuple[str, date]]) -> Mapping[tuple[str, date], CallText]:
    """The texts of calls, cut, each given by its id and day; a call that is not there is left out."""
    columns = [field.name for field in fields(CallText) if field.name != "day"]
    by_day: dict[date, set[str]] = defaultdict(set)
    for call_id, day in calls:
        by_day[day].add(call_id)
    found: dict[tuple[str, date], CallText] = {}
    for day, ids in by_day.items():
        for row in rows_with(lake, "interactions", day, key="call_id", values=ids, columns=columns).to_pylist():
            texts = {name: row[name] and row[name][:_KEPT] for name in ("input_text", "output_text", "error_message")}
            found[row["call_id"], day] = CallText(day=day, **row | texts)
    return found
