"""Real traffic of OpenAI's client, logged as pairs and as a batch's files, must land as the server saw it."""

import json
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import openai
import pytest

from flows.ingest.map.mapper import Mapped
from tests.integration.servers import replayed
from tests.integration.workspaces import rows_of
from tests.reading import mapped as mapped_records
from tests.reading import user_key

pytestmark = pytest.mark.long

MODELS = ("gpt-4-0314", "gpt-4-0613")
CALLS = 40


def mapped(*records: dict[str, Any]) -> Mapped:
    return mapped_records("openai", *records)


@pytest.fixture(scope="module")
def traffic(shared: Path) -> list[dict[str, Any]]:
    """Pairs as an application logs them: the request, and what the client gave back; a failed one has the error."""
    questions = list(dict.fromkeys(row["query"] for row in rows_of(shared, "happy_numbers")))[: CALLS // len(MODELS)]
    pairs: list[dict[str, Any]] = []
    with (
        replayed(shared, "happy_numbers.parquet") as url,
        openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client,
    ):
        for number, (model, question) in enumerate((m, q) for m in MODELS for q in [*questions, "never asked before"]):
            request: Any = {
                "model": model, "temperature": 0, "user": f"user-{number % 3}",
                "messages": [{"role": "system", "content": "Think."}, {"role": "user", "content": question}],
                "metadata": {"route": "happy", "team": "a"},
            }  # fmt: skip
            pair = {"call_id": f"mine-{number}", "request": request, "started_at": 1772445600 + number}
            try:
                pairs.append({**pair, "response": client.chat.completions.create(**request).model_dump()})
            except openai.APIStatusError as error:
                pairs.append({**pair, "response": None, "error": error.body})
        with urlopen(url.removesuffix("/v1") + "/stats") as answer:
            seen = json.load(answer)
    assert (seen["status 200"], seen["status 404"]) == (CALLS, len(MODELS))
    assert all(seen[f"model {model}"] == CALLS // len(MODELS) + 1 for model in MODELS)
    return pairs


def test_every_pair_lands_with_what_was_asked_and_answered(traffic: list[dict[str, Any]]) -> None:
    rows = {row["call_id"]: row for row in mapped(*traffic).interactions.to_pylist()}
    assert len(rows) == len(traffic) == CALLS + len(MODELS)
    for pair in traffic:
        request, response = pair["request"], pair["response"]
        row = rows[response["id"] if response else pair["call_id"]]
        assert row["user_key"] == user_key(request["user"])
        assert row["route"] == "happy"
        assert row["started_at"].timestamp() == pair["started_at"]
        assert row["model_requested"] == request["model"]
        assert row["input_text"] == request["messages"][-1]["content"]
        assert json.loads(row["messages_json"]) == request["messages"]
        assert json.loads(row["params_json"]) == {"model": request["model"], "temperature": 0}
        assert json.loads(row["tags"]) == {"team": "a"}
        if response is None:
            assert (row["status"], row["error_type"]) == ("error", "not_found")
            assert row["error_message"] == "no recording for this model and question"
            assert row["output_text"] is None
            continue
        assert row["status"] == "success"
        assert row["model_served"] == response["model"]
        assert row["system_fingerprint"] == "fp_replay"
        assert row["output_text"] == response["choices"][0]["message"]["content"]
        assert row["finish_reason"] == "stop"
        assert row["input_tokens"] == response["usage"]["prompt_tokens"]
        assert row["output_tokens"] == response["usage"]["completion_tokens"]


def test_a_batchs_output_lands_alone_and_gets_its_questions_where_the_input_stands_with_it(
    traffic: list[dict[str, Any]],
) -> None:
    output = [
        {
            "id": f"batch_req_{number}", "custom_id": f"c{number}", "error": None,
            "response": {"status_code": 200, "request_id": f"req_{number}", "body": pair["response"]}
            if pair["response"]
            else {"status_code": 404, "request_id": f"req_{number}", "body": {"error": pair["error"]}},
        }
        for number, pair in enumerate(traffic)
    ]  # fmt: skip
    asked = [
        {"custom_id": f"c{number}", "method": "POST", "url": "/v1/chat/completions", "body": pair["request"]}
        for number, pair in enumerate(traffic)
    ]
    alone, joined = mapped(*output), mapped(*asked, *output)
    for result in (alone, joined):
        assert len(result.interactions) == CALLS
        assert len(result.refused) == len(MODELS)
        assert {reason.split(":")[0] for reason in result.refused.column("reason").to_pylist()} == {
            "a failed line of a batch"
        }
    assert len(joined.other) == len(traffic)
    assert alone.interactions.column("messages_json").null_count == CALLS
    answers = {pair["response"]["id"]: pair for pair in traffic if pair["response"]}
    for row in joined.interactions.to_pylist():
        pair = answers[row["call_id"]]
        assert row["input_text"] == pair["request"]["messages"][-1]["content"]
        assert row["output_text"] == pair["response"]["choices"][0]["message"]["content"]
        assert row["started_at"].timestamp() == pair["response"]["created"]
        assert json.loads(row["tags"])["custom_id"] == f"c{traffic.index(pair)}"
