"""An application of a few calls whose OpenAI client an instrumentation watches: run in a process of its own, for two
instrumentations of one client cannot live in one process.

    python -m tests.integration.instrumented <setting> <address> <model> <question> <another> <spans.jsonl> <logs.jsonl>

The setting is one of SETTINGS. What of the contents it may write is the environment's matter, and told there.
"""

import sys
from typing import Any

# Each way to run an instrumentation, and what it wants of the environment.
SETTINGS: dict[str, dict[str, str]] = {
    "v2_spans": {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
    },
    "v2_events": {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "event_only",
        "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
    },
    "v2_silent": {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"},
    "openllmetry": {"TRACELOOP_TRACE_CONTENT": "true"},
    "openinference": {},
}

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def calls(model: str, question: str, another: str) -> dict[str, dict[str, Any]]:
    """The application's calls, by name: the arguments of `chat.completions.create`."""
    system = {"role": "system", "content": "Answer in one word, «genau»."}
    asked = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Kyōto"}'},
    }
    return {
        "several": {
            "model": model,
            "messages": [
                system,
                {"role": "user", "content": "Are you there?"},
                {"role": "assistant", "content": "Yes."},
                {"role": "user", "content": question},
            ],
            "temperature": 0.5,
            "top_p": 0.9,
            "max_tokens": 500,
            "seed": 7,
            "user": "ada@example.org",
        },
        "parts": {
            "model": model,
            "messages": [{"role": "user", "content": [{"type": "text", "text": another}]}],
        },
        "asks_a_tool": {
            "model": model,
            "messages": [{"role": "user", "content": "How is the weather in Kyōto?"}],
            "tools": [WEATHER],
        },
        "has_asked_a_tool": {
            "model": model,
            "messages": [
                {"role": "user", "content": "How is the weather in Kyōto?"},
                {"role": "assistant", "content": None, "tool_calls": [asked]},
                {"role": "tool", "tool_call_id": "call_1", "content": "Rain."},
                {"role": "user", "content": question},
            ],
        },
        "streamed": {
            "model": model,
            "messages": [system, {"role": "user", "content": question}],
            "stream": True,
            "stream_options": {"include_usage": True},
        },
        "fails": {"model": "no-such-model", "messages": [{"role": "user", "content": "Anybody?"}]},
    }


def main() -> None:
    """Make the calls of `calls`, watched, inside one span of the application's own."""
    instrumentation, address, model, question, another, spans, logs = sys.argv[1:]

    from openai import APIStatusError, OpenAI
    from opentelemetry import trace
    from opentelemetry._logs import set_logger_provider
    from opentelemetry.exporter.otlp.json.file import FileSpanExporter
    from opentelemetry.exporter.otlp.json.file._log_exporter import FileLogExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create(
        {"service.name": "weather-desk", "service.version": "2.1", "deployment.environment.name": "staging"}
    )
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(FileSpanExporter(spans)))
    trace.set_tracer_provider(tracers)
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(FileLogExporter(logs)))
    set_logger_provider(loggers)
    _instrument(instrumentation)

    client = OpenAI(base_url=address, api_key="none", max_retries=0)
    with trace.get_tracer("weather-desk").start_as_current_span("the application's own"):
        for arguments in calls(model, question, another).values():
            try:
                answer = client.chat.completions.create(**arguments)
                if arguments.get("stream"):
                    list(answer)
            except APIStatusError:
                continue
    tracers.shutdown()
    loggers.shutdown()


def _instrument(name: str) -> None:
    if name.startswith("v2"):
        from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor as Official

        Official().instrument()
    elif name == "openllmetry":
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLLMetry

        OpenLLMetry().instrument()
    else:
        from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference

        OpenInference().instrument()


if __name__ == "__main__":
    main()
