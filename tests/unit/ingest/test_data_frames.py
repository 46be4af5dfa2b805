"""Traces that were exported as data frames: Phoenix's spans and Langfuse's observations, by pandas itself."""

import io
import json
from typing import Any

import pandas as pd
import pytest

from tests.reading import mapped_bytes

# Epochs are what pandas 3 writes unless told otherwise.
pytestmark = pytest.mark.filterwarnings("ignore:The default 'epoch' date format is deprecated")

WRITERS = {
    "parquet": lambda frame: frame.to_parquet(),
    "csv": lambda frame: frame.to_csv().encode(),
    "jsonl": lambda frame: frame.to_json(orient="records", lines=True).encode(),
    "json": lambda frame: frame.to_json(orient="records", date_format="iso").encode(),
}


def spans() -> pd.DataFrame:
    """Three spans with the columns of Phoenix's get_spans_dataframe."""
    start = pd.to_datetime(["2026-03-10T10:00:00Z"] * 3)
    asked = [{"message.role": "system", "message.content": "Be brief, it's late."},
             {"message.role": "user", "message.content": "Where is parcel 17?"}]  # fmt: skip
    calls = [{"tool_call.function.name": "find", "tool_call.function.arguments": '{"n": 17}'}]
    answered = [{"message.role": "assistant", "message.content": "It is in Graz.", "message.tool_calls": calls}]
    return pd.DataFrame(
        {
            "name": ["ChatCompletion", "chain", "ChatCompletion"], "span_kind": ["LLM", "CHAIN", "LLM"],
            "parent_id": ["00000000000000b2", None, "00000000000000b2"],
            "start_time": start, "end_time": start + pd.Timedelta(seconds=2),
            "status_code": ["OK", "OK", "ERROR"], "status_message": ["", "", "RateLimitError: too many"],
            "events": [[], [], []], "context.trace_id": ["1111222233334444aaaabbbbccccdddd"] * 3,
            "attributes.llm.model_name": ["gpt-4o", None, "gpt-4o"],
            "attributes.llm.input_messages": [asked, None, asked],
            "attributes.llm.output_messages": [answered, None, None],
            "attributes.llm.token_count.prompt": [12, None, None],
            "attributes.openinference.span.kind": ["LLM", "CHAIN", "LLM"],
            "attributes.session.id": ["s-1", "s-1", None], "attributes.metadata": [{"tier": "gold"}, None, None],
        },
        index=pd.Index(["00000000000000a1", "00000000000000b2", "00000000000000c3"], name="context.span_id"),
    )  # fmt: skip


@pytest.mark.parametrize("log_format", ["openinference", "otel"])
@pytest.mark.parametrize("kind", WRITERS)
def test_spans_of_a_data_frame_are_read(kind: str, log_format: str) -> None:
    frame = spans() if kind in ("parquet", "csv") else spans().reset_index()
    found = mapped_bytes(log_format, WRITERS[kind](frame), f"spans.{kind}")
    assert found.refused.num_rows == 0, found.refused.to_pylist()
    assert (found.interactions.num_rows, found.other.num_rows) == (2, 1)
    good, bad = sorted(found.interactions.to_pylist(), key=lambda row: row["call_id"])
    assert (good["call_id"], good["session_id"], good["model_requested"]) == ("00000000000000a1", "s-1", "gpt-4o")
    assert (good["input_text"], good["output_text"]) == ("Where is parcel 17?", "It is in Graz.")
    assert json.loads(good["messages_json"])[0] == {"role": "system", "content": "Be brief, it's late."}
    assert json.loads(good["output_json"])["tool_calls"][0]["function"]["name"] == "find"
    assert (good["input_tokens"], good["latency_ms"], good["status"]) == (12, 2000, "success")
    assert str(good["started_at"]) == "2026-03-10 10:00:00+00:00"
    assert (bad["status"], bad["error_message"]) == ("error", "RateLimitError: too many")


def observations() -> pd.DataFrame:
    """Observations as Langfuse's client returns them, as a data frame."""
    message: list[dict[str, Any]] = [{"role": "user", "content": "It's late, where is it?"}]
    return pd.DataFrame(
        [
            {
                "id": "o-1", "trace_id": "t-1", "type": "GENERATION", "name": "answer",
                "start_time": pd.Timestamp("2026-03-10T10:00:00Z"), "end_time": pd.Timestamp("2026-03-10T10:00:01Z"),
                "model": "gpt-4o", "input": message, "output": {"role": "assistant", "content": "In Graz."},
                "usage_details": {"input": 5, "output": 3, "total": 8}, "level": "DEFAULT", "metadata": {},
            }
        ]
    )  # fmt: skip


@pytest.mark.parametrize("kind", WRITERS)
def test_observations_of_a_data_frame_are_read(kind: str) -> None:
    frame = observations() if kind != "parquet" else observations().drop(columns="metadata")  # no empty struct
    found = mapped_bytes("langfuse", WRITERS[kind](frame), f"observations.{kind}")
    assert found.refused.num_rows == 0, found.refused.to_pylist()
    (row,) = found.interactions.to_pylist()
    assert (row["call_id"], row["input_text"], row["output_text"]) == ("o-1", "It's late, where is it?", "In Graz.")
    assert (row["input_tokens"], row["output_tokens"], row["model_requested"]) == (5, 3, "gpt-4o")


def test_a_text_that_only_looks_like_pythons_stays_as_it_is() -> None:
    given = ["{'a': nan}", "{'a'", "[{'a': 1}, oops", "{'a': " + "[" * 5000]
    lines = pd.DataFrame({"call_id": [str(n) for n in range(4)], "started_at": "2026-03-10", "input_text": given})
    buffer = io.BytesIO()
    lines.to_csv(buffer, index=False)
    found = mapped_bytes("genchi", buffer.getvalue(), "x.csv")
    assert found.interactions.column("input_text").to_pylist() == given
