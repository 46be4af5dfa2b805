"""A night as a trace of OpenTelemetry: a span for the night, and one for each stage.

OpenTelemetry's own environment variables say whether and where to: `OTEL_TRACES_EXPORTER`,
`OTEL_EXPORTER_OTLP_ENDPOINT` and what their exporter reads besides. Its SDK and an exporter are the user's to install;
without them nothing is sent. A tracer provider that somebody else has set up, such as `opentelemetry-instrument`, is
used as it is.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from importlib.metadata import entry_points
from typing import Any

from flows.errors import RunError, in_one_line
from flows.night import Night
from flows.night_runs import StageRun
from flows.outgoing import plain

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_FLUSH_MS = 5_000  # after which no further exporter is tried; one that is trying has a time limit of its own
_GROUP = "opentelemetry_traces_exporter"

_logger = logging.getLogger("genchi")


def export(app: str, night: Night) -> None:
    """Send the night where the environment says so. What goes wrong is a line of the log; it fails no night."""
    stages = night.runs.stages if night.runs else []
    names = list(exporters_asked_for())
    if not stages or not names:
        return
    try:
        provider, is_ours = _provider(names)
        _record(provider.get_tracer("genchi"), plain(app), night, stages)
        provider.force_flush(_FLUSH_MS)
        if is_ours:
            provider.shutdown()
    except Exception as error:  # a collector that is down, or an SDK that is not there, must not hide the night
        _logger.warning("no telemetry: %s", in_one_line(error))


def exporters_asked_for() -> Iterator[str]:
    """The entry points of the exporters that the environment names; none where it asks for none."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    has_endpoint = any(os.environ.get(name) for name in _ENDPOINTS)
    protocol = next((os.environ[name] for name in _PROTOCOLS if os.environ.get(name)), "http/protobuf")
    for name in os.environ.get("OTEL_TRACES_EXPORTER", "otlp" if has_endpoint else "").split(","):
        asked = name.strip()
        if asked == "otlp":
            yield "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
        elif asked and asked != "none":
            yield asked


def _provider(names: Sequence[str]) -> tuple[Any, bool]:
    """The tracer provider that is set up, or one with these exporters, and whether it is ours to shut down.

    Raises RunError for an exporter that is not installed.
    """
    from opentelemetry import trace  # noqa: PLC0415 - only where it is asked for
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above

    known = trace.get_tracer_provider()
    if isinstance(known, TracerProvider):
        return known, False
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "genchi")})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for name in names:
        found = list(entry_points(group=_GROUP, name=name))
        if not found:
            raise RunError(f"no exporter {name!r} of OpenTelemetry is installed; install it beside genchi")
        provider.add_span_processor(BatchSpanProcessor(found[0].load()()))
    return provider, True


def _record(tracer: Any, app: str, night: Night, stages: Sequence[StageRun]) -> None:
    """The spans with the times at which the stages ran."""
    from opentelemetry import trace  # noqa: PLC0415 - as above
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 - as above

    told: dict[str, Any] = {"genchi.app": app, "genchi.day": night.day.isoformat(), "genchi.severity": night.severity}
    whole = tracer.start_span("night", start_time=_ns(stages[0].started_at), attributes=told)
    within = trace.set_span_in_context(whole)
    for stage in stages:
        attributes = {
            "genchi.app": app,
            "genchi.day": night.day.isoformat(),
            "genchi.rows": stage.rows,
            "genchi.bytes": stage.bytes,
            "genchi.peak_memory_bytes": stage.peak_memory_bytes,
            **({} if stage.cost_usd is None else {"genchi.cost_usd": stage.cost_usd}),
        }
        start = _ns(stage.started_at)
        span = tracer.start_span(stage.stage, context=within, start_time=start, attributes=attributes)
        if stage.state != "ok":
            span.set_status(StatusCode.ERROR, stage.state)
        span.end(_end_of(stage))
    if night.failures:
        whole.set_status(StatusCode.ERROR, "; ".join(failure.partition(":")[0] for failure in night.failures))
    whole.end(max(map(_end_of, stages)))


def _end_of(stage: StageRun) -> int:
    return _ns(stage.started_at + timedelta(seconds=stage.seconds))


def _ns(moment: datetime) -> int:
    """Nanoseconds since 1970."""
    return int(moment.timestamp() * 1_000_000) * 1000
