"""While a run is in the middle of reading logs, what people decide is done at once, and the run loses nothing of it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import duckdb
import pytest

from flows import acknowledgements
from flows.cli import main
from flows.cli.review_command import acknowledge
from flows.config import Config, load_config
from flows.errors import LockedError
from flows.evaluate.propose.proposal_decisions import read_decisions
from flows.evaluate.suggest.suggestion_decisions import decided
from flows.lake import from_rows
from flows.review import try_collect
from flows.review.labels import Collected
from tests.other_processes import begun
from tests.unit.review.browsing import opened
from tests.unit.review.labelled import DAY
from tests.unit.review.test_decision_pages import PROPOSAL, SUGGESTION, form

# A night's stages that write what people write too, paused when all logs are read and staged, until all else is done:
# who waits for it waits for ever.
RUN = """
import sys
from flows import retention
from flows.config import load_config
from flows.ingest import landing
from flows.review.flow import labels
from tests.unit.review.labelled import DAY

merge = landing._Run.merge

def paused(run):
    print("staged", flush=True)
    sys.stdin.readline()
    return merge(run)

landing._Run.merge = paused
config = load_config(sys.argv[1])
with config.open_lake().run("nightly"):
    print(landing.land_days(config, DAY, DAY).summary())
    labels(config)
    retention.apply(config, DAY)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Config:
    (tmp_path / "logs").mkdir()
    calls = [{"call_id": f"new-{n}", "started_at": f"{DAY}T10:00:00Z", "input_text": f"q{n}"} for n in range(50)]
    (tmp_path / "logs" / f"{DAY}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in calls))
    (tmp_path / "h.jsonl").write_text('{"example_id": "0", "input": "q", "expected": "yes"}\n')
    (tmp_path / "c.yaml").write_text("- {name: right, kind: exact}\n")
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nsources: [{name: s, format: genchi, path: 'logs/{day}.jsonl'}]\n"
        "retention: {feedback: 30d}\nroutes: {triage: {holdout: h.jsonl, criteria: c.yaml}}\n"
    )
    config = load_config(tmp_path / "genchi.yaml")
    lake = config.open_lake()
    proposal = PROPOSAL | {"messages_json": '[{"role": "user", "content": "where is it <b>"}]'}
    suggestion = SUGGESTION | {"definition_json": '{"name": "short", "kind": "length", "max_words": 400}'}
    other = SUGGESTION | {"suggestion_id": "s2", "rank": 2}
    lake.write("criterion_suggestions", DAY, from_rows([suggestion, other], "criterion_suggestions"))
    lake.write("holdout_proposals", DAY, from_rows([proposal], "holdout_proposals"))
    old = {"call_id": "old", "route": "triage", "started_at": datetime(2024, 5, 14, 9, tzinfo=UTC)}
    lake.write("interactions", date(2024, 5, 13), from_rows([old], "interactions"))
    texts = "incident_id text, severity text, need text, title text, state text, n_breaches int"
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute(
            f"create schema marts; create table marts.fct_incidents (day date, {texts}, first_seen date)"
        )
        connection.execute(
            "insert into marts.fct_incidents values (?, 'inc-1', 'critical', 'reliable', 'calls failed', 'open', 1, ?)",
            [DAY, DAY],
        )
    return config


@pytest.fixture
def run(workspace: Config) -> Iterator[subprocess.Popen[str]]:
    with begun([sys.executable, "-c", RUN, str(workspace.path)], "staged") as process:
        yield process


def test_what_people_decide_beside_a_run_is_done_at_once_and_stays(
    workspace: Config, run: subprocess.Popen[str], tmp_path: Path
) -> None:
    lake = workspace.open_lake()

    def genchi(*arguments: str) -> int:
        return main([*arguments, "--config", str(workspace.path)])

    label = {
        "id": "score-1", "observationId": "old", "traceId": None, "timestamp": "2024-05-14T12:00:00Z", "name": "right",
        "source": "ANNOTATION", "dataType": "BOOLEAN", "value": 1, "stringValue": "True", "authorUserName": "Ada",
    }  # fmt: skip
    (tmp_path / "labels.json").write_text(json.dumps([label]))
    assert genchi("ack", "inc-1", "--by", "ana") == 0
    assert genchi("labels", "import", str(tmp_path / "labels.json")) == 0
    assert genchi("holdout", "accept", "p1", "--as", "max") == 0
    assert genchi("holdout", "freeze") == 0
    assert genchi("criteria", "accept", "s1", "--as", "max") == 0
    page = opened(workspace, [], acknowledge=partial(acknowledge, workspace))
    assert page.post("/incidents", data={"incident_id": "inc-1", "name": "ben"}).status_code == 200
    assert page.post("/decisions", data=form("proposal", "p1", "reject", "")).status_code == 409  # max has decided
    assert page.post("/decisions", data=form("suggestion", "s2", "reject", "{}", "d2")).status_code == 200
    assert try_collect(workspace) == Collected(decisions=1)
    with pytest.raises(LockedError), lake.run("ingest", 0.0):
        pass
    assert lake.days("manifest") == []

    assert run.stdin is not None
    assert run.stdout is not None
    run.stdin.write("\n")
    run.stdin.flush()
    assert run.stdout.readline().startswith("50 calls, ")
    assert run.wait(60) == 0
    assert lake.read("interactions", DAY).num_rows == 50
    assert acknowledgements.newest(lake)["inc-1"].by == "ben"
    rows = [row for day in lake.days("acknowledgements") for row in lake.read("acknowledgements", day).to_pylist()]
    assert sorted(row["acknowledged_by"] for row in rows) == ["ana", "ben"]
    assert lake.read("annotations", DAY).column("annotator").to_pylist() == ["Ada"]
    assert read_decisions(lake)["p1"].is_accepted
    assert {key: row["accepted"] for key, row in decided(lake).items()} == {"s1": True, "s2": False}
    (version,) = [
        row["n_examples"]
        for day in lake.days("holdout_versions")
        for row in lake.read("holdout_versions", day).to_pylist()
        if row["parent"]
    ]
    assert version == 2
    assert "name: short" in (tmp_path / "c.yaml").read_text()
    assert lake.faults(is_deep=True) == []
