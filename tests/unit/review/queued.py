"""A day's queue by hand, for the tests of the page."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from flows.config.load import Config
from flows.lake import from_rows
from tests.unit.review.labelled import DAY

Row = dict[str, Any]


def text(value: str, **more: Any) -> Row:
    """A part of a message that is text."""
    return {"type": "text", "name": None, "text": value, "cut": None} | more


def shown(question: str, answer: str, **more: Any) -> str:
    """What the page shows of a call: one question, one answer."""
    item = {
        "messages": [{"role": "user", "parts": [text(question)]}],
        "answer": {"parts": [text(answer)]},
        "other_answer": None,
        "expected": None,
        "call": {"call_id": "c", "latency_ms": 640.0, "cost_usd": 0.0021, "status": "ok"},
        "model": "gpt-hidden",
        "context": [],
    }
    return json.dumps(item | more)


def row(number: int, **more: Any) -> Row:
    """The row of one answer, judged to have failed by the judge where the number is a multiple of three."""
    is_failed = number % 3 == 0
    return {
        "position": number,
        "route": "triage",
        "subject": "interaction",
        "subject_id": f"call-{number}",
        "criterion": "correct",
        "criterion_version": "v1",
        "question": "Is the category right?",
        "draw": "random",
        "stratum": "judge:fail" if is_failed else "judge:pass",
        "stratum_size": 40,
        "sample_size": 4,
        "inclusion_probability": 0.1,
        "is_second": False,
        "reason": "the judge failed it" if is_failed else "drawn at random",
        "judge": "judge-model",
        "judge_verdict": not is_failed,
        "judge_reason": "because of the tone",
        "item_json": shown(f"Where is order {number}?", f"It is on its way, {number}."),
    } | more


def write_queue(config: Config, rows: Iterable[Row]) -> None:
    """The queue of DAY."""
    lake = config.open_lake()
    with lake.lock("test"):
        lake.write("review_queue", DAY, from_rows(rows, "review_queue"))


def write_table(config: Config, table: str, rows: Sequence[Row]) -> None:
    """Rows of DAY of any other table."""
    lake = config.open_lake()
    with lake.lock("test"):
        lake.write(table, DAY, from_rows(rows, table))
