"""Routes by a field of the record."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flows.config import Source, load_config, parse_path
from flows.ingest.map.route_field import field_at
from flows.ingest.map.workers import Workers
from flows.ingest.read import reader
from tests.unit.ingest.test_mapping import LITELLM
from tests.unit.ingest.test_spans import attributes_of, request, span

CALL = {"call_id": "c", "started_at": "2026-03-01T10:00:00Z", "input_text": "hi", "route": "logged"}


def routes(tmp_path: Path, log_format: str, route: str, *records: Any) -> list[str]:
    """The routes of records, as a night with that source has them."""
    settings = {"name": "s", "format": log_format, "path": "*.jsonl", "route": route}
    (tmp_path / "genchi.yaml").write_text(json.dumps({"app": "a", "lake": "lake", "sources": [settings]}), "utf-8")
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    config = load_config(tmp_path / "genchi.yaml")
    files = [reader.LogFile("s", "log.jsonl", lambda: (tmp_path / "log.jsonl").open("rb"))]
    with Workers(config, b"") as workers:
        several = workers.mapped((config.sources[0], batch) for batch in reader.read_files(files))
        return [route for one in several for route in one.interactions.column("route").to_pylist()]


@pytest.mark.parametrize(
    ("route", "found"),
    [("desk", "desk"), ("api.v1", "api.v1"), ("$.tags.job", "orders"), ('$.tags["a.b"]', "dotted"), ("$.tags.n", "7"),
     ("$.tags.none", "logged"), ("$.tags.run", "triage"), ("$.texts.job", "inner"), ("$.list[1].name", "second")],
)  # fmt: skip
def test_a_route_is_a_name_or_a_field_of_the_record(tmp_path: Path, route: str, found: str) -> None:
    tags = {"job": "orders", "a.b": "dotted", "n": 7, "run": "triage-0af76519-16cd-43dd-8448-eb211c80319c"}
    record = {**CALL, "tags": tags, "texts": json.dumps({"job": "inner"}), "list": [{"name": "a"}, {"name": "second"}]}
    assert routes(tmp_path, "genchi", route, record) == [found]


def test_a_field_that_names_no_route_leaves_the_logs_own_or_the_default(tmp_path: Path) -> None:
    records = [{**CALL, "call_id": "a"}, {**CALL, "call_id": "b", "route": None}, {**CALL, "call_id": "c", "job": "x"}]
    assert routes(tmp_path, "genchi", "$.job", *records) == ["logged", "default", "x"]


def test_a_spans_attributes_and_its_resource_have_their_names_in_a_path(tmp_path: Path) -> None:
    def call(job: str) -> dict[str, Any]:
        return span(attributes_of(gen_ai__operation__name="chat", app__job=job, gen_ai__prompt__name="logged"))

    whole = request(call("first"), {**call("second"), "spanId": "00000000000000a2"})
    whole["resourceSpans"][0]["resource"]["attributes"] = attributes_of(service__name="desk")
    assert routes(tmp_path, "otel", '$.attributes["app.job"]', whole) == ["first", "second"]
    assert routes(tmp_path, "otel", '$.resource.attributes["service.name"]', whole) == ["desk", "desk"]


def test_the_metadata_of_litellms_keys_can_name_the_route(tmp_path: Path) -> None:
    record = {**LITELLM, "metadata": {**LITELLM["metadata"], "user_api_key_alias": "team-desk"}}
    assert routes(tmp_path, "litellm", "$.metadata.user_api_key_alias", record) == ["team-desk"]


def test_what_litellms_callers_put_into_their_metadata_is_read(tmp_path: Path) -> None:
    told = {"generation_name": "summary", "trace_name": "t", "trace_release": "r9", "session_id": "s9",
            "trace_user_id": "ann"}  # fmt: skip
    record = {**LITELLM, "session_id": None, "end_user": None, "metadata": {"requester_metadata": told}}
    assert routes(tmp_path, "litellm", "", record) == ["summary"]


def test_a_path_that_is_none_is_refused_with_an_example() -> None:
    with pytest.raises(ValidationError, match="is not a valid field path"):
        Source(name="s", format="genchi", path="*", route="$.a[")


@pytest.mark.parametrize("record", ["", "[", "5", "null", '{"a": {"b": []}}', '{"resourceSpans": 5}'])
def test_a_record_without_the_field_has_no_route_by_it(record: str) -> None:
    assert field_at(record, parse_path("$.a.b")) is None
