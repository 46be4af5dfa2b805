"""A call's cost is litellm's own, or it is unknown."""

import random
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from flows.ingest.map import pricing

AT = datetime(2026, 3, 4, 2, 30, tzinfo=UTC)  # a Wednesday, when nothing is off-peak
OFF_PEAK = datetime(2026, 3, 6, 23, 59, tzinfo=UTC)  # a Friday, and in Shanghai a Saturday
COLUMNS = pa.schema(
    [
        ("call_id", pa.string()),
        ("model_served", pa.string()),
        ("model_requested", pa.string()),
        ("provider", pa.string()),
        ("started_at", pa.timestamp("us", tz="UTC")),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("cached_tokens", pa.int64()),
        ("reasoning_tokens", pa.int64()),
        ("cost_usd", pa.float64()),
        ("status", pa.string()),
        ("cache_hit", pa.bool_()),
    ]
)


def priced(*calls: dict[str, Any]) -> list[tuple[float | None, str]]:
    """cost_usd and cost_source of each call; what a call does not say is usual."""
    usual = {"provider": "openai", "started_at": AT, "input_tokens": 1000, "output_tokens": 100, "status": "success"}
    rows = [{"call_id": f"{number:05}", **usual, **call} for number, call in enumerate(calls)]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("calls", pa.Table.from_pylist(rows, schema=COLUMNS))
        found = connection.sql(
            f"select * from ({pricing.priced(connection, 'calls')}) order by call_id"
        ).to_arrow_table()
    assert set(found.column_names) == {*COLUMNS.names, "cost_source"}
    return [(row["cost_usd"], row["cost_source"]) for row in found.to_pylist()]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::UserWarning:pydantic")  # litellm's types make it warn, and load when first used
def test_costs_are_those_of_litellm_for_hundreds_of_models() -> None:
    import litellm
    from litellm.litellm_core_utils.llm_cost_calc.utils import generic_cost_per_token
    from litellm.types.utils import CompletionTokensDetailsWrapper, PromptTokensDetailsWrapper, Usage

    rng = random.Random(5)
    keys = sorted(pricing._table())
    special = [
        key
        for key in keys
        if any("_above_" in name or name in ("tiered_pricing", "off_peak_pricing") for name in pricing._table()[key])
    ]
    calls, expected = [], []
    for key in [*rng.sample(keys, 300), *special]:
        provider = pricing._table()[key]["litellm_provider"]
        calls_of_model = [
            (rng.choice((500, 31_000, 127_999, 128_001, 200_000, 200_001, 272_001, 900_000)), rng.randint(0, 5000))
            for _ in range(3)
        ]
        for given, got in calls_of_model:
            at = rng.choice((AT, OFF_PEAK, datetime(2026, 3, 7, 12, tzinfo=UTC)))
            cached, reasoning = rng.choice((0, given // 3)), rng.choice((0, got // 2))
            usage = Usage(
                prompt_tokens=given,
                completion_tokens=got,
                total_tokens=given + got,
                prompt_tokens_details=PromptTokensDetailsWrapper(cached_tokens=cached),
                completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens=reasoning),
            )
            info = litellm.get_model_info(key, custom_llm_provider=provider)
            cost = generic_cost_per_token(
                model=key, usage=usage, custom_llm_provider=provider, model_info=info, current_time=at
            )
            calls.append(
                {
                    "model_served": key,
                    "provider": provider,
                    "input_tokens": given,
                    "output_tokens": got,
                    "cached_tokens": cached,
                    "reasoning_tokens": reasoning,
                    "started_at": at,
                }
            )
            expected.append(sum(cost))
    found = priced(*calls)
    assert {source for _, source in found} == {"priced"}
    wrong = [
        (call, cost, (found_cost))
        for call, (found_cost, _), cost in zip(calls, found, expected, strict=True)
        if found_cost != pytest.approx(cost, rel=1e-9, abs=1e-12)
    ]
    assert not wrong, [*map(str, wrong)]


@pytest.mark.parametrize(
    ("served", "requested", "provider", "key"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o", "openai", "gpt-4o-2024-08-06"),
        ("gpt-4o-2024-08-06", "gpt-4o", "azure.ai.openai", "azure/gpt-4o-2024-08-06"),
        ("openai/gpt-4o", None, None, "gpt-4o"),
        ("azure/gpt-4o", None, "openai", "azure/gpt-4o"),
        (None, "gpt-4o", "openai", "gpt-4o"),
        ("gpt-4o-2031-01-01", "gpt-4o", "openai", "gpt-4o"),  # the alias is what is billed
        ("gpt-4o-2031-01-01", None, "openai", None),
        ("gpt-4o-2031-01-01", "my-router", "openai", None),
        ("some-llama", "gpt-4o", "openai", None),  # a router that is named like a model
        ("gpt-4o-mini-2031-01-01", "gpt-4o", "openai", None),
        ("gpt-4o", None, "self_hosted", None),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", None, "aws.bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0"),
        (
            "bedrock/us.anthropic.claude-3-5-sonnet-20240620-v1:0",
            None,
            None,
            "us.anthropic.claude-3-5-sonnet-20240620-v1:0",
        ),
        (
            "bedrock/converse/anthropic.claude-3-5-sonnet-20240620-v1:0",
            None,
            None,
            "anthropic.claude-3-5-sonnet-20240620-v1:0",
        ),
        ("claude-3-5-sonnet@20240620", None, "vertex_ai", "vertex_ai/claude-3-5-sonnet@20240620"),
        ("publishers/google/models/gemini-2.5-pro", None, "gcp.vertex_ai", "gemini-2.5-pro"),
        ("models/gemini-2.5-pro", None, "gemini", "gemini/gemini-2.5-pro"),
        ("text-embedding-3-small", None, "openai", None),
        ("gpt-audio", None, "openai", None),
        (None, None, None, None),
    ],
)
def test_a_model_is_found_by_its_names_and_never_by_anothers(
    served: str | None, requested: str | None, provider: str | None, key: str | None
) -> None:
    assert pricing.price_of(served, requested, provider) == key


def test_what_is_not_known_is_unknown_and_never_nought() -> None:
    known = {"model_served": "gpt-4o-2024-08-06"}
    assert priced(
        known,
        {**known, "cost_usd": 0.5},
        {**known, "cost_usd": 0.0},
        {**known, "input_tokens": None},
        {**known, "output_tokens": None},
        {**known, "input_tokens": 0, "output_tokens": 0, "status": "error"},
        {**known, "cache_hit": True},
        {**known, "cache_hit": True, "cost_usd": 0.1},
        {"model_served": "nobody-knows"},
        {"model_served": "github_copilot/gpt-4o", "provider": "github_copilot"},
        {"model_served": "llama3", "provider": "ollama"},
        {**known, "cached_tokens": 5000, "reasoning_tokens": 5000},
    ) == [
        (pytest.approx(1000 * 2.5e-6 + 100 * 1e-5), "priced"),
        (0.5, "logged"),
        (0.0, "logged"),
        (None, "unknown"),
        (None, "unknown"),
        (None, "unknown"),
        (0.0, "priced"),
        (0.1, "logged"),
        (None, "unknown"),
        (None, "unknown"),
        (0.0, "priced"),
        (pytest.approx(1000 * 1.25e-6 + 100 * 1e-5), "priced"),
    ]


def test_a_batch_and_a_service_tier_have_their_own_prices_or_none() -> None:
    call = {"input_tokens": 1000, "output_tokens": 100, "cached_tokens": 400, "provider": "openai"}
    named = {**call, "model_served": "gpt-4o-2024-08-06"}
    rows = [
        {**named, "price_tier": None},
        {**named, "price_tier": "default"},
        {**named, "price_tier": "batch"},
        {**named, "price_tier": "Priority"},
        {**named, "price_tier": "flex"},  # which is not sold for this model
        {**call, "model_served": "gpt-4", "price_tier": "batch"},
    ]
    schema = COLUMNS.append(pa.field("price_tier", pa.string()))
    with duckdb.connect() as connection:
        connection.register("calls", pa.Table.from_pylist(rows, schema=schema))
        found = connection.sql(pricing.priced(connection, "calls")).to_arrow_table().to_pylist()
    usual = 600 * 2.5e-6 + 400 * 1.25e-6 + 100 * 1e-5
    assert "input_cost_per_token_batches" not in pricing._table()["gpt-4"]
    assert {(row["model_served"], row["price_tier"]): row["cost_usd"] for row in found} == {
        ("gpt-4o-2024-08-06", None): pytest.approx(usual),
        ("gpt-4o-2024-08-06", "default"): pytest.approx(usual),
        ("gpt-4o-2024-08-06", "batch"): pytest.approx(1000 * 1.25e-6 + 100 * 5e-6),
        ("gpt-4o-2024-08-06", "Priority"): pytest.approx(600 * 4.25e-6 + 400 * 2.125e-6 + 100 * 1.7e-5),
        ("gpt-4o-2024-08-06", "flex"): pytest.approx(usual),
        ("gpt-4", "batch"): None,
    }


def test_an_empty_table_and_one_with_a_source_of_its_costs_keep_their_columns() -> None:
    with duckdb.connect() as connection:
        connection.register("calls", COLUMNS.empty_table().append_column("cost_source", pa.array([], pa.string())))
        found = connection.sql(pricing.priced(connection, "calls")).to_arrow_table()
    assert found.column_names.count("cost_source") == 1
    assert len(found) == 0
