"""`genchi compare` on recorded answers of real models, as a person runs it."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from flows.config import load
from flows.warehouse import query
from tests.integration import in_process
from tests.integration.servers import replayed
from tests.integration.workspaces import happy_numbers

DAY = date(2023, 7, 25)
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("prefect_server")]


def compare(path: Path, *more: str) -> tuple[int, list[str], str]:
    command = [sys.executable, "-m", "flows.cli", "compare", "--config", str(path), "--day", str(DAY), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_the_verdict_is_that_of_the_night_and_a_second_run_asks_nothing(tmp_path: Path, shared: Path) -> None:
    with replayed(shared, "happy_numbers.parquet") as url:
        path = happy_numbers(tmp_path, shared, url, "gpt-4-0314", "gpt-4-0613")
        models = ("--pinned", "gpt-4-0314", "--candidate", "gpt-4-0613", "--route", "happy")
        code, lines, progress = compare(path, *models)
        assert code == 1, progress
        assert lines[0].startswith("worse: correct (critical): gpt-4-0613 35.2 %, gpt-4-0314 83.6 % (pinned),")
        assert "difference -48.4 points" in lines[0]
        assert lines[1].startswith("regressed examples: correct: ")
        assert "1,000 requests sent" in progress
        done = in_process.genchi("compare", "--config", str(path), "--day", str(DAY), *models)
        again, progress = done.stdout.splitlines(), done.stderr
        assert again == lines
        assert " 0 requests sent, 1,000 answers reused" in progress
    run_id = lines[-1].removeprefix("run_id ")
    settings = load.load_config(path)
    assert set(settings.open_lake().names("completions", DAY)) == {run_id}
    (row,) = query(settings.warehouse, "select run_id, verdict from marts.fct_model_comparisons")
    assert row == {"run_id": run_id, "verdict": "worse"}


def test_a_provider_that_is_down_is_no_verdict_and_exit_code_3(tmp_path: Path, shared: Path) -> None:
    path = happy_numbers(tmp_path, shared, "http://127.0.0.1:9/v1", "gpt-4-0314", "gpt-4-0613", examples=2)
    models = ("--pinned", "gpt-4-0314", "--candidate", "gpt-4-0613", "--route", "happy")
    done = in_process.genchi("compare", "--config", str(path), "--day", str(DAY), *models)
    assert (done.returncode, done.stdout) == (3, "")
    told = done.stderr.splitlines()[-1]
    assert "nothing could be compared: 4 of 4 requests have no answer; gpt-4-0314: " in told
