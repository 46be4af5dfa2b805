"""The demo's thirty nights, each way in a lake of its own: the same logs, test sets and simulated models."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.config import Config, load_config
from flows.demo import write_workspace
from flows.marts import open_marts
from tests.integration.contents import OF_A_RUN, OF_A_RUN_TABLES

LAST = date(2026, 3, 30)
_NIGHTS = """
import sys
from datetime import date
from pathlib import Path
from flows.cli import library_settings
library_settings.configure_environment()
from flows.cli.demo_command import run_nights
from flows.config import load_config
from flows.evaluate import load_setup
run_nights(load_setup(load_config(Path(sys.argv[1]))), date.fromisoformat(sys.argv[2]))
"""


# A simulated model has no latency of its own: what is measured of it, and what rests on that, is of the machine.
_ANSWERED = {"response_id", "latency_ms"}
_OF_TABLE = {
    **dict.fromkeys(("completions", "judgements", "anchor_grades", "canaries"), _ANSWERED),
    "mart fct_model_frontier": {"latency_p50_ms", "latency_p95_ms", "is_dominated"},
}


def write_demo(folder: Path) -> None:
    """The workspace of all ways."""
    write_workspace(folder, LAST)


def run_way(folder: Path, name: str, engine: str = "") -> Config:
    """Run the thirty nights in a process of its own, with this `engine`."""
    written = (folder / "genchi.yaml").read_text("utf-8").replace("lake: lake ", f"lake: ways/{name} ")
    path = folder / f"{name}.yaml"
    more = f"reports: reports-{name}\nuser_key_secret: the-same-in-every-way\n"
    path.write_text(f"{written}\n{more}{engine}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _NIGHTS, str(path), LAST.isoformat()],
        cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "DO_NOT_TRACK": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return load_config(path)


def content_of(config: Config) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table of the lake, and of every mart, in order, without times of reading and of running."""
    assert isinstance(config.lake, Path)
    found: dict[str, list[dict[str, Any]]] = {}
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for folder in sorted(path.parent for path in config.lake.glob("*/day=1970-01-01")):
            rows = connection.sql(f"from read_parquet('{folder}/day=*/*.parquet', union_by_name = true) order by all")
            found[folder.name] = rows.to_arrow_table().to_pylist()
    marts = open_marts(config)
    for name in sorted(marts.columns()):
        found[f"mart {name}"] = marts.query(f"select * from marts.{name} order by all")
    return {
        name: [
            {key: value for key, value in row.items() if key not in OF_A_RUN | _OF_TABLE.get(name, set())}
            for row in rows
        ]
        for name, rows in found.items()
        if name.removeprefix("mart ") not in OF_A_RUN_TABLES
    }
