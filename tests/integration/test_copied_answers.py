"""Real programmers who copy from the answers of four models: the rates by model, with their intervals."""

import ast
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from scipy.stats import binomtest

from flows.config.load import Config, load_config
from flows.ingest import landing
from flows.transform.build import build
from flows.warehouse import query

DAY = date(2026, 3, 20)
NOON = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)


def log_of(shared: Path) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """The lines of a log, each task of a programmer a session; and by model how many answers were copied, of all."""
    import pyarrow.parquet as pq

    source = shared / "data" / "realhumaneval" / "chat.parquet"
    if not source.exists():
        pytest.skip("no recorded chats of RealHumanEval in the shared data")
    lines, counts = [], dict[str, tuple[int, int]]()
    for n, row in enumerate(pq.read_table(source).to_pylist()):
        at = NOON + timedelta(seconds=row["timestamp"])
        is_copied = bool(ast.literal_eval(row["copy_events"] or "[]"))
        copied, calls = counts.get(row["model"], (0, 0))
        counts[row["model"]] = copied + is_copied, calls + 1
        lines.append(json.dumps({
            "call_id": str(n), "started_at": at.isoformat(), "route": "code", "model_served": row["model"],
            "session_id": f"{row['programmer_id']} {row['task_name']}", "user_key": str(row["programmer_id"]),
            "messages": ast.literal_eval(row["request"]), "output_text": row["response"], "status": "success",
        }))  # fmt: skip
        if is_copied:
            lines.append(json.dumps({"call_id": str(n), "kind": "copied", "at": at.isoformat(), "origin": "implicit"}))
    return lines, counts


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> tuple[Config, dict[str, tuple[int, int]]]:
    folder = tmp_path_factory.mktemp("copied")
    lines, counts = log_of(shared)
    (folder / "log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "genchi.yaml").write_text(
        "app: a\nlake: lake\nsources:\n  - {name: s, format: genchi, path: log.jsonl}\n", encoding="utf-8"
    )
    config = load_config(folder / "genchi.yaml")
    landing.land(config, DAY)
    build(config, DAY, DAY)
    return config, counts


@pytest.mark.long
def test_how_often_answers_are_copied_is_told_by_model_with_an_interval(
    built: tuple[Config, dict[str, tuple[int, int]]],
) -> None:
    config, counts = built
    rows = query(config.warehouse, "select * from marts.fct_feedback_daily where topic_id = '*' order by model_served")
    assert [row["model_served"] for row in rows] == sorted(counts)
    for row in rows:
        copied, calls = counts[row["model_served"]]
        assert (row["n_answer_copied"], row["of_answer_copied"]) == (copied, calls)
        interval = binomtest(copied, calls).proportion_ci(method="wilson")
        assert (row["answer_copied_low"], row["answer_copied_high"]) == pytest.approx(tuple(interval))
        assert (row["of_negative_feedback"], row["negative_feedback_rate"]) == (0, None)
        assert row["of_asked_again"] > 0.9 * calls
