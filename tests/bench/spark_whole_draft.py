"""The warehouse of one day's calls on a local Spark server of two threads, against DuckDB in process.

    python -m tests.bench.spark [records] [runs]

prints medians of seconds, and of CPU seconds of all processes (the server's JVM and its Python workers among them), and
their ratios, of
- the features of texts (the model int_text_features),
- all other models of dbt, with their tests and the publication of the marts, and
- both.

Before, all published marts of both, and the features of every text, were found equal, doubles to nine digits. Needs
what `make test-spark` installs. Each build is a process of its own; the server stays, and has built a small day before.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from flows.project import DBT_PROJECT
from tests.bench.ingest import DAY, records, write_logs
from tests.bench.side_by_side import Run, argument, child, line, serve
from tests.spark.commands import published
from tests.spark.comparing import TOLERANCE, differences
from tests.spark.server import spark_server

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

EVE = DAY - timedelta(days=1)
ENGINES, WHAT = ("duckdb", "spark"), ("features", "others")
FEATURES = "int_text_features"
OTHERS = sorted(path.stem for path in (DBT_PROJECT / "models").rglob("*.[sp][qy]*") if path.stem != FEATURES)
MEMORY = "6g"


def build_day(folder: Path, engine: str, select: str) -> float:
    """The seconds of a build of the day."""
    from flows.config import load_config
    from flows.transform.build import build

    return build(load_config(folder / f"{engine}.yaml"), DAY, DAY, select=select).seconds


def read_logs(folder: Path) -> float:
    """The lake of the day and of a small one before it, and the warehouse of that one, on both engines."""
    from flows.config import load_config
    from flows.ingest.landing import land_days
    from flows.transform.build import build

    land_days(load_config(folder / "duckdb.yaml"), EVE, DAY)
    shutil.copytree(folder / "lake-duckdb", folder / "lake-spark")
    for engine in ENGINES:
        build(load_config(folder / f"{engine}.yaml"), EVE, EVE)
    return 0.0


RUNS: dict[str, Callable[[Path], float]] = {
    "logs": read_logs,
    **{f"{engine} features": partial(build_day, engine=engine, select=FEATURES) for engine in ENGINES},
    **{f"{engine} others": partial(build_day, engine=engine, select=" ".join(OTHERS)) for engine in ENGINES},
}


def configure(folder: Path, engine: str, settings: str) -> None:
    """The configuration of one engine; nothing is redacted or embedded."""
    source = "{name: g, format: litellm, path: 'logs/{day}.jsonl'}"
    (folder / f"{engine}.yaml").write_text(
        f"app: bench\nlake: lake-{engine}\nwarehouse: {engine}.duckdb\nuser_key_secret: only-for-this-bench\n"
        f"sources: [{source}]\nengine: {settings}\n",
        encoding="utf-8",
    )


def cpu_of_server() -> float:
    """The CPU seconds of what runs below this process, with its children that have ended."""
    used = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            used += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:  # a worker that has ended meanwhile: its parent has its seconds
            continue
    return used


def measured(folder: Path, engine: str, what: str) -> Run:
    """One build in a process of its own, with the server's CPU seconds meanwhile."""
    before = cpu_of_server()
    run = child("tests.bench.spark", f"{engine} {what}", folder)
    used = cpu_of_server() - before
    print(f"  {engine}, {what}: {run.seconds:.1f} s, load {os.getloadavg()[0]:.1f}", flush=True)
    return replace(run, cpu=run.cpu + used)


def both(one: Run, other: Run) -> Run:
    """Two runs, one after the other."""
    return Run(one.seconds + other.seconds, one.whole + other.whole, one.cpu + other.cpu, max(one.peak, other.peak))


def check(folder: Path, count: int) -> None:
    """Raise if the engines differ in a mart, or in a feature of a text, or lack one."""
    ours, theirs = (published(folder / f"{engine}.yaml") for engine in ENGINES)
    assert sum(row["calls"] for row in ours["fct_usage_daily"] if row["day"] == DAY) == count
    assert sorted(ours) == sorted(theirs)
    unlike = {name: found[:3] for name, rows in ours.items() if (found := differences(rows, theirs[name]))}
    assert unlike == {}, unlike
    from flows.config import load_config
    from flows.transform.spark_session import session_of

    with session_of(load_config(folder / "spark.yaml")) as session:
        texts, features = compare_features(folder, session)
    print(f"equal: {len(ours)} marts, and {features} features of {texts:,} texts", flush=True)
    assert texts == 2 * count, f"{texts:,} texts of {count:,} calls"


def compare_features(folder: Path, session: "SparkSession") -> tuple[int, int]:
    """The numbers of texts and of features, all equal; `text_hash` is another number on each engine."""
    import duckdb

    place = folder / "features.parquet"
    shutil.rmtree(place, ignore_errors=True)
    session.sql(f"select * from intermediate.{FEATURES} where day = date '{DAY}'").write.parquet(str(place))
    with duckdb.connect(str(folder / "duckdb.duckdb"), read_only=True) as connection:
        columns = connection.sql(f"select * from intermediate.{FEATURES} limit 0")
        kinds = {
            name: str(kind) for name, kind in zip(columns.columns, columns.types, strict=True)
            if name not in ("day", "side", "subject_id", "route", "origin", "text_hash", "cluster_key")
        }  # fmt: skip
        near = f"{{ours}} is not distinct from {{theirs}} or abs({{ours}} - {{theirs}}) <= {TOLERANCE}"
        same = [
            (near if kind == "DOUBLE" else "{ours} is not distinct from {theirs}").format(
                ours=f"ours.{name}", theirs=f"theirs.{name}"
            )
            for name, kind in kinds.items()
        ]
        sql = f"""
            select count(*), count(*) filter (where not ({" and ".join(f"coalesce({one}, false)" for one in same)}))
            from intermediate.{FEATURES} as ours
            left join '{place}/*.parquet' as theirs using (route, origin, side, subject_id)
            where ours.day = date '{DAY}'
        """
        texts, unlike = connection.execute(sql).fetchone() or (0, 0)
        (there,) = connection.execute(f"select count(*) from '{place}/*.parquet'").fetchone() or (0,)
    assert unlike == 0, f"{unlike:,} of {texts:,} texts have other features on Spark"
    assert there == texts, f"{there:,} of {texts:,} texts are on Spark"
    return int(texts), len(kinds)


def main() -> None:
    """Print the table."""
    if serve(RUNS):
        return
    count, runs = argument(1, 1_000_000), argument(2, 1)
    with tempfile.TemporaryDirectory() as name, spark_server(Path(name), MEMORY, "") as remote:
        folder = Path(name)
        write_logs(folder / "logs", count)
        (folder / "logs" / f"{EVE}.jsonl").write_text("".join(records(300, count, EVE)), encoding="utf-8")
        configure(folder, "duckdb", "{warehouse: duckdb}")
        configure(folder, "spark", f'{{warehouse: spark, remote: "{remote}"}}')
        child("tests.bench.spark", "logs", folder)
        print(f"{count:,} calls, Python {sys.version.split()[0]}; medians of {runs} interleaved runs", flush=True)
        found: dict[tuple[str, str], list[Run]] = {(one, what): [] for what in WHAT for one in ENGINES}
        for _ in range(runs):
            for (engine, what), results in found.items():
                results.append(measured(folder, engine, what))
            check(folder, count)
        for engine in ENGINES:
            found[engine, "both"] = [both(*pair) for pair in zip(*(found[engine, one] for one in WHAT), strict=True)]
        for (engine, what), results in found.items():
            line(f"{engine}, {what}", results, found["duckdb", what])


if __name__ == "__main__":
    main()
