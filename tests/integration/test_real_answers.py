"""A night on real answers of real models: it must say what is known to be true of them."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.config import load
from flows.lake.lake import Lake, nightly_run_id
from flows.warehouse import query
from tests.integration import in_process
from tests.integration.servers import replayed, webhook
from tests.integration.workspaces import happy_numbers, leetcode, leetcode_logs

DAY = date(2023, 7, 25)
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("prefect_server")]


def rates(path: Path) -> dict[str, float]:
    rows = query(load.load_config(path).warehouse, "select model, pass_rate from marts.fct_eval_scores")
    return {row["model"]: row["pass_rate"] for row in rows}


def comparison(path: Path) -> dict[str, Any]:
    (row,) = query(load.load_config(path).warehouse, "select * from marts.fct_model_comparisons")
    return row


def run(path: Path, day: date = DAY) -> tuple[int, str]:
    """The exit code and the headline of a night."""
    done = in_process.genchi("nightly", "--config", str(path), "--day", str(day))
    assert done.stdout, done.stderr
    return done.returncode, done.stdout.strip().splitlines()[0]


def test_a_candidate_that_is_much_worse_is_on_the_page_and_wakes_nobody(tmp_path: Path, shared: Path) -> None:
    with replayed(shared, "happy_numbers.parquet") as url, webhook() as hook:
        path = happy_numbers(
            tmp_path, shared, url, "gpt-4-0314", "gpt-4-0613", hook=hook.url, criterion={"min_pass_rate": 0.8}
        )
        code, _ = run(path)
        assert rates(path) == pytest.approx({"gpt-4-0314": 0.836, "gpt-4-0613": 0.352})
        found = comparison(path)
        assert found["verdict"] == "worse"
        assert found["delta"] == pytest.approx(0.352 - 0.836)
        assert found["ci_low"] < found["delta"] < found["ci_high"] < -0.02
        assert code == 0
        assert [row for row in expectations(path) if not row["success"]] == []
        assert hook.received == []
        page = (path.parent / "reports" / DAY.isoformat() / "index.html").read_text(encoding="utf-8")
        assert "Still works" in page
        assert "Worse on happy/correct." in page

        again, _ = run(path)  # nothing is asked or doubled
        assert again == 0
        assert len(Lake(load.load_config(path).lake).read("completions", DAY, nightly_run_id(DAY))) == 1000


def test_a_model_that_got_better_is_exit_code_0_and_no_digest(tmp_path: Path, shared: Path) -> None:
    with replayed(shared, "happy_numbers.parquet") as url, webhook() as hook:
        path = happy_numbers(tmp_path, shared, url, "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613", hook=hook.url)
        code, _ = run(path)
        assert rates(path) == pytest.approx({"gpt-3.5-turbo-0301": 0.306, "gpt-3.5-turbo-0613": 0.482})
        assert comparison(path)["verdict"] == "better"
        assert code == 0
        assert hook.received == []
        assert [row for row in expectations(path) if not row["success"]] == []


def test_code_in_a_fence_is_said_to_be_wrapped_wrongly_and_not_to_be_worse(tmp_path: Path, shared: Path) -> None:
    with replayed(shared, "leetcode_easy.parquet") as url:
        path = leetcode(tmp_path, shared, url, "gpt-4-0314", "gpt-4-0613")
        code, _ = run(path)
    settings = load.load_config(path)
    found = query(settings.warehouse, "select model, criterion, pass_rate from marts.fct_eval_scores")
    assert {(row["model"], row["criterion"]): row["pass_rate"] for row in found} == pytest.approx({
        ("gpt-4-0314", "runs"): 0.52,
        ("gpt-4-0613", "runs"): 0.10,
        ("gpt-4-0314", "runs:unwrapped"): 0.52,
        ("gpt-4-0613", "runs:unwrapped"): 0.70,
    })  # fmt: skip
    verdicts = query(settings.warehouse, "select criterion, verdict from marts.fct_model_comparisons")
    assert {row["criterion"]: row["verdict"] for row in verdicts}["runs"] == "worse"
    assert {row["criterion"]: row["verdict"] for row in verdicts}["runs:unwrapped"] != "worse"
    (breach,) = query(settings.warehouse, "select kind, summary from marts.fct_breaches")
    assert breach["summary"].startswith(
        "On route code, gpt-4-0613 passes criterion runs 42.0 percentage points less often than gpt-4-0314"
    )
    assert breach["summary"].endswith(
        "Without code fences and text around them, answers pass 18.0 percentage points more often: only the"
        " formatting is worse."
    )
    assert code == 0  # a candidate wakes nobody; the page says it
    page = (settings.reports / str(DAY) / "index.html").read_text(encoding="utf-8")
    for said in ("runs:unwrapped", "52.0%", "10.0%", "70.0%", "only the formatting is worse"):
        assert said in page, said


def test_faults_of_a_provider_are_retried_and_change_no_rate(tmp_path: Path, shared: Path) -> None:
    faults = ("--fault", "429:0.15", "--fault", "500:0.1", "--garble-rate", "0.05")
    with replayed(shared, "happy_numbers.parquet", *faults) as url:
        path = happy_numbers(tmp_path, shared, url, "gpt-4-0314", "gpt-4-0613", examples=100)
        run(path)
        rows = Lake(load.load_config(path).lake).read("completions", DAY, nightly_run_id(DAY)).to_pylist()
    assert len(rows) == 200
    unanswered = [row for row in rows if row["status"] != "ok"]
    assert len(unanswered) <= 10  # several tries each: what is left is rare, and counted as unscored
    (row,) = query(load.load_config(path).warehouse, "select sum(n_unscored) as unscored from marts.fct_eval_scores")
    assert row["unscored"] == len(unanswered)


def test_real_answers_as_production_logs_land_without_loss_with_their_code_fences(tmp_path: Path, shared: Path) -> None:
    from flows.backfill import backfill

    path, rows = leetcode_logs(tmp_path, shared)
    settings = load.load_config(path)
    days = sorted({datetime.strptime(row["timestamp"], "%m/%d/%Y, %H:%M:%S").date() for row in rows})  # noqa: DTZ007 - the recording has no zone
    backfill(days[0], days[-1], str(path))
    manifests = [row for day in days for row in Lake(settings.lake).read("manifest", day).to_pylist()]
    assert sum(row["interactions"] for row in manifests) == sum(row["records"] for row in manifests) == 200
    landed = [row for day in days for row in Lake(settings.lake).read("interactions", day).to_pylist()]
    assert {(row["model_served"], row["input_text"], row["output_text"]) for row in landed} == {
        (row["model"].split("/")[-1], row["query"], row["answer"]) for row in rows
    }
    found = query(
        settings.warehouse,
        "select model_served, sum(value_current * n_current) / sum(n_current) as share, sum(n_current) as n"
        " from marts.fct_feature_skew_daily where side = 'output' and feature = 'code_fence'"
        " and reference = 'trailing' and prompt_version = '*' group by model_served",
    )
    shares = {row["model_served"]: (pytest.approx(row["share"]), row["n"]) for row in found}
    assert {model: share for model, share in shares.items() if model != "*"} == {
        "gpt-4-0314": (0.0, 50),
        "gpt-4-0613": (0.88, 50),
        "gpt-3.5-turbo-0301": (0.62, 50),
        "gpt-3.5-turbo-0613": (0.98, 50),
    }


def expectations(path: Path) -> list[dict[str, Any]]:
    return Lake(load.load_config(path).lake).read("expectation_results", DAY).to_pylist()
