"""The cost of a call whose log has no cost: the price table that litellm ships with, applied in SQL.

Belongs here: the choice of a call's price, and the arithmetic. The prices are those of the installed litellm.

Rules, so that a cost is either right or `unknown`:

- A model is looked up by its served name, with and without its provider's name. The requested name is used only if the
  log has no served model, or if the served name is the requested one with a date suffix: then the alias is billed.
  A dated name that is not in the table never gets the price of another date.
- A price of zero is valid only for self-hosted models; otherwise it means "not published" or a subscription. Models
  whose answers may be images or sound, and those with a fee for each request, are not priced.
- Cached tokens are a part of the input tokens and have their own price, reasoning tokens a part of the output tokens.
  If a longer input has a higher price, all tokens of the call have it. Off-peak prices depend on started_at.
- A call without token counts is unknown; one that the gateway answered from its cache costs nothing.
- A batch has the batch prices, and is unknown if the table has none; a service tier (flex, priority) has its own prices
  if the table has them. A format gives the tier of a call in its column `price_tier`.
- Not known from a row: regional surcharges, the tokens with which a cache is written.
"""

import json
import re
from collections.abc import Iterator
from functools import cache, lru_cache

import duckdb
import pyarrow as pa

from flows.ingest.map.off_peak import off_peak_minutes
from flows.ingest.map.provider_names import provider_name
from flows.llm import Entry, price_table_entries

_MODES = ("chat", "completion", "responses")
_OWN_MACHINES = ("ollama", "lemonade")
_OTHER_OUTPUT = ("output_cost_per_image_token", "output_cost_per_audio_token", "output_cost_per_image")
_DATE = re.compile(r"[-@:_]?(?:20\d\d-?\d\d-?\d\d|\d\d-\d\d|\d{4}|latest)")
_REGION = re.compile(r"(?:us|eu|apac|jp|au|ca|us-gov|global)\.")
_ABOVE = re.compile(
    r"(?:input_cost_per_token|output_cost_per_token|cache_read_input_token_cost)_above_(\d+)(k?)_tokens"
)
_ENDLESS = 1 << 53
# The price of a cached token as a share of another token's, for providers without a price of it: litellm's rule.
_FIREWORKS_CACHED = 0.5

# The columns that determine the price of a call.
NEEDED = [
    *("model_served", "model_requested", "provider", "started_at", "cache_hit", "cost_usd"),
    *("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"),
]
# The suffix of the table's price names for calls that are not billed as usual.
_TIERS = {"batch": "_batches", "flex": "_flex", "priority": "_priority"}
_RATES = ("input", "cached", "output", "reasoning")
PRICED_NAMES = pa.schema(
    [(name, pa.string()) for name in ("model_served", "model_requested", "provider", "price_tier")]
    + [("above", pa.int64()), ("up_to", pa.int64())]
    + [(f"{rate}_usd", pa.float64()) for rate in _RATES]
    + [(f"{rate}_off_peak_usd", pa.float64()) for rate in _RATES]
    + [("off_peak", pa.list_(pa.struct([("begin_minute", pa.int64()), ("end_minute", pa.int64())])))]
)


def priced(connection: duckdb.DuckDBPyConnection, calls: str) -> str:
    """A SELECT of all columns of the relation `calls`, with cost_usd and cost_source as they are landed.

    The relation has model_served, model_requested, provider, started_at (TIMESTAMPTZ), input_tokens, output_tokens,
    cached_tokens, reasoning_tokens, cost_usd, cache_hit, and may have price_tier. Leaves a table of the prices of its
    models in the connection, under the name `_prices_of_<calls>`. cost_source is logged, priced or unknown, and
    cost_usd null where unknown.
    """
    columns = [row[0] for row in connection.execute(f"describe {calls}").fetchall()]
    tier = "lower(calls.price_tier)" if "price_tier" in columns else "null::varchar"
    names = f"select distinct model_served, model_requested, provider, {tier} from {calls} as calls"
    rows = [row for of in connection.execute(names).fetchall() for row in price_rows(*of)]
    connection.register("_prices_given", pa.Table.from_pylist(rows, schema=PRICED_NAMES))
    connection.execute(f"create or replace temp table _prices_of_{calls} as select * from _prices_given")
    connection.unregister("_prices_given")
    source = ", cost_source" if "cost_source" in columns else ""
    return _COST.format(calls=calls, prices=f"_prices_of_{calls}", source=source, tier=tier)


# A minute of the week counts from Monday 00:00 UTC.
_COST = """
select
    * exclude (cost_usd{source}, _price),
    coalesce(cost_usd, _price) as cost_usd,
    case when cost_usd is not null then 'logged' when _price is not null then 'priced' else 'unknown' end as cost_source
from (
    select
        calls.*,
        case
            when calls.cache_hit then 0.0
            when calls.input_tokens > 0 and calls.output_tokens >= 0 then
                (calls.input_tokens - least(coalesce(calls.cached_tokens, 0), calls.input_tokens))
                * if(prices.is_off_peak, input_off_peak_usd, input_usd)
                + least(coalesce(calls.cached_tokens, 0), calls.input_tokens)
                * if(prices.is_off_peak, cached_off_peak_usd, cached_usd)
                + (calls.output_tokens - least(coalesce(calls.reasoning_tokens, 0), calls.output_tokens))
                * if(prices.is_off_peak, output_off_peak_usd, output_usd)
                + least(coalesce(calls.reasoning_tokens, 0), calls.output_tokens)
                * if(prices.is_off_peak, reasoning_off_peak_usd, reasoning_usd)
        end as _price
    from {calls} as calls
    left join {prices} as prices
        on
            calls.model_served is not distinct from prices.model_served
            and calls.model_requested is not distinct from prices.model_requested
            and calls.provider is not distinct from prices.provider
            and {tier} is not distinct from prices.price_tier
            and calls.input_tokens > prices.above
            and calls.input_tokens <= prices.up_to
)
""".replace(
    "prices.is_off_peak",
    "coalesce(len(list_filter(off_peak, lambda spell: (isodow(calls.started_at) - 1) * 1440"
    " + hour(calls.started_at) * 60 + minute(calls.started_at) >= spell.begin_minute"
    " and (isodow(calls.started_at) - 1) * 1440 + hour(calls.started_at) * 60 + minute(calls.started_at)"
    " < spell.end_minute)) > 0, false)",
)


@lru_cache(4096)
def price_rows(
    served: str | None, requested: str | None, provider: str | None, tier: str | None = None
) -> tuple[dict[str, object], ...]:
    """The rows of PRICED_NAMES for one triple of names: one a range of input tokens, none where it is not priced."""
    key = price_of(served, requested, provider)
    entry = _of_tier(_table()[key], tier) if key else None
    names = {"model_served": served, "model_requested": requested, "provider": provider, "price_tier": tier}
    return tuple({**names, **rates} for rates in _rates(entry)) if entry else ()


def _of_tier(entry: Entry, tier: str | None) -> Entry | None:
    """The entry with the prices of a tier; None if it has no batch prices."""
    suffix = _TIERS.get(tier or "")
    if suffix is None:
        return entry
    own = {name.removesuffix(suffix): rate for name, rate in entry.items() if name.endswith(suffix)}
    if tier != "batch":
        return {**entry, **own}
    # In batches, litellm applies no discount for cached tokens and no surcharge for long inputs.
    return own if {"input_cost_per_token", "output_cost_per_token"} <= own.keys() else None


def price_of(served: str | None, requested: str | None, provider: str | None) -> str | None:
    """The key of litellm's table that gives the price of a call, or None."""
    names: list[str | None] = [served or requested]
    if served and requested:
        alias, snapshot = requested.rpartition("/")[2], served.rpartition("/")[2]
        if snapshot.startswith(alias) and _DATE.fullmatch(snapshot.removeprefix(alias)):
            names.append(requested)
    keys = (key for name in names if name for key in _keys(name, provider_name(provider)))
    return next((key for key in keys if key in _table()), None)


def _keys(name: str, provider: str | None) -> Iterator[str]:
    """The keys that a name may have in the table, the most certain first."""
    name = re.sub(r"^(?:publishers/[^/]+/)?models/", "", name)
    first, _, rest = name.partition("/")
    if rest and provider_name(first) in _families():
        yield name
        yield from _keys(rest, provider_name(first))
        return
    if provider is None:
        yield name
        return
    yield f"{provider}/{name}"
    if provider_name(_table().get(name, {}).get("litellm_provider")) == provider:
        yield name
    if provider == "bedrock":
        bare = _REGION.sub("", re.sub(r"^(?:converse|invoke)/", "", name), count=1)
        yield from _keys(bare, provider) if bare != name else ()
        region, _, model = name.partition("/")
        yield from _keys(model, provider) if re.fullmatch(r"[a-z]{2}(?:-[a-z]+)+-\d", region) and model else ()


@cache
def _families() -> frozenset[str]:
    return frozenset(filter(None, (provider_name(entry.get("litellm_provider")) for entry in _table().values())))


@cache
def _table() -> dict[str, Entry]:
    """The entries of litellm's table that price a conversation by its tokens, by key."""
    return {key: entry for key, entry in price_table_entries().items() if _is_priced(entry)}


def _is_priced(entry: Entry) -> bool:
    if entry.get("mode") not in _MODES or entry.get("input_cost_per_request"):
        return False
    if any(name in entry for name in _OTHER_OUTPUT):
        return False
    tiers = entry.get("tiered_pricing") or [entry]
    if not all(isinstance(tier.get(f"{side}_cost_per_token"), int | float)
               for tier in tiers for side in ("input", "output")):  # fmt: skip
        return False
    free = not any(tier[f"{side}_cost_per_token"] for tier in tiers for side in ("input", "output"))
    return not free or provider_name(entry.get("litellm_provider")) in _OWN_MACHINES


def _rates(entry: Entry) -> Iterator[dict[str, object]]:
    """The prices of a token in USD, by range of the call's input tokens (above, up to and including)."""
    if entry.get("litellm_provider") == "fireworks_ai":
        entry = {"cache_read_input_token_cost": entry["input_cost_per_token"] * _FIREWORKS_CACHED, **entry}
    off_peak = entry.get("off_peak_pricing") or {}
    windows = off_peak_minutes(json.dumps(off_peak)) if off_peak else None
    for above, up_to, tier in _tiers(entry):
        cheap = {**tier, **{key: rate for key, rate in off_peak.items() if "_cost" in key}}
        yield {
            "above": above,
            "up_to": up_to,
            **{f"{rate}_usd": usd for rate, usd in _four(tier).items()},
            **{f"{rate}_off_peak_usd": usd for rate, usd in _four(cheap).items()},
            "off_peak": windows,
        }


def _four(tier: Entry) -> dict[str, float]:
    """Input, cached, output and reasoning tokens; a kind without a separate price has the price of its side."""
    given, got = tier["input_cost_per_token"], tier["output_cost_per_token"]
    cached, reasoning = tier.get("cache_read_input_token_cost"), tier.get("output_cost_per_reasoning_token")
    return {
        "input": float(given),
        "cached": float(given if cached is None else cached),
        "output": float(got),
        "reasoning": float(got if reasoning is None else reasoning),
    }


def _tiers(entry: Entry) -> Iterator[tuple[int, int, Entry]]:
    if entry.get("tiered_pricing"):
        tiers = sorted(entry["tiered_pricing"], key=lambda tier: float(tier["range"][0]))
        for tier, following in zip(tiers, [*tiers[1:], None], strict=True):
            yield int(tier["range"][0]), int(tier["range"][1]) if following else _ENDLESS, tier
        return
    steps = {int(step[1]) * (1000 if step[2] else 1): f"_above_{step[1]}{step[2]}_tokens"
             for name in entry if (step := _ABOVE.fullmatch(name))}  # fmt: skip
    # xAI's higher price begins at exactly this number of tokens, all others' above it.
    least = 1 if entry.get("litellm_provider") == "xai" else 0
    tier, above = entry, 0
    for threshold in sorted(steps):
        yield above, threshold - least, tier
        suffix, above = steps[threshold], threshold - least
        tier = {**tier, **{name.removesuffix(suffix): rate for name, rate in entry.items() if name.endswith(suffix)}}
    yield above, _ENDLESS, tier
