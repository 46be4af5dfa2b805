"""A night of many records, a night's drift against a long window, and a backfill, in fresh processes.

    python -m tests.bench.night [records] [runs] [--nightly | --alone]

prints the medians of seconds, of peak memory and of the ratio of seconds, of
- ingest, features and drift of records of 2 KB (those of tests.bench.ingest; redaction and evaluation off), against a
  bare DuckDB COPY of the same records, and with --nightly the whole `genchi nightly` too, with the embedding of 2,000
  calls a route and without: whole processes, imports and all, in a workspace that had a small night the day before,
  after each was found to have every record in its last table;
- the drift of one night against the 28 days before it, against the same with one day: the time of the model alone;
- thirty days built by one call of dbt, against one call a day in one process: the same rows are in all marts.

With --alone it prints what the whole `genchi nightly` costs, and nothing else: the CPU seconds of a small night.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.ingest import DAY, MONTH, records, run_bare, write_logs
from tests.bench.side_by_side import Run, argument, child, line, serve

if TYPE_CHECKING:
    from flows.config.load import Config

LAST = DAY + timedelta(days=MONTH - 1)


def workspace(folder: Path, window: int = 28, *, embeds: bool = True) -> Path:
    """The configuration of a workspace on the logs in the folder; unless it `embeds`, of one call a route alone."""
    place = folder / "genchi.yaml"
    source = "{name: g, format: litellm, path: 'logs/{day}.jsonl'}"
    embedding = "" if embeds else "embedding: {max_texts_per_day: 1}\n"
    settings = f"app: bench\nlake: lake\nwindow_days: {window}\n{embedding}sources: [{source}]\n"
    place.write_text(settings, encoding="utf-8")
    return place


def run_copy(folder: Path) -> float:
    """The bare COPY."""
    started = time.perf_counter()
    written = run_bare(folder)
    tell(folder, written)
    return time.perf_counter() - started


def run_night(folder: Path) -> float:
    """Ingest, features and drift of a new lake, as the stages do them."""
    from flows.config import load
    from flows.ingest import landing
    from flows.transform.build import build

    started = time.perf_counter()
    settings = load.load_config(workspace(folder))
    landing.land_days(settings, DAY, DAY)
    build(settings, DAY, DAY)
    seconds = time.perf_counter() - started
    tell(folder, calls(settings))
    return seconds


def run_nightly(folder: Path, day: date = DAY, *, embeds: bool = True) -> float:
    """The command of the night, with Prefect, Great Expectations, page and all."""
    from flows.cli import main as cli
    from flows.config import load

    started = time.perf_counter()
    place = workspace(folder, embeds=embeds)
    code = cli(["nightly", "--config", str(place), "--day", day.isoformat()])
    assert code in (0, 1), f"genchi nightly ended with {code}"
    seconds = time.perf_counter() - started
    tell(folder, calls(load.load_config(place)))
    return seconds


def run_eve(folder: Path) -> float:
    """A small night the day before, whose logs are gone afterwards."""
    eve = DAY - timedelta(days=1)
    logs = folder / "logs" / f"{eve}.jsonl"
    logs.write_text("".join(records(300, 0, eve)), encoding="utf-8")
    seconds = run_nightly(folder, eve)
    logs.unlink()
    return seconds


def calls(settings: "Config") -> int:
    """The calls of the night in the last table."""
    from flows.warehouse import query

    sql = "select cast(sum(calls) as bigint) as n from marts.fct_usage_daily where day = ?"
    return int(query(settings.warehouse, sql, [DAY])[0]["n"] or 0)


def run_drift(folder: Path, window: int) -> float:
    """The seconds of the model fct_feature_skew_daily for the last day; the second build of two, parsed before."""
    from flows.config import load
    from flows.transform.build import days_of_build, variables
    from flows.transform.dbt_runner import run_dbt

    settings = load.load_config(workspace(folder, window))
    for _ in range(2):
        what = ["build", "--exclude-resource-type", "unit_test", "--select", "fct_feature_skew_daily"]
        run_dbt(settings, what, variables(settings), days_of_build(LAST, LAST))
    results = json.loads((settings.state / "_dbt" / "target" / "run_results.json").read_text(encoding="utf-8"))
    (seconds,) = (
        result["execution_time"]
        for result in results["results"]
        if result["unique_id"] == "model.genchi.fct_feature_skew_daily"
    )
    return float(seconds)


def run_backfill(folder: Path, *, at_once: bool) -> float:
    """Thirty days from the lake to a new warehouse; returns the contents of the marts."""
    from flows.config import load
    from flows.transform.build import build
    from flows.warehouse import query

    settings = load.load_config(workspace(folder))
    settings.warehouse.unlink(missing_ok=True)
    days = [DAY + timedelta(days=n) for n in range(MONTH)]
    started = time.perf_counter()
    for first, last in [(DAY, LAST)] if at_once else [(day, day) for day in days]:
        build(settings, first, last)
    seconds = time.perf_counter() - started
    tables = query(settings.warehouse, "select table_name as name from duckdb_tables() where schema_name = 'marts'")
    rows = [query(settings.warehouse, f"select * from marts.{table['name']} order by all") for table in tables]
    tell(folder, hashlib.sha256(repr(rows).encode()).hexdigest())
    return seconds


def tell(folder: Path, found: object) -> None:
    """Write the result of a run for the comparison."""
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


def told(folder: Path) -> Any:
    """The result of the last run."""
    return json.loads((folder / "found.json").read_text(encoding="utf-8"))


RUNS: dict[str, Callable[[Path], float]] = {
    "copy": run_copy,
    "night": run_night,
    "nightly": run_nightly,
    "unembedded": lambda folder: run_nightly(folder, embeds=False),
    "eve": run_eve,
    "month": lambda folder: run_drift(folder, 28),
    "day": lambda folder: run_drift(folder, 1),
    "at once": lambda folder: run_backfill(folder, at_once=True),
    "one by one": lambda folder: run_backfill(folder, at_once=False),
}


def measured(what: str, folder: Path) -> Run:
    """One run in a separate process."""
    return child("tests.bench.night", what, folder)


def clear(folder: Path) -> None:
    """Remove what nights wrote beside the logs."""
    subprocess.run(["rm", "-rf", *(str(folder / name) for name in ("lake", "reports", ".genchi"))], check=True)


def nights(folder: Path, count: int, runs: int, names: list[str]) -> None:
    """Print what a night costs beside the first of `names`."""
    write_logs(folder / "logs", count)
    found: dict[str, list[Run]] = {what: [] for what in names}
    for _ in range(runs):
        for what, results in found.items():
            clear(folder)
            if what != "copy":
                measured("eve", folder)
            run = measured(what, folder)
            assert told(folder) == count, f"{what} has {told(folder)} of {count} records"
            results.append(replace(run, seconds=run.whole))
    titles = {"copy": "bare COPY", "night": "ingest, features, drift", "unembedded": "genchi nightly, nothing embedded",
              "nightly": "genchi nightly"}  # fmt: skip
    for what, results in found.items():
        line(titles[what], results, found[names[0]])


def months(folder: Path, count: int, runs: int) -> None:
    """Print what a long window and a backfill cost."""
    from flows.config import load
    from flows.ingest import landing

    write_logs(folder / "logs", count, MONTH)
    landing.land_days(load.load_config(workspace(folder)), DAY, LAST)
    found: dict[str, list[Run]] = {what: [] for what in ("one by one", "at once", "day", "month")}
    for _ in range(runs):
        for what in ("one by one", "at once"):
            found[what].append(measured(what, folder))
            (folder / f"{what}.json").write_text(json.dumps(told(folder)), encoding="utf-8")
        both = {(folder / f"{what}.json").read_text(encoding="utf-8") for what in ("one by one", "at once")}
        assert len(both) == 1, "a backfill at once gives other marts than one night after the other"
        for what in ("day", "month"):
            found[what].append(measured(what, folder))
    print(f"{MONTH} days of {count // MONTH:,} records", flush=True)
    line("30 days by thirty calls of dbt", found["one by one"], found["one by one"])
    line("30 days by one call of dbt", found["at once"], found["one by one"])
    line("drift against one day (the model alone)", found["day"], found["day"])
    line("drift against 28 days (the model alone)", found["month"], found["day"])


def main() -> None:
    """Print the tables."""
    if serve(RUNS):
        return
    is_alone = "--alone" in sys.argv
    names = ["copy", "night", *(["unembedded", "nightly"] if "--nightly" in sys.argv else [])]
    sys.argv = [part for part in sys.argv if not part.startswith("--")]
    count, runs = argument(1, 1_000_000), argument(2, 3)
    with tempfile.TemporaryDirectory() as name:
        print(f"{count:,} records of 2 KB; medians of {runs} interleaved runs", flush=True)
        nights(Path(name) / "night", count, runs, ["nightly"] if is_alone else names)
    if is_alone:
        return
    with tempfile.TemporaryDirectory() as name:
        months(Path(name), count // 10 - count // 10 % MONTH, runs)


if __name__ == "__main__":
    main()
