"""Two records through a whole night with simulated models: does what every night needs still work on this machine?

The night runs in a folder of its own that is thrown away, so that it writes nothing of a workspace. Of the workspace
only its configuration is read, with the files that it names.
"""

import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow

from flows.config import load_config
from flows.errors import RunError
from flows.evaluate import load_setup
from flows.marts import open_marts
from flows.nightly import run_nightly
from flows.prefect_run import ended

_ROUTE = "flight"
_TEXTS = ("Where is my parcel? It should have been here on Monday.", "I cannot log in, please reset my password.")
_PRICE = {"input": 0.4, "output": 1.6}
_LANDED = "select coalesce(sum(calls), 0) as n from marts.fct_usage_daily where day = ?"
_SCORED = "select count(distinct model) as n from marts.fct_eval_scores where day = ?"


@flow(name="flight-check", timeout_seconds=3600, persist_result=False)
def flight_check(config_path: str = "genchi.yaml") -> str:
    """Take two records through a whole night with simulated models, in a folder that is thrown away.

    Raises ConfigError where the configuration at `config_path` or a file that it names is wrong, and RunError where the
    night fails or its records are not in the marts. Returns one line.

    Args:
        config_path: The absolute path of the workspace's genchi.yaml. It is read; nothing of the workspace is written.
    """
    load_setup(load_config(config_path))
    with tempfile.TemporaryDirectory(prefix="genchi-flight-") as folder:
        found = fly(Path(folder))
    return ended(found, found)


def fly(folder: Path) -> str:
    """The night of two records in an empty folder. Raises RunError as `flight_check` does."""
    (folder / "genchi.yaml").write_text(json.dumps(_settings()), encoding="utf-8")
    (folder / "criteria.yaml").write_text("[{name: answers, kind: length, min_chars: 1}]\n", encoding="utf-8")
    _lines(folder / "holdout.jsonl", [{"example_id": str(n), "input": text} for n, text in enumerate(_TEXTS)])
    setup = load_setup(load_config(folder / "genchi.yaml"))
    config, day = setup.config, setup.config.yesterday()
    _lines(folder / "calls.jsonl", [_call(number, text, day) for number, text in enumerate(_TEXTS)])
    night = run_nightly(setup, day)
    found = {"calls": (_LANDED, len(_TEXTS)), "models": (_SCORED, 2)}
    for what, (sql, wanted) in found.items():
        (row,) = open_marts(config).query(sql, [day])
        if row["n"] != wanted:
            raise RunError(f"flight check: {row['n']} {what} in the marts of a night of {wanted}; run `genchi doctor`")
    if night.page is None or not night.page.is_file():
        raise RunError("flight check: the night wrote no page; run `genchi doctor`")
    return f"{len(_TEXTS)} records are in the marts and on the page; 2 simulated models were asked and scored"


def _settings() -> dict[str, Any]:
    models = [{"model": f"simulated/support-desk-{number}", "price": _PRICE} for number in (1, 2)]
    return {
        "app": "flight-check",
        "lake": "lake",
        "sources": [{"name": "flight", "format": "genchi", "path": "calls.jsonl"}],
        "routes": {_ROUTE: {"holdout": "holdout.jsonl", "criteria": "criteria.yaml"}},
        "models": {"pinned": models[0], "candidates": models[1:]},
    }


def _call(number: int, text: str, day: date) -> dict[str, str]:
    return {
        "call_id": f"flight-{number}",
        "started_at": f"{day}T12:00:0{number}Z",
        "route": _ROUTE,
        "input_text": text,
        "output_text": '{"category": "other"}',
    }


def _lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
