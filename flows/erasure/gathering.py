"""Who is meant: the calls of a user, all records of each call, and what was made of them."""

import json
from collections.abc import Collection, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.config import Config
from flows.erasure.needles import Needles
from flows.erasure.person import Person, pieces_of, spellings
from flows.evaluate import EvalSetup, judged_hashes, proposal_id
from flows.lake import Lake, user_key
from flows.marts import PublishedMarts, lake_tables
from flows.warehouse import query

_ANSWERS = ("output_text", "output_json", "error_message")
_WHOLE = 4
_MOST_SHARED = 1000  # as in ingest: an id under which there are more records is none of one call
_INSTRUCTIONS = ("system", "developer", "tool")
_SAID = ": "  # between what is said of a verdict and the judge's reason
_TEXTS = ("input_text", "messages_json", *_ANSWERS)
_OF_USER = """
    select distinct subject_id from intermediate.int_pair_features
    where origin = 'production' and cluster_key in (select hash(unnest(cast(? as varchar[]))))
"""
# In a warehouse that no build has migrated yet.
_EXISTS = "select 1 from information_schema.tables where table_name = 'int_pair_features'"


def gather(
    config: Config, setup: EvalSetup | None, secret: bytes, users: Collection[str], calls: Collection[str]
) -> Person:
    """The person of these users (ids as in the logs, or keys) and calls. Reads every call of the lake once or twice.

    `setup` has the criteria by which judges are asked, where it can be read.
    """
    lake, person = config.open_lake(), Person(calls=set(calls))
    person.users = {*users, *(user_key(secret, one) for one in users)}
    if person.users:
        _add_calls_of_users(config, lake, person)
    _add_other_records(lake, person)
    _add_texts(lake, person, setup)
    _add_what_was_made(lake, person)
    return person


def _add_calls_of_users(config: Config, lake: Lake, person: Person) -> None:
    users = pa.array(sorted(person.users), pa.string())
    for table, column in (("interactions", "user_key"), ("embeddings", "cluster")):
        for rows in _all(lake, table, ("call_id", column)):
            person.calls |= set(rows.filter(pc.is_in(rows[column], users))["call_id"].to_pylist())
    if "intermediate.int_pair_features" in lake_tables(lake.backend):
        person.calls |= {row["subject_id"] for row in PublishedMarts(lake).query(_OF_USER, [sorted(person.users)])}
    if config.warehouse.exists() and query(config.warehouse, _EXISTS):
        person.calls |= {row["subject_id"] for row in query(config.warehouse, _OF_USER, [sorted(person.users)])}
    person.calls.discard(None)  # type: ignore[arg-type]  # of rows without an id


def _add_other_records(lake: Lake, person: Person) -> None:
    """All records of one call go: if one of several were left, it would come back as the call."""
    pairs: dict[str, set[str]] = {}
    for rows in _all(lake, "call_records", ("call_id", "one_call")):
        for call, shared in zip(rows["call_id"].to_pylist(), rows["one_call"].to_pylist(), strict=True):
            pairs.setdefault(shared, set()).add(call)
    for shared, ids in pairs.items():
        if ids & person.calls and len(ids) <= _MOST_SHARED:
            person.shared.add(shared)
            person.calls |= ids


def _add_texts(lake: Lake, person: Person, setup: EvalSetup | None) -> None:
    """The pieces of texts that no other call has, and the requests to judges."""
    ids = pa.array(sorted(person.calls), pa.string())
    calls, texts = 0, set[str]()
    for rows in _all(lake, "interactions", ("call_id", "route", *_TEXTS)):
        for row in rows.filter(pc.is_in(rows["call_id"], ids)).to_pylist():
            calls += 1
            person.proposals.add(proposal_id(row["route"], row["call_id"]))
            person.requests |= judged_hashes(setup, row["route"], row) if setup and row["output_text"] else set()
            for text, is_asked in _texts_of(row):
                pieces = pieces_of(text)
                (person.asked if is_asked else person.answered).update(pieces)
                person.too_short += bool(text) and not pieces
            texts |= {row[name] for name in _ANSWERS if row[name] and len(row[name]) >= _WHOLE}
    person.whole = texts
    if calls:
        _leave_to_others(lake, person, ids)


def _leave_to_others(lake: Lake, person: Person, ids: pa.Array) -> None:
    """Words that another call has, too, or a model's answer to an example, are not the person's alone."""
    pieces = sorted(person.asked | person.answered)
    by_bytes = {spelled: piece for piece in pieces for spelled in spellings([piece])}
    needles = Needles(by_bytes)
    of_others = set[str]()
    for table, key, columns in (("interactions", "call_id", _TEXTS), ("completions", "example_id", _ANSWERS)):
        wanted = [name for name in columns if table == "interactions" or name != "error_message"]
        for rows in _all(lake, table, (key, *wanted)):
            others = rows.filter(pc.invert(pc.fill_null(pc.is_in(rows[key], ids), False)))
            for name in wanted:
                found = {number for _, number in needles.rows_of(others[name])}
                of_others |= {by_bytes[needles.all[number]] for number in found}
                person.whole -= set(pc.unique(others[name]).to_pylist())
    person.of_others = len(of_others)
    person.asked -= of_others
    person.answered -= of_others | person.asked


def _add_what_was_made(lake: Lake, person: Person) -> None:
    """Examples that were made of a call, what judges said, and labels with what takes them back."""
    asked = Needles(spellings(person.asked))
    for rows in _all(lake, "examples", ("route", "example_id", "input_text", "messages_json")):
        found = {place for name in ("input_text", "messages_json") for place, _ in asked.rows_of(rows[name])}
        for row in rows.take(pa.array(sorted(found), pa.int64())).to_pylist():
            person.examples.add((row["route"] or "", row["example_id"]))
    _add_requests(lake, person)
    subjects = pa.array(sorted(person.calls | person.proposals), pa.string())
    for table, key in (("annotations", "label_id"), ("review_decisions", "decision_id")):
        for rows in _all(lake, table, (key, "subject_id")):
            person.labels |= set(rows.filter(pc.is_in(rows["subject_id"], subjects))[key].to_pylist())


def _add_requests(lake: Lake, person: Person) -> None:
    """What judges said in words that only the scores of the person's calls have; a common reason tells of nobody.

    A score's reason ends with the judge's. This finds requests of criteria and judges of the past, too.
    """
    calls, theirs, others = pa.array(sorted(person.calls), pa.string()), set[tuple[str, str]](), set[tuple[str, str]]()
    for every in _all(lake, "scores", ("subject_id", "example_id", "criterion", "reason")):
        rows = every.filter(pc.is_valid(every["reason"]))
        mine = pc.or_(*(pc.fill_null(pc.is_in(rows[key], calls), False) for key in ("subject_id", "example_id")))
        for chosen, into in ((mine, theirs), (pc.invert(mine), others)):
            part = rows.filter(chosen)
            into |= set(zip(part["criterion"].to_pylist(), part["reason"].to_pylist(), strict=True))
    ends = {(criterion, reason.partition(_SAID)[2] or reason) for criterion, reason in theirs - others}
    for rows in _all(lake, "judgements", ("criterion", "reason", "request_hash")):
        pairs = zip(rows["criterion"].to_pylist(), rows["reason"].to_pylist(), strict=True)
        chosen = pa.array([pair in ends for pair in pairs], pa.bool_())
        person.requests |= set(rows["request_hash"].filter(chosen).to_pylist())


def _texts_of(row: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """The texts of a call, and whether a user wrote them. Instructions of the application are not the person's."""
    try:
        messages = json.loads(row["messages_json"] or "[]")
    except ValueError:
        messages = []
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("role") not in _INSTRUCTIONS:
            for text in strings_in(message.get("content")):
                yield text, message.get("role") == "user"
    if not messages and row["input_text"]:
        yield row["input_text"], True
    for name in _ANSWERS:
        if row[name]:
            yield row[name], False


def strings_in(value: Any) -> Iterator[str]:
    """Every text in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings_in(item)


def _all(lake: Lake, table: str, columns: tuple[str, ...]) -> Iterator[pa.Table]:
    """Every day of a table, in batches with exactly these columns."""
    for day in lake.days(table):
        yield from lake.batches(table, day, columns)
