"""The production calls of the last window from which proposals are picked, and what is known of them.

Eligible are answered calls of the route that are no shadow and came from no cache. Of a day those with the smallest
ranks of call_id are read (flows/stats/sample.py), which are also the ones that have embeddings; and each call that a
person labelled or a user edited.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import duckdb

from flows.config import Config
from flows.evaluate.examples import messages_of
from flows.lake import Lake, in_force
from flows.stats.sample import rank_in_sql

POOL = 5_000
CHARACTERS = 50_000_000
"""Of all messages that are read, so that memory is bounded."""
LONGEST = 200_000
"""Characters of a call's messages; a longer one is nothing that a person would read."""
_ELIGIBLE = f"""
with calls as not materialized (
    select *
    from read_parquet($files, union_by_name = true, hive_partitioning = false)
    where
        coalesce(nullif(route, ''), 'default') = $route
        and status = 'success'
        and not coalesce(is_shadow, false)
        and not coalesce(cache_hit, false)
        and coalesce(nullif(messages_json, ''), nullif(input_text, '')) is not null
        and length(coalesce(messages_json, input_text)) <= {LONGEST}
),

drawn as (
    select unnest(min_by(call_id, {rank_in_sql("call_id")}, $count)) as call_id from calls
)

select call_id, messages_json, input_text, output_text
from calls
where call_id in (select call_id from drawn) or call_id in (select unnest(cast($wanted as varchar[])))
order by {rank_in_sql("call_id")}
"""


@dataclass(frozen=True)
class Known:
    """What people said of calls, by call_id: a failure mode, that the answer is right, or their own answer."""

    failure_modes: Mapping[str, str] = field(default_factory=dict)
    passed: frozenset[str] = frozenset()
    edits: Mapping[str, str] = field(default_factory=dict)

    @property
    def call_ids(self) -> set[str]:
        """All calls of which something is known."""
        return {*self.failure_modes, *self.passed, *self.edits}


@dataclass(frozen=True)
class Call:
    """One call of production."""

    call_id: str
    messages: Sequence[dict[str, Any]]
    input_text: str
    output_text: str


def window_of(config: Config, day: date) -> list[date]:
    """The days up to `day` from which calls are picked."""
    return [day - timedelta(days=back) for back in range(config.window_days - 1, -1, -1)]


def read_calls(lake: Lake, days: Sequence[date], route: str, known: Known, most: int = POOL) -> list[Call]:
    """The calls of the route in these days, at most about `most`, in the order of their ids.

    Of a day whose messages are very long, only as many as its part of CHARACTERS holds.
    """
    landed = set(lake.days("interactions"))
    days = [day for day in days if day in landed]
    found: dict[str, Call] = {}
    for day in days:
        left = CHARACTERS // len(days)
        for row in _eligible(lake, day, route, max(1, most // len(days)), sorted(known.call_ids)):
            left -= len(row[1] or row[2] or "")
            if left < 0 and row[0] not in known.call_ids:
                continue
            call = Call(row[0], _sendable(row), row[2] or "", row[3] or "")
            if call.messages:
                found[call.call_id] = call
    return [found[call_id] for call_id in sorted(found)]


def _eligible(lake: Lake, day: date, route: str, count: int, wanted: list[str]) -> list[tuple[Any, ...]]:
    files = [str(place) for place in lake.files("interactions", day)]
    if not files:
        return []
    with duckdb.connect() as connection:
        lake.open_to(connection)
        given = {"files": files, "route": route, "count": count, "wanted": wanted}
        return connection.execute(_ELIGIBLE, given).fetchall()


def _sendable(row: tuple[Any, ...]) -> Sequence[dict[str, Any]]:
    """The messages as a model takes them; the input's text alone where they are not."""
    call = {"messages_json": row[1], "input_text": row[2]}
    messages = messages_of(call)
    if all("role" in one and ("content" in one or one.get("tool_calls")) for one in messages):
        return messages
    return messages_of({**call, "messages_json": None})


def read_known(lake: Lake, days: Sequence[date]) -> Known:
    """Labels and edits of these days: the newest of a call counts, and a label that was taken back does not."""
    edits, labels = dict[str, str](), list[dict[str, Any]]()
    for day in days:
        for row in lake.read("feedback", day, columns=["call_id", "edited_output", "at"]).to_pylist():
            if row["edited_output"] and row["edited_output"].strip():
                edits[row["call_id"]] = row["edited_output"]
    for day in lake.days("annotations"):  # of a call of the window, a label may be later than the day
        if day >= days[0]:
            labels += lake.read("annotations", day).to_pylist()
    modes, passed = dict[str, str](), set[str]()
    for row in in_force(labels, "label_id"):
        if row["subject"] != "interaction":
            continue
        passed.discard(row["subject_id"])
        if row["passed"]:
            passed.add(row["subject_id"])
        elif row["passed"] is False and row["failure_mode"]:
            modes[row["subject_id"]] = row["failure_mode"]
    return Known(modes, frozenset(passed - set(modes)), edits)
