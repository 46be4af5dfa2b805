"""Nights that did not run: the next one runs them first, in their order, and says so; a first night does not."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from flows.config import load_config
from flows.lake.lake import Lake
from flows.warehouse import query
from tests.integration.in_process import genchi
from tests.integration.servers import Hook, webhook

pytestmark = pytest.mark.long
FIRST = date(2026, 3, 2)
DAYS = [FIRST + timedelta(days=number) for number in range(5)]


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as taking:
        yield taking


def workspace(folder: Path, hook: str) -> Path:
    """Five days of logs, of which the third has none."""
    (folder / "logs").mkdir()
    for day in set(DAYS) - {DAYS[2]}:
        rows = [{"call_id": f"{day}-{n}", "started_at": f"{day}T10:00:0{n}Z", "input_text": "hi", "output_text": "ho"}
                for n in range(3)]  # fmt: skip
        (folder / "logs" / f"{day}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    path = folder / "genchi.yaml"
    path.write_text(
        "app: a\nlake: lake\nsources: [{name: s, format: genchi, path: 'logs/{day}.jsonl'}]\n"
        f"alerts: [{{kind: webhook, url: '{hook}'}}]\n",
        encoding="utf-8",
    )
    return path


def test_nights_that_did_not_run_run_before_the_next_one(tmp_path: Path, prefect_server: None, hook: Hook) -> None:
    path = workspace(tmp_path, hook.url)
    config = load_config(path)
    lake = Lake(tmp_path / "lake")
    first = genchi("nightly", "--config", str(path), "--day", str(DAYS[1]))
    assert "did not run" not in first.stderr
    assert lake.days("interactions") == [DAYS[1]]

    last = genchi("nightly", "--config", str(path), "--day", str(DAYS[4]))
    assert last.returncode == 0, last.stderr
    told = [line.strip() for line in last.stderr.splitlines() if "the night of" in line]
    assert told == [
        f"the night of {DAYS[2]} did not run: it runs now, before that of {DAYS[4]}",
        f"the night of {DAYS[2]}: there are no calls of that day",
        f"the night of {DAYS[3]} did not run: it runs now, before that of {DAYS[4]}",
    ]
    built = query(config.warehouse, "select day, sum(calls) as n from marts.fct_usage_daily group by day order by day")
    assert [(row["day"], row["n"]) for row in built] == [(DAYS[1], 3), (DAYS[3], 3), (DAYS[4], 3)]
    assert (config.reports / str(DAYS[3]) / "index.html").is_file()
    (item,) = hook.received[-1]["items"]
    assert hook.received[-1]["day"] == str(DAYS[4])
    assert item["severity"] == "warning"
    assert item["observed"] == f"1 night had not run, and ran before this one: {DAYS[3]}"
    assert f"1 night had not run, and ran before this one: {DAYS[3]}" in (
        config.reports / str(DAYS[4]) / "index.html"
    ).read_text(encoding="utf-8")
