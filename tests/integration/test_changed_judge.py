"""A judge behind an HTTP address is replaced on one night: the anchor set shows it, an incident says it, and marks."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flows.config.load import Config, load_config
from flows.evaluate.anchor import Regraded, regrade_anchors
from flows.evaluate.setup import read_setup
from flows.lake.lake import Lake, from_rows
from flows.transform.build import build
from flows.warehouse import query
from tests.serving import Quiet, serving

FIRST = date(2026, 5, 4)
NIGHTS, ANSWERS, RUDE, LOST = 5, 64, 32, 8


def server_that(judges: Callable[[str], bool]) -> ThreadingHTTPServer:
    """An OpenAI-compatible endpoint whose verdict is a function of the answer."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.loads(asked["messages"][1]["content"].split("\n")[3])["answer"]
            said = json.dumps({"reason": "so", "verdict": "yes" if judges(answer) else "no"})
            body = json.dumps({
                "id": "1", "object": "chat.completion", "created": 1, "model": "judge-2026",
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }).encode()  # fmt: skip
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def workspace(folder: Path, address: str) -> Config:
    """Calls of each night, and labels of those of the day before the first."""
    (folder / "h.jsonl").write_text("{}")
    (folder / "c.yaml").write_text("- {name: polite, kind: judge, question: 'Is it polite?'}")
    judge = f"{{model: openai/judge, api_base: '{address}/v1', api_key: k}}"
    (folder / "genchi.yaml").write_text(
        "app: a\nlake: lake\nroutes:\n  r: {holdout: h.jsonl, criteria: c.yaml}\n"
        f"models:\n  pinned: {{model: openai/old}}\n  judge: {judge}\n"
    )
    config = load_config(folder / "genchi.yaml")
    (criterion,) = read_setup(config).criteria["r"]
    lake = Lake(config.lake)
    for n in range(-1, NIGHTS):
        day = FIRST + timedelta(days=n)
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        calls: list[dict[str, Any]] = [
            {"call_id": f"{day}-{one}", "route": "r", "model_served": "m", "input_text": f"q{one}", "started_at": at,
             "output_text": f"{'rude' if one < RUDE else 'kind'} {one}", "status": "success"}
            for one in range(ANSWERS)
        ]  # fmt: skip
        scores = [
            {"subject": "interaction", "subject_id": call["call_id"], "criterion": name, "route": "r", "model": "m",
             "criterion_version": "v", "passed": True, "score": 1.0, "inclusion_probability": 1.0}
            for call in calls for name in ("polite", "short")
        ]  # fmt: skip
        lake.write("interactions", day, from_rows(calls, "interactions"))
        lake.write("scores", day, from_rows(scores, "scores"), f"production-{day}")
        if n < 0:
            labels = [
                {"label_id": call["call_id"], "subject": "interaction", "subject_id": call["call_id"], "route": "r",
                 "criterion": "polite", "criterion_version": criterion.version, "annotator": "a", "at": at,
                 "passed": call["output_text"].startswith("kind"), "queue_day": day}
                for call in calls
            ]  # fmt: skip
            lake.write("annotations", day, from_rows(labels, "annotations"))
    return config


def night(config: Config, n: int) -> Regraded:
    return regrade_anchors(read_setup(config), FIRST + timedelta(days=n))


@pytest.mark.long
def test_a_judge_that_is_replaced_is_an_incident_of_that_night(tmp_path: Path) -> None:
    strict = False

    def judges(answer: str) -> bool:
        kind, number = answer.split()
        return kind == "kind" and not (strict and int(number) < RUDE + LOST)

    with serving(server_that(judges)) as server:
        config = workspace(tmp_path, f"http://127.0.0.1:{server.server_port}")
        found = [night(config, n) for n in range(NIGHTS - 1)]
        strict = True
        found.append(night(config, NIGHTS - 1))
    assert [(one.asked, one.wanted) for one in found] == [(ANSWERS, ANSWERS)] * NIGHTS
    last = FIRST + timedelta(days=NIGHTS - 1)
    build(config, FIRST, last)
    anchors = query(config.warehouse, "select * from marts.fct_judge_anchors_daily order by day, route")
    assert [(row["day"], row["route"], row["is_changed"]) for row in anchors if row["p_value"] is not None] == [
        (FIRST + timedelta(days=n), route, n == NIGHTS - 1) for n in (3, 4) for route in ("*", "r")
    ]
    (breach,) = query(config.warehouse, "select * from marts.fct_breaches")
    assert (breach["kind"], breach["subject"], breach["severity"]) == ("judge_changed", "openai%2Fjudge", "warning")
    marks = query(
        config.warehouse,
        "select criterion, day, is_judge_changed from marts.fct_production_scores_daily where day >= ? order by all",
        [FIRST],
    )
    assert {(row["criterion"], row["is_judge_changed"]) for row in marks if row["day"] == last} == {
        ("polite", True), ("short", None),
    }  # fmt: skip
    assert not any(row["is_judge_changed"] for row in marks if row["day"] < last)
    incidents = query(config.warehouse, "select day, state, cause, title from marts.fct_incidents")
    assert [tuple(row.values()) for row in incidents] == [
        (
            last,
            "open",
            "openai/judge",
            "The judge openai/judge no longer judges as it did: it agrees with people on 87.5 %, before 100.0 %; 12.5 %"
            " of its verdicts differ from its usual ones, before 0.0 %",
        )
    ]
