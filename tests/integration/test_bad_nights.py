"""What a night does when things are missing, down, run twice or killed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.config import load
from flows.errors import RunError
from flows.lake.lake import Lake, nightly_run_id
from flows.warehouse import query
from tests.integration.servers import prefect_api, replayed, webhook
from tests.integration.workspaces import happy_numbers

DAY = date(2026, 3, 2)
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("prefect_server")]
MARTS = (
    *("fct_usage_daily", "fct_structure_daily", "fct_feature_skew_daily", "fct_eval_scores"),
    *("fct_model_comparisons", "fct_slice_comparisons", "fct_breaches"),
)


def run(path: Path, day: date = DAY) -> Any:
    from flows.nightly import nightly

    return nightly(str(path), day)


def write_logs(folder: Path, day: date = DAY, calls: int = 40) -> dict[str, Any]:
    """A day's logs in genchi's own format; the keys that a configuration needs for them."""
    lines = [
        json.dumps({
            "call_id": f"{day}-{n}", "started_at": f"{day}T{n % 24:02}:00:00Z", "input_text": f"Question {n}?",
            "output_text": '{"answer": 1}', "model_served": "m", "route": "happy", "latency_ms": 100.0 + n,
        })
        for n in range(calls)
    ]  # fmt: skip
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / f"{day}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"sources": [{"name": "app", "format": "genchi", "path": "logs/{day}.jsonl"}]}


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every mart, and every table of the lake but the times that a night took, as sorted rows."""
    settings = load.load_config(path)
    marts = {
        name: sorted(tuple(map(str, row.values())) for row in query(settings.warehouse, f"from marts.{name}"))
        for name in MARTS
    }
    lake = {
        str(file.relative_to(settings.lake)): [(hashlib.sha256(file.read_bytes()).hexdigest(),)]
        for file in sorted(settings.lake.rglob("*.parquet"))
        if not {"night_runs", "fct_night_runs"} & set(file.parts)
    }
    return {**marts, **lake}


def test_a_missing_day_is_a_failed_critical_expectation_and_not_a_green_night(tmp_path: Path) -> None:
    sources = write_logs(tmp_path, date(2026, 3, 1))
    path = tmp_path / "genchi.yaml"
    with webhook() as hook:
        path.write_text(json.dumps({
            "app": "a", "lake": "lake", **sources, "alerts": [{"kind": "webhook", "url": hook.url}],
        }), encoding="utf-8")  # fmt: skip
        night = run(path)
        assert night.critical >= 1
        failed = [
            row for row in Lake(tmp_path / "lake").read("expectation_results", DAY).to_pylist() if not row["success"]
        ]
        assert {(row["suite"], row["severity"]) for row in failed} == {("landed_logs", "critical")}
        assert len(hook.received) == 1
        assert night.page.exists()


def test_a_stage_that_failed_is_a_failed_run_an_alert_and_no_green_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import nightly

    def fail(*_: object) -> None:
        raise RunError("dbt: the model fct_usage_daily failed")

    with webhook() as hook:
        path = tmp_path / "genchi.yaml"
        path.write_text(json.dumps({
            "app": "a", "lake": "lake", **write_logs(tmp_path), "alerts": [{"kind": "webhook", "url": hook.url}],
        }), encoding="utf-8")  # fmt: skip
        run(path)
        assert hook.received == []
        monkeypatch.setattr(nightly, "transform", fail)
        with pytest.raises(nightly.NightFailedError, match="transform: dbt: the model fct_usage") as failed:
            run(path)
        assert "Still works" not in failed.value.night.headline
        (digest,) = hook.received
        assert [(item["subject"], item["severity"]) for item in digest["items"]] == [("transform", "critical")]
    ends = prefect_api(
        "/flow_runs/filter", flow_runs={"name": {"any_": [f"nightly {DAY}"]}}, sort="START_TIME_DESC", limit=1
    )
    assert [(row["state"]["type"], row["state"]["name"]) for row in ends] == [("FAILED", "Failed")]


def test_a_provider_that_is_down_hides_no_drift_and_gives_no_verdict(tmp_path: Path, shared: Path) -> None:
    with webhook() as hook:
        path = happy_numbers(
            tmp_path, shared, "http://127.0.0.1:9/v1", "gpt-4-0314", "gpt-4-0613",
            hook=hook.url, examples=60, **write_logs(tmp_path),
        )  # fmt: skip
        night = run(path)
        settings = load.load_config(path)
        assert query(settings.warehouse, "select sum(calls) as n from marts.fct_usage_daily")[0]["n"] == 40
        assert query(settings.warehouse, "select count(*) as n from marts.fct_feature_skew_daily")[0]["n"] > 0
        (row,) = query(settings.warehouse, "select * from marts.fct_model_comparisons")
        assert (row["verdict"], row["delta"]) == ("insufficient", None)
        scores = query(settings.warehouse, "select * from marts.fct_eval_scores")
        assert {(row["pass_rate"], row["n_unscored"]) for row in scores} == {(None, 60)}
        assert night.critical >= 1
        assert len(hook.received) == 1


def test_a_second_run_of_a_day_leaves_every_table_as_it_was(tmp_path: Path, shared: Path) -> None:
    with replayed(shared, "happy_numbers.parquet") as url:
        path = happy_numbers(tmp_path, shared, url, "gpt-4-0314", "gpt-4-0613", examples=40, **write_logs(tmp_path))
        run(path)
        once = tables(path)
        run(path)
    assert tables(path) == once


def journaled(lake: Path) -> int:
    return sum(len(path.read_bytes().splitlines()) for path in lake.glob("_journal/*.jsonl"))


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "logs are landing": lambda lake: (lake / "interactions").exists(),
    "dbt is building": lambda lake: (lake / "warehouse.duckdb").exists(),
    "models are asked": lambda lake: journaled(lake) >= 30,
    "scores are landing": lambda lake: (lake / "scores" / f"day={DAY}" / f"nightly-{DAY}.parquet").exists(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_night_that_is_killed_is_repaired_by_the_next_and_pays_for_no_answer_twice(
    tmp_path: Path, shared: Path, moment: str
) -> None:
    lake = tmp_path / "lake"
    with replayed(shared, "happy_numbers.parquet", "--delay-ms", "100") as url:
        path = happy_numbers(
            tmp_path, shared, url, "gpt-4-0314", "gpt-4-0613", examples=60, budget={"concurrency": 8},
            **write_logs(tmp_path),
        )  # fmt: skip
        command = [sys.executable, "-m", "flows.cli", "nightly", "--config", str(path), "--day", str(DAY)]
        killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        while killed.poll() is None and not MOMENTS[moment](lake):
            time.sleep(0.005)
        assert killed.poll() is None, "the night ended before the moment came"
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        half = [file for file in lake.rglob("*.parquet") if file.read_bytes()[-4:] != b"PAR1"]
        assert half == []
        run(path)
        rows = Lake(tmp_path / "lake").read("completions", DAY, nightly_run_id(DAY)).to_pylist()
        assert len(rows) == 120
        assert all(row["status"] == "ok" for row in rows)
        asked = stats(url)
        assert asked <= 120 + 8  # only what was in flight when it died is asked again
    assert query(load.load_config(path).warehouse, "select sum(calls) as n from marts.fct_usage_daily")[0]["n"] == 40


def stats(url: str) -> int:
    import httpx

    counted: dict[str, int] = httpx.get(url.replace("/v1", "/stats")).json()
    return sum(count for name, count in counted.items() if name.startswith("model "))
