"""Small servers that answer as the APIs of Langfuse and Phoenix are documented to, with faults on request."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.serving import Quiet, serving

PUBLIC, SECRET, PHOENIX_KEY = "pk-lf-0123456789", "sk-lf-9876543210", "phx-key-0123456789"
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Server:
    """What a fake server has, and what it was asked. `faults` are other answers to requests, by their number."""

    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    faults: dict[int, Answer] = field(default_factory=dict)
    answer: Callable[[str, dict[str, list[str]]], Answer | None] = lambda path, query: None
    has_cursors: bool = True
    authorization: str = ""
    host: str = ""

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


def page(data: list[Any], **fields: Any) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps({"data": data, **fields}).encode()


def generation(call_id: str, at: str, **fields: Any) -> dict[str, Any]:
    """An observation as `GET /api/public/v2/observations` gives it."""
    return {
        "id": call_id, "traceId": f"t-{call_id}", "projectId": "p", "parentObservationId": None, "type": "GENERATION",
        "name": "chat", "startTime": at, "endTime": at, "level": "DEFAULT", "environment": "default", "userId": "u1",
        "sessionId": "s1", "providedModelName": "gpt-4o-mini", "input": json.dumps([{"role": "user", "content": "Hi"}]),
        "output": "Ho", "usageDetails": {"input": 3, "output": 4}, "promptName": "triage", "promptVersion": 2, **fields,
    }  # fmt: skip


def score(score_id: str, call_id: str, at: str) -> dict[str, Any]:
    """A score as `GET /api/public/v3/scores?fields=details,subject` gives it."""
    return {
        "id": score_id, "projectId": "p", "name": "thumb", "value": 1, "dataType": "NUMERIC", "source": "API",
        "timestamp": at, "environment": "default", "createdAt": at, "updatedAt": at, "comment": None,
        "subject": {"kind": "observation", "id": call_id, "traceId": f"t-{call_id}"},
    }  # fmt: skip


def span(span_id: str, at: str, kind: str = "LLM") -> dict[str, Any]:
    """A span as `GET /v1/projects/{project}/spans` gives it."""
    return {
        "id": f"U3Bhbjo{span_id}", "name": "chat", "context": {"trace_id": "a" * 32, "span_id": span_id},
        "span_kind": kind, "parent_id": None, "start_time": at, "end_time": at, "status_code": "OK",
        "status_message": "", "events": [],
        "attributes": {"llm.model_name": "gpt-4o-mini", "input.value": "Hi", "output.value": "Ho"},
    }  # fmt: skip


def annotation(span_id: str, at: str) -> dict[str, Any]:
    """An annotation as `GET /v1/projects/{project}/span_annotations` gives it."""
    return {
        "id": f"U3A{span_id}", "created_at": at, "updated_at": at, "source": "APP", "user_id": None, "name": "helpful",
        "annotator_kind": "HUMAN", "result": {"label": "yes", "score": 1.0, "explanation": None}, "metadata": {},
        "identifier": "", "span_id": span_id,
    }  # fmt: skip


def _within(record: dict[str, Any], name: str, begin: str, end: str) -> bool:
    return datetime.fromisoformat(begin) <= datetime.fromisoformat(record[name]) < datetime.fromisoformat(end)


def _by_cursor(records: list[Any], query: dict[str, list[str]], most: int) -> tuple[list[Any], str | None]:
    limit, first = int(query["limit"][0]), int(query.get("cursor", ["0"])[0].removeprefix("c"))
    assert limit <= most, "the server answers such a request with status 400"
    return records[first : first + limit], f"c{first + limit}" if first + limit < len(records) else None


def _langfuse(server: Server, path: str, query: dict[str, list[str]]) -> Answer | None:
    name = path.rsplit("/", 1)[-1]
    bounds = ("fromStartTime", "toStartTime") if name == "observations" else ("fromTimestamp", "toTimestamp")
    time = "startTime" if name == "observations" else "timestamp"
    records = [one for one in server.records[name] if _within(one, time, query[bounds[0]][0], query[bounds[1]][0])]
    if name == "observations":
        records = [one for one in records if one["type"] == query["type"][0]]
    if path in ("/api/public/v2/observations", "/api/public/v3/scores") and server.has_cursors:
        found, cursor = _by_cursor(records, query, 1000 if name == "observations" else 100)
        return page(found, meta={"cursor": cursor} if cursor else {})
    if path in ("/api/public/observations", "/api/public/v2/scores") and not server.has_cursors:
        number, limit = int(query.get("page", ["1"])[0]), int(query["limit"][0])
        assert limit <= 100, "the server answers such a request with status 400"
        pages = -(-len(records) // limit)
        meta = {"page": number, "limit": limit, "totalItems": len(records), "totalPages": pages}
        return page(records[(number - 1) * limit : number * limit], meta=meta)
    return None


def _phoenix(server: Server, path: str, query: dict[str, list[str]]) -> Answer | None:
    if path == "/v1/projects/desk/spans":
        bounds = query["start_time"][0], query["end_time"][0]
        found, cursor = _by_cursor(
            [one for one in server.records["spans"] if _within(one, "start_time", *bounds)], query, 1000
        )
        return page(found, next_cursor=cursor)
    if path == "/v1/projects/desk/span_annotations":
        ids = query["span_ids"]
        assert len(ids) <= 1000
        found, cursor = _by_cursor(
            [one for one in server.records["annotations"] if one["span_id"] in ids], query, 10000
        )
        return page(found, next_cursor=cursor)
    return None


@contextmanager
def running(kind: str, **records: list[dict[str, Any]]) -> Iterator[Server]:
    """A server of the kind `langfuse` or `phoenix` on loopback that has these records."""
    pair = base64.b64encode(f"{PUBLIC}:{SECRET}".encode()).decode()
    authorization = f"Basic {pair}" if kind == "langfuse" else f"Bearer {PHOENIX_KEY}"
    server = Server(records=records, authorization=authorization)
    answers = _langfuse if kind == "langfuse" else _phoenix

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            server.asked.append((parts.path, query))
            code, headers, body = (
                (401, {}, b"{}") if self.headers["Authorization"] != server.authorization
                else server.faults.pop(len(server.asked), None)
                or server.answer(parts.path, query)
                or answers(server, parts.path, query)
                or (404, {"Content-Type": "application/json"}, b'{"message": "not found"}')
            )  # fmt: skip
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as http:
        server.host = f"http://127.0.0.1:{http.server_address[1]}"
        yield server
