"""Workspaces for the tests, made of the real data beside the checkout."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

CORRECT = {"name": "correct", "kind": "exact", "extract": r"boxed\{([^}]*)\}", "severity": "critical"}


def rows_of(shared: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(shared / "data" / "llmdrift" / f"{name}.parquet").to_pylist()
    return found


def happy_numbers(
    folder: Path, shared: Path, url: str, pinned: str, candidate: str, *,
    hook: str | None = None, criterion: dict[str, Any] | None = None, examples: int = 500, repeats: int = 1,
    **more: Any,
) -> Path:  # fmt: skip
    """A workspace that evaluates two recorded models on the happy numbers; the path of its genchi.yaml."""
    questions = {row["id"]: row for row in rows_of(shared, "happy_numbers")}
    chosen = list(questions.values())[:examples]
    lines = [
        json.dumps({"example_id": row["id"], "input": row["query"], "expected": row["ref_answer"]}) for row in chosen
    ]
    (folder / "happy.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "criteria.yaml").write_text(yaml.safe_dump([{**CORRECT, **(criterion or {})}]), encoding="utf-8")
    settings: dict[str, Any] = {
        "app": "happy-numbers",
        "lake": "lake",
        "routes": {
            "happy": {"holdout": "happy.jsonl", "criteria": "criteria.yaml", "repeats": repeats, "margin": 0.02}
        },
        "models": {
            "pinned": {"model": f"openai/{pinned}", "api_base": url, "name": pinned},
            "candidates": [{"model": f"openai/{candidate}", "api_base": url, "name": candidate}],
        },
        "budget": {"concurrency": 32},
        **({"alerts": [{"kind": "webhook", "url": hook}]} if hook else {}),
        **more,
    }
    path = folder / "genchi.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


# The judge of the recordings, a website, is not asked again: its verdicts are looked up, for an answer as it came and
# for the code in it.
_VERDICTS = """
import pyarrow.parquet as pq

ROWS = pq.read_table({recordings!r}).to_pylist()


def accepted(example, answer):
    mine = [row for row in ROWS if row["id"] == example["example_id"]]
    for row in mine:
        if row["answer"] == answer:
            return "Accepted" in row["Code_Submit"]
    for row in mine:
        if answer in row["answer"]:
            return "Accepted" in row["Clean_Code_Submit"]
    raise LookupError(answer)
"""


def leetcode(folder: Path, shared: Path, url: str, pinned: str, candidate: str) -> Path:
    """A workspace that evaluates two recorded models on easy LeetCode problems; the path of its genchi.yaml."""
    questions = {row["id"]: row["query"] for row in rows_of(shared, "leetcode_easy")}
    lines = [json.dumps({"example_id": name, "input": query}) for name, query in questions.items()]
    (folder / "problems.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recordings = str(shared / "data" / "llmdrift" / "leetcode_easy.parquet")
    (folder / "checks.py").write_text(_VERDICTS.format(recordings=recordings), encoding="utf-8")
    criterion = {"name": "runs", "kind": "python", "function": "checks:accepted", "severity": "critical"}
    (folder / "criteria.yaml").write_text(yaml.safe_dump([criterion]), encoding="utf-8")
    settings = {
        "app": "code",
        "lake": "lake",
        "routes": {"code": {"holdout": "problems.jsonl", "criteria": "criteria.yaml", "margin": 0.02}},
        "models": {
            "pinned": {"model": f"openai/{pinned}", "api_base": url, "name": pinned},
            "candidates": [{"model": f"openai/{candidate}", "api_base": url, "name": candidate}],
        },
    }
    path = folder / "genchi.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def leetcode_logs(folder: Path, shared: Path) -> tuple[Path, list[dict[str, Any]]]:
    """The 200 recorded answers to easy LeetCode problems as litellm's logs of production, and the rows themselves."""
    rows = rows_of(shared, "leetcode_easy")
    by_day: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        at = datetime.strptime(row["timestamp"], "%m/%d/%Y, %H:%M:%S").replace(tzinfo=UTC)
        model = row["model"].split("/")[-1]
        record = {
            "id": f"chatcmpl-{number}", "call_type": "completion", "status": "success", "stream": False,
            "custom_llm_provider": "openai", "model": model, "model_group": model,
            "startTime": at.timestamp(), "endTime": at.timestamp() + row["latency"],
            "prompt_tokens": 0, "completion_tokens": row["answer_token"], "response_cost": row["cost"],
            "messages": [{"role": "user", "content": row["query"]}],
            "response": {
                "id": f"chatcmpl-{number}", "model": model, "object": "chat.completion",
                "choices": [{"finish_reason": "stop", "index": 0,
                             "message": {"role": "assistant", "content": row["answer"]}}],
            },
            "metadata": {}, "hidden_params": {}, "request_tags": [], "model_parameters": {},
        }  # fmt: skip
        by_day.setdefault(at.date().isoformat(), []).append(json.dumps(record))
    for day, lines in by_day.items():
        (folder / "logs" / day).mkdir(parents=True)
        (folder / "logs" / day / "gateway.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "genchi.yaml"
    source = {"name": "gateway", "format": "litellm", "path": "logs/{day}/*.jsonl*", "route": "leetcode"}
    path.write_text(yaml.safe_dump({"app": "code", "lake": "lake", "sources": [source]}), encoding="utf-8")
    return path, rows
