"""A night is a trace where OpenTelemetry's own variables ask for one; where it cannot be sent, the night goes on."""

import json
import logging
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows import telemetry
from flows.config import load_config
from flows.night import Night
from flows.night_runs import NightRuns, StageRun

AT = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)


@pytest.fixture
def night(tmp_path: Path) -> Night:
    (tmp_path / "genchi.yaml").write_text("app: desk\nlake: lake\n", encoding="utf-8")
    runs = NightRuns(load_config(tmp_path / "genchi.yaml"), date(2026, 3, 2))
    of = {"run": runs.run, "started_at": AT, "bytes": 10, "peak_memory_bytes": 9}
    runs.stages = [
        StageRun(stage="ingest", position=1, seconds=2.0, rows=5, cost_usd=None, state="ok", **of),
        StageRun(stage="evaluate", position=2, seconds=60.0, rows=7, cost_usd=0.5, state="failed", **of),
    ]
    return Night(runs.day, failures=["evaluate: no key"], runs=runs)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRACES_EXPORTER", "SDK_DISABLED", "EXPORTER_OTLP_ENDPOINT", "EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(f"OTEL_{name}", raising=False)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, []),
        ({"EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, ["otlp_proto_http"]),
        ({"EXPORTER_OTLP_ENDPOINT": "x", "EXPORTER_OTLP_PROTOCOL": "grpc"}, ["otlp_proto_grpc"]),
        ({"EXPORTER_OTLP_ENDPOINT": "x", "TRACES_EXPORTER": "none"}, []),
        ({"EXPORTER_OTLP_ENDPOINT": "x", "SDK_DISABLED": "true"}, []),
        ({"TRACES_EXPORTER": "console, otlp"}, ["console", "otlp_proto_http"]),
    ],
)
def test_the_variables_of_opentelemetry_say_where_to(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: list[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_{name}", value)
    assert list(telemetry.exporters_asked_for()) == expected


def test_a_night_is_a_span_with_one_for_each_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], night: Night
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    telemetry.export("desk", night)
    decoder, text, spans = json.JSONDecoder(), capsys.readouterr().out.strip(), {}
    while text:
        span, end = decoder.raw_decode(text)
        spans[span["name"]], text = span, text[end:].strip()
    assert set(spans) == {"night", "ingest", "evaluate"}
    whole = spans["night"]
    assert whole["attributes"]["genchi.app"] == "desk"
    assert (whole["start_time"], whole["end_time"]) == ("2026-03-03T03:00:00.000000Z", "2026-03-03T03:01:00.000000Z")
    assert whole["status"]["status_code"] == "ERROR"
    assert spans["ingest"]["parent_id"] == whole["context"]["span_id"]
    assert spans["ingest"]["attributes"]["genchi.rows"] == 5
    assert spans["evaluate"]["attributes"]["genchi.cost_usd"] == 0.5
    assert spans["evaluate"]["status"]["status_code"] == "ERROR"
    assert spans["ingest"]["resource"]["attributes"]["service.name"] == "genchi"


def test_a_night_is_sent_at_once_and_nothing_of_it_runs_on(monkeypatch: pytest.MonkeyPatch, night: Night) -> None:
    # Imported here, because the exporter keeps the stdout that it is imported with.
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExportResult

    sent: list[list[str]] = []

    def export(_: Any, spans: Any) -> SpanExportResult:
        sent.append(sorted(span.name for span in spans))
        return SpanExportResult.SUCCESS

    monkeypatch.setattr(ConsoleSpanExporter, "export", export)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    before = set(threading.enumerate())
    telemetry.export("desk", night)
    assert sent == [["evaluate", "ingest", "night"]]
    assert set(threading.enumerate()) <= before


def test_an_exporter_that_is_not_installed_is_a_line_of_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, night: Night
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "nobody")
    monkeypatch.setattr(logging.getLogger("genchi"), "propagate", True)
    telemetry.export("desk", night)
    assert "no telemetry: no exporter 'nobody' of OpenTelemetry is installed" in caplog.text


def test_nothing_is_sent_unasked(capsys: pytest.CaptureFixture[str], night: Night) -> None:
    telemetry.export("desk", night)
    assert capsys.readouterr().out == ""
