"""A sample of a day's production calls, as examples for the candidates.

Eligible are calls that were answered with a text, by a model and not by a cache, and are no shadow themselves. Of a
route those are drawn whose rank of call_id is smallest (flows/stats/sample.py): the same ones every time, whoever asked
what and when; each with the same, known probability.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from flows.evaluate.examples import Example, as_example, input_as_messages, messages_of
from flows.lake import Lake
from flows.stats.sample import rank_in_sql

PRODUCTION = "production"

_SQL = f"""
with calls as not materialized (
    select *, coalesce(nullif(route, ''), 'default') as named_route
    from read_parquet($files, union_by_name = true, hive_partitioning = false)
    where
        status = 'success'
        and not coalesce(is_shadow, false)
        and not coalesce(cache_hit, false)
        and coalesce(finish_reason, '') not in ('tool_calls', 'function_call', 'tool_use')
        and trim(coalesce(output_text, '')) <> ''
        and coalesce(nullif(messages_json, ''), nullif(input_text, '')) is not null
),

drawn as (
    select count(*) as n_eligible, unnest(min_by(call_id, {rank_in_sql("call_id")}, $count)) as call_id
    from calls
    where named_route = $route
)

select
    call_id, messages_json, input_text, output_text, output_json, model_served, system_fingerprint, finish_reason,
    latency_ms, input_tokens, output_tokens, cost_usd, n_eligible
from calls
inner join drawn using (call_id)
where named_route = $route
order by call_id
"""
_ANSWER = (
    *("output_text", "output_json", "model_served", "system_fingerprint", "finish_reason", "latency_ms"),
    *("input_tokens", "output_tokens", "cost_usd"),
)


@dataclass(frozen=True)
class Call:
    """One sampled call: its input as an example, and production's answer as columns of `completions`."""

    example: Example
    answer: dict[str, Any]


@dataclass(frozen=True)
class CallSample:
    """The calls sampled from a route's `n_eligible`, in the order of their ids."""

    calls: list[Call]
    n_eligible: int

    @property
    def probability(self) -> float:
        """The inclusion probability of an eligible call."""
        return len(self.calls) / self.n_eligible if self.n_eligible else 0.0


def draw_calls(lake: Lake, day: date, route: str, count: int) -> CallSample:
    """A sample of at most `count` of a day's eligible calls on a route."""
    files = [str(place) for place in lake.files("interactions", day)]
    if not files:
        return CallSample([], 0)
    with duckdb.connect() as connection:
        lake.open_to(connection)
        found = connection.execute(_SQL, {"files": files, "route": route, "count": count})
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return CallSample([_call(row, route) for row in rows], rows[0]["n_eligible"] if rows else 0)


def _call(row: dict[str, Any], route: str) -> Call:
    messages = messages_of(row)
    if not all("role" in one and ("content" in one or one.get("tool_calls")) for one in messages):
        messages = input_as_messages(row)
    return Call(as_example(messages, row, route, PRODUCTION), {name: row[name] for name in _ANSWER})
