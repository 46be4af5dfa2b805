"""Every provider's word for why an answer ended means one of the known values, or stays as it is."""

import pytest

from flows.llm.finish_reasons import common_reason


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ("stop", ["stop", "STOP", "FinishReason.STOP", 1, "COMPLETE", "eos_token", "FINISH", "REASON_STOP",
                  "completed"]),
        ("length", ["length", "MAX_TOKENS", 2, "model_length", "LENGTH", "max_output_tokens", "REASON_MAX_LEN",
                    "model_context_window_exceeded", "repetition_truncation", "ERROR_LIMIT", "REASON_MAX_CONTEXT"]),
        ("tool_calls", ["tool_calls", "tool-calls", "tool_call", "TOOL_CALL", "FinishReason.TOOL_CALL"]),
        ("content_filter", ["content_filter", "content-filter", "SAFETY", 3, 4, 8, "PROHIBITED_CONTENT", "BLOCKLIST",
                            "SPII", "guardrail_intervened", "content_filtered", "sensitive", "ERROR_TOXIC"]),
        ("error", ["error", "ERROR", "abort", "network_error", "insufficient_system_resource", "malformed_tool_use",
                   "MALFORMED_FUNCTION_CALL", "failed", "cancelled"]),
        ("end_turn", ["end_turn"]),
        ("max_tokens", ["max_tokens"]),
        ("tool_use", ["tool_use"]),
        ("recursion_limit", ["recursion_limit"]),
        (None, [None, "", 0, "0", "unknown", "FINISH_REASON_UNSPECIFIED", "null", "in_progress"]),
    ],
    ids=str,
)  # fmt: skip
def test_a_providers_word_means_a_known_value(known: str | None, words: list[object]) -> None:
    assert [common_reason(word) for word in words] == [known] * len(words)
