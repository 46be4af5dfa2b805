"""Whole nights on real questions (CLINC150): one intent that nobody had asked about appears, and is named."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from flows.config import load
from flows.warehouse import query

FIRST = date(2026, 3, 2)
DAYS, CALLS, PLANTED = 15, 150, 15
NIGHT = FIRST + timedelta(days=DAYS - 1)
INTENT = "card_declined"
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("prefect_server")]


def questions(shared: Path) -> tuple[list[str], list[str]]:
    """Texts of thirty other intents in a random order, and those of the new one."""
    rows = pq.read_table(shared / "data" / "clinc150" / "clinc150_full.parquet").to_pylist()
    intents = sorted({row["intent"] for row in rows} - {INTENT, "oos"})[::5]
    known = [row["text"] for row in rows if row["intent"] in intents]
    order = np.random.default_rng(1).permutation(len(known))
    return [known[place] for place in order], [row["text"] for row in rows if row["intent"] == INTENT]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    known, new = questions(shared)
    (folder / "logs").mkdir()
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        texts = known[number * CALLS : (number + 1) * CALLS]
        if day == NIGHT:
            texts[:PLANTED] = new[:PLANTED]
        lines = [
            json.dumps({"call_id": f"{day}-{n}", "started_at": f"{day}T{n % 24:02}:00:00Z", "input_text": text,
                        "output_text": "Let me see.", "user_key": f"u{n % 70}", "route": "bank"})
            for n, text in enumerate(texts)
        ]  # fmt: skip
        (folder / "logs" / f"{day}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    examples = [{"example_id": str(n), "input": text} for n, text in enumerate(known[:100])]
    (folder / "holdout.jsonl").write_text("\n".join(map(json.dumps, examples)) + "\n", encoding="utf-8")
    (folder / "criteria.yaml").write_text(yaml.safe_dump([{"name": "short", "kind": "length", "max_words": 99}]))
    settings: dict[str, Any] = {
        "app": "bank",
        "lake": "lake",
        "risk": "relaxed",  # fifteen nights are looked at in one go, and none of them is to cry for nothing
        "sources": [{"name": "app", "format": "genchi", "path": "logs/{day}.jsonl"}],
        "routes": {"bank": {"holdout": "holdout.jsonl", "criteria": "criteria.yaml"}},
    }
    (folder / "genchi.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return folder / "genchi.yaml"


def test_a_night_finds_the_new_topic_and_what_the_holdout_lacks(workspace: Path) -> None:
    from flows.backfill import backfill
    from flows.nightly import nightly

    backfill(FIRST, NIGHT - timedelta(days=1), str(workspace))
    nightly(str(workspace), NIGHT)
    settings = load.load_config(workspace)
    rows = query(settings.warehouse, "select * from marts.fct_topic_drift_daily where day = ?", [NIGHT])
    (new,) = [row for row in rows if row["status"] == "new"]
    assert new["p_value"] < 1e-5
    assert new["share_reference"] == 0
    assert new["share_current"] == pytest.approx(PLANTED / CALLS, abs=0.03)
    assert "declined" in new["label"]
    planted = {f"{NIGHT}-{n}" for n in range(PLANTED)}
    assert len(set(new["example_call_ids"]) & planted) >= 4
    assert sum(row["share_current"] for row in rows) == pytest.approx(1)
    before = query(settings.warehouse, "select distinct status from marts.fct_topic_drift_daily where day < ?", [NIGHT])
    assert before == [{"status": "stable"}]
    (fresh,) = query(settings.warehouse, "from marts.fct_holdout_freshness where day = ?", [NIGHT])
    assert fresh["age_days"] == DAYS - 1
    assert 0 < fresh["uncovered_share"] < 0.5
    assert fresh["topic_coverage"] == pytest.approx(1 - fresh["uncovered_share"])


def test_an_embedding_model_that_is_down_hides_no_other_table(workspace: Path) -> None:
    from flows.nightly import NightFailedError, nightly

    told = yaml.safe_load(workspace.read_text(encoding="utf-8"))
    told["embedding"] = {"model": "openai/m", "api_base": "http://127.0.0.1:1/v1", "params": {"timeout": 1}}
    told["lake"] = "other_lake"
    path = workspace.with_name("down.yaml")
    path.write_text(yaml.safe_dump(told), encoding="utf-8")
    with pytest.raises(NightFailedError, match=r"semantics: openai/m: "):
        nightly(str(path), NIGHT)
    settings = load.load_config(path)
    assert query(settings.warehouse, "select sum(calls) as n from marts.fct_usage_daily")[0]["n"] == CALLS
    assert settings.open_lake().days("embeddings") == []
