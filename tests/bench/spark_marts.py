"""The warehouse of a day of many calls on a local Spark server of two threads, and on DuckDB in process.

    python -m tests.bench.spark_marts [calls]

prints the seconds and the CPU seconds (the server's JVM and its Python workers among them) of one build of the day by
dbt, with its tests and the publication of the marts, and their ratios. Then it compares all published marts: counts,
flags and texts have to be equal, doubles to nine digits. The calls are those of tests.bench.ingest, none is embedded.
Needs what `make test-spark` installs. The server goes on between builds, and has built a small day before.
"""

import shutil
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from tests.bench.ingest import DAY, records, write_logs
from tests.bench.side_by_side import argument, child, line, serve
from tests.bench.spark import MEMORY, measured
from tests.spark.commands import published
from tests.spark.comparing import differences
from tests.spark.server import spark_server

MODULE = "tests.bench.spark_marts"
EVE, FEW = DAY - timedelta(days=1), 300
ENGINES = ("duckdb", "spark")


def read_logs(folder: Path) -> float:
    """The lake of the day and of a small one before it, for each engine, and the warehouse of the small one."""
    from flows.config import load_config
    from flows.ingest.landing import land_days

    land_days(load_config(folder / "duckdb.yaml"), EVE, DAY)
    shutil.copytree(folder / "lake-duckdb", folder / "lake-spark")
    for engine in ENGINES:
        build_day(folder, engine, EVE)
    return 0.0


def build_day(folder: Path, engine: str, day: date = DAY) -> float:
    """The seconds of a build of the day."""
    from flows.config import load_config
    from flows.transform.build import build

    config = load_config(folder / f"{engine}.yaml")
    with config.open_lake().run("transform"):
        return build(config, day, day).seconds


RUNS: dict[str, Callable[[Path], float]] = {
    "logs": read_logs,
    **{engine: partial(build_day, engine=engine) for engine in ENGINES},
}


def configure(folder: Path, engine: str, settings: str) -> None:
    """The configuration of one engine."""
    source = "{name: g, format: litellm, path: 'logs/{day}.jsonl'}"
    (folder / f"{engine}.yaml").write_text(
        f"app: bench\nlake: lake-{engine}\nwarehouse: {engine}.duckdb\nuser_key_secret: only-for-this-bench\n"
        f"sources: [{source}]\nengine: {settings}\n",
        encoding="utf-8",
    )


def check(folder: Path, calls: int) -> None:
    """Raise if the engines differ in a mart, or lack one, or a call."""
    ours, theirs = (published(folder / f"{engine}.yaml") for engine in ENGINES)
    assert sum(row["calls"] for row in ours["fct_usage_daily"] if row["day"] == DAY) == calls
    assert sorted(ours) == sorted(theirs)
    unlike = {name: found[:3] for name, rows in ours.items() if (found := differences(rows, theirs[name]))}
    assert unlike == {}, unlike
    filled = sum(bool(rows) for rows in ours.values())
    rows = sum(map(len, ours.values()))
    print(f"  equal: {len(ours)} marts, {filled} of them with rows, {rows:,} rows", flush=True)


def main() -> None:
    """Print the table."""
    if serve(RUNS):
        return
    calls = argument(1, 1_000_000)
    with tempfile.TemporaryDirectory() as name, spark_server(Path(name), MEMORY, "") as remote:
        folder = Path(name)
        write_logs(folder / "logs", calls)
        (folder / "logs" / f"{EVE}.jsonl").write_text("".join(records(FEW, calls, EVE)), encoding="utf-8")
        configure(folder, "duckdb", "{warehouse: duckdb}")
        configure(folder, "spark", f'{{warehouse: spark, remote: "{remote}"}}')
        child(MODULE, "logs", folder)
        print(f"{calls:,} calls, one build of each", flush=True)
        found = {engine: [measured(folder, engine, MODULE)] for engine in ENGINES}
        check(folder, calls)
        for engine, results in found.items():
            line(engine, results, found["duckdb"])


if __name__ == "__main__":
    main()
