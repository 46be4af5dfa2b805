"""What a team adds in its own workspace: the example folder in whole nights, and with a checkout that changes below."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.config import Config, load_config
from flows.errors import ConfigError
from flows.project import DBT_PROJECT, EXPECTATIONS, ROOT
from flows.transform.workspace_models import build_workspace
from flows.warehouse import query
from tests.integration.in_process import Done, genchi

pytestmark = pytest.mark.long
EXAMPLE = ROOT / "tests" / "examples" / "workspace"
FIRST, BEFORE, DAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
BROKEN = "select no_column from {{ ref('fct_usage_daily') }}\n"


@dataclass(frozen=True)
class Nights:
    """The workspace after two nights, of which the first had a model that fails, and what they printed."""

    config: Config
    failed: Done
    fine: Done


def copied(folder: Path) -> Path:
    """The example in a folder of its own, where nothing is written to the checkout; its genchi.yaml."""
    return Path(shutil.copytree(EXAMPLE, folder)) / "genchi.yaml"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Nights:
    path = copied(tmp_path_factory.mktemp("extended") / "workspace")
    broken = path.parent / "dbt" / "models" / "desk_broken.sql"
    broken.write_text(BROKEN, encoding="utf-8")
    failed = genchi("nightly", "--config", str(path), "--day", str(BEFORE))
    broken.unlink()
    fine = genchi("nightly", "--config", str(path), "--day", str(DAY))
    return Nights(load_config(path), failed, fine)


def manifest(config: Config) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((config.state / "_dbt" / "target-workspace" / "manifest.json").read_bytes())
    return found


def test_a_night_builds_and_tests_the_models_of_the_workspace(nights: Nights) -> None:
    assert nights.fine.returncode == 0, nights.fine.stderr
    rows = query(nights.config.warehouse, "select * from marts.desk_questions_daily where day = ?", [DAY])
    assert {row["topic"]: row["n_questions"] for row in rows} == {"cards": 3, "hours": 4, "loans": 5, "rooms": 5}
    results = json.loads((nights.config.state / "_dbt" / "target-workspace" / "run_results.json").read_bytes())
    statuses = {row["unique_id"].split(".")[2]: row["status"] for row in results["results"]}
    assert statuses["no_topic_has_more_questions_than_calls"] == "pass"
    assert statuses["is_key_on_desk_questions_daily_day__route__topic"] == "pass"


def test_a_feature_of_the_workspace_is_measured_as_a_built_in_one_is(nights: Nights) -> None:
    rows = query(
        nights.config.warehouse,
        "select feature, side, n_reference, n_current, value_current, feature_kind from marts.fct_feature_skew_daily"
        " where day = ? and route = 'desk' and reference = 'trailing' and model_served = '*' and prompt_version = '*'"
        " and feature in ('greets', 'digit_count', 'names_day_again', 'refusal')",
        [DAY],
    )
    found = {(row["feature"], row["side"]): row for row in rows}
    assert set(found) == {
        *(("greets", "output"), ("digit_count", "input"), ("digit_count", "output")),
        *(("names_day_again", "pair"), ("refusal", "output")),
    }
    for row in found.values():
        assert (row["n_reference"], row["n_current"]) == (13, 14)
    assert found["greets", "output"]["value_current"] == pytest.approx(4 / 14)
    assert found["digit_count", "output"]["feature_kind"] == "number"


def test_a_model_that_fails_is_told_with_its_file_and_the_marts_are_built(nights: Nights) -> None:
    assert nights.failed.returncode == 3
    told = "workspace: dbt: dbt/models/desk_broken.sql: the model desk_broken failed: Binder Error"
    assert told in nights.failed.stderr
    page = (nights.config.reports / str(BEFORE) / "index.html").read_text(encoding="utf-8")
    assert "desk_broken.sql" in page
    usage = query(
        nights.config.warehouse, "select calls from marts.fct_usage_daily where day = ? and route = 'desk'", [BEFORE]
    )
    assert [row["calls"] for row in usage] == [13]


def test_docs_and_selections_have_the_models_of_the_workspace(
    nights: Nights, capfd: pytest.CaptureFixture[str]
) -> None:
    path = str(nights.config.path)
    assert genchi("dbt", "docs", "generate", "--config", path, "--day", str(DAY)).returncode == 0
    known = manifest(nights.config)
    model = "model.workspace.desk_questions_daily"
    assert set(known["parent_map"][model]) == {
        *("source.genchi.lake.interactions", "model.genchi.fct_usage_daily", "seed.workspace.desk_topics")
    }
    assert "exposure.workspace.desk_dashboard" in known["child_map"][model]
    assert "exposure.workspace.desk_dashboard" in known["child_map"]["model.genchi.fct_feature_skew_daily"]
    catalog = json.loads((nights.config.state / "_dbt" / "target-workspace" / "catalog.json").read_bytes())
    assert "share_of_calls" in catalog["nodes"][model]["columns"]
    build = genchi("dbt", "build", "-s", "desk_questions_daily", "--config", path, "--day", str(DAY))
    assert build.returncode == 0
    assert "PASS=" in capfd.readouterr().out + build.stdout


def test_what_dbt_cannot_read_is_a_wrong_configuration_with_its_file(nights: Nights) -> None:
    models = nights.config.workspace / "dbt" / "models"
    for text, told in [
        ("select * from {{ ref('no_such_model') }}\n", "depends on a node named 'no_such_model' which was not found"),
        ("select {{ half( }}\n", "unexpected '}'"),
    ]:
        wrong = models / "desk_wrong.sql"
        wrong.write_text(text, encoding="utf-8")
        try:
            with pytest.raises(ConfigError, match=r"dbt: .*dbt/models/desk_wrong\.sql") as error:
                build_workspace(nights.config, DAY, DAY)
        finally:
            wrong.unlink()
        assert told in str(error.value)
        assert "\n" not in str(error.value)


def fingerprint(folder: Path) -> str:
    """One hash of all names and contents below a folder."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def checkout(folder: Path) -> Path:
    """What runs of the checkout, as a checkout of its own."""
    for part in (ROOT / "flows", DBT_PROJECT, EXPECTATIONS):
        shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A verb of that checkout, which writes no byte code."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=root.parent, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def without(path: Path, line: str) -> None:
    """Take one line out of a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(line) == 1
    path.write_text(text.replace(line, ""), encoding="utf-8")


def test_extensions_go_on_when_the_checkout_below_is_upgraded(tmp_path: Path) -> None:
    older, newer = checkout(tmp_path / "older"), checkout(tmp_path / "newer")
    models = older / "dbt_project" / "models" / "intermediate"
    without(models / "int_text_features.sql", "        {{ has_part('text_value', '```') }} as code_fence,\n")
    without(
        older / "dbt_project" / "seeds" / "features.csv",
        "code_fence,share,flag,both,true,warning,with a code fence,usefulness\n",
    )
    path = copied(tmp_path / "workspace")
    before = fingerprint(older), fingerprint(newer)

    first = run(older, "backfill", "--config", str(path), "--start", str(FIRST), "--end", str(BEFORE))
    assert first.returncode == 0, first.stderr
    second = run(newer, "nightly", "--config", str(path), "--day", str(DAY))
    assert second.returncode == 0, second.stderr

    assert (fingerprint(older), fingerprint(newer)) == before
    warehouse = load_config(path).warehouse
    days = query(warehouse, "select distinct day from marts.desk_questions_daily order by day")
    assert [row["day"] for row in days] == [FIRST, BEFORE, DAY]
    measured = query(
        warehouse,
        "select distinct feature, day from marts.fct_feature_skew_daily where feature in ('greets', 'code_fence')",
    )
    found = {(row["feature"], row["day"]) for row in measured}
    assert {("greets", day) for day in (FIRST, BEFORE, DAY)} <= found
    assert [day for feature, day in found if feature == "code_fence"] == [DAY]  # the newer checkout has run
