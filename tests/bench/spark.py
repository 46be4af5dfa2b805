"""The features of texts (the model int_text_features) on a local Spark server of two threads, and on DuckDB in process.

    python -m tests.bench.spark [calls] [runs]

prints medians of seconds, and of CPU seconds of all processes (the server's JVM among them), and their ratios, for the
inputs and outputs of the calls of tests.bench.ingest, read from Parquet and written to Parquet; after all features of
all texts were found equal, doubles to nine digits. Needs what `make test-spark` installs. The server goes on between
runs, and has computed a small table before.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

from tests.bench.ingest import DAY, records
from tests.bench.side_by_side import Run, argument, child, line, serve
from tests.rendering import TEXT_KEYS, model, render
from tests.spark.comparing import TOLERANCE
from tests.spark.server import spark_server

FILES = ("text", "patterns", "signals", "mutes", "own_features", "spark_text", "spark_json")
FEW, BATCH = 2_000, 20_000
MEMORY = "6g"


def features(engine: str, texts: str) -> str:
    """The model as a query of this engine on its table `texts`; no text is held against the dictionary."""
    return (
        "with int_texts as (select date '2026-03-02' as day, 'production' as origin, 'r' as route, 'm' as model_served,"
        f" 'v' as prompt_version, 'x' as release, side, subject_id, 1 as cluster_key, text_value from {texts}),"
        " int_text_words as (select cast(null as date) as day, '' as origin, '' as route, '' as side, 0 as subject_id,"
        " 0 as words_known, 0 as words_checked where false),"
        " int_repeated_outputs as (select cast(null as date) as day, '' as route, cast(0 as bigint) as text_hash"
        f" where false) select * from ({render(model('int_text_features'), *FILES, engine=engine)})"
    )


def on_duckdb(folder: Path) -> float:
    """The seconds of DuckDB."""
    import duckdb

    started = perf_counter()
    with duckdb.connect() as connection:
        sql = features("duckdb", f"'{folder}/texts.parquet'")
        connection.execute(f"copy ({sql}) to '{folder}/duckdb.parquet' (format parquet)")
    return perf_counter() - started


def on_spark(folder: Path, name: str = "texts") -> float:
    """The seconds of Spark."""
    from pyspark.sql import SparkSession

    started = perf_counter()
    session: Any = SparkSession.builder.remote((folder / "remote").read_text("utf-8")).getOrCreate()
    session.conf.set("spark.sql.variant.allowDuplicateKeys", "true")
    sql = features("spark", f"parquet.`{folder}/{name}.parquet`")
    session.sql(sql).write.mode("overwrite").parquet(str(folder / "spark.parquet"))
    session.stop()
    return perf_counter() - started


RUNS: dict[str, Callable[[Path], float]] = {
    "duckdb": on_duckdb,
    "spark": on_spark,
    "few on spark": lambda folder: on_spark(folder, "few"),
}


def write_texts(place: Path, calls: int) -> None:
    """The inputs and the outputs of the calls, in row groups that are read side by side."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = pa.schema([("subject_id", pa.int64()), ("side", pa.string()), ("text_value", pa.string())])
    with pq.ParquetWriter(place, kinds) as writer:
        rows: list[dict[str, object]] = []
        for number, text in enumerate(records(calls, 0, DAY)):
            rows += [{"subject_id": number, "side": side, "text_value": said} for side, said in texts_of(text)]
            if len(rows) >= BATCH or number == calls - 1:
                writer.write_table(pa.Table.from_pylist(rows, kinds))
                rows.clear()


def texts_of(record: str) -> Iterator[tuple[str, str]]:
    """The input and the output of a record."""
    call = json.loads(record)
    yield "input", call["messages"][-1]["content"]
    yield "output", call["response"]["choices"][0]["message"]["content"]


def cpu_of_server() -> float:
    """The CPU seconds of what runs below this process, with its children that have ended."""
    used = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            used += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:  # it has ended meanwhile: its parent has its seconds
            continue
    return used


def measured(folder: Path, what: str, module: str = "tests.bench.spark") -> Run:
    """One run of a script in a process of its own, with the server's CPU seconds meanwhile."""
    before = cpu_of_server()
    run = child(module, what, folder)
    used = cpu_of_server() - before
    print(f"  {what}: {run.seconds:.1f} s, {run.cpu + used:.1f} CPU s, load {os.getloadavg()[0]:.1f}", flush=True)
    return replace(run, cpu=run.cpu + used)


def check(folder: Path, calls: int) -> None:
    """Raise if the engines differ in a feature of a text; `text_hash` is another number on each."""
    import duckdb

    ours, theirs = f"'{folder}/duckdb.parquet'", f"'{folder}/spark.parquet/*.parquet'"
    described = duckdb.sql(f"select * from {ours} limit 0")
    kinds = {
        name: str(kind)
        for name, kind in zip(described.columns, described.types, strict=True)
        if name not in {*TEXT_KEYS, "text_hash"}
    }
    unlike = " or ".join(
        f"(a.{name} is distinct from b.{name}"
        + (f" and not coalesce(abs(a.{name} - b.{name}) <= {TOLERANCE}, false))" if kind == "DOUBLE" else ")")
        for name, kind in kinds.items()
    )
    sql = (
        f"select count(*), count(*) filter (where b.side is null or {unlike})"
        f" from {ours} as a left join {theirs} as b using (side, subject_id)"
    )
    ((texts, wrong),) = duckdb.sql(sql).fetchall()
    assert wrong == 0, f"{wrong:,} of {texts:,} texts have other features on Spark"
    assert texts == 2 * calls, f"{texts:,} texts of {calls:,} calls"
    assert duckdb.sql(f"select count(*) from {theirs}").fetchall() == [(texts,)]
    print(f"  equal: {len(kinds)} features of {texts:,} texts", flush=True)


def main() -> None:
    """Print the table."""
    if serve(RUNS):
        return
    calls, runs = argument(1, 1_000_000), argument(2, 1)
    with tempfile.TemporaryDirectory() as name, spark_server(Path(name), MEMORY, "") as remote:
        folder = Path(name)
        (folder / "remote").write_text(remote, encoding="utf-8")
        write_texts(folder / "few.parquet", FEW)
        write_texts(folder / "texts.parquet", calls)
        size = (folder / "texts.parquet").stat().st_size
        print(f"{calls:,} calls, {size / 1e6:,.0f} MB; medians of {runs} interleaved runs", flush=True)
        measured(folder, "few on spark")
        found: dict[str, list[Run]] = {what: [] for what in ("duckdb", "spark")}
        for _ in range(runs):
            for what, results in found.items():
                results.append(measured(folder, what))
            check(folder, calls)
        for what, results in found.items():
            line(what, results, found["duckdb"])


if __name__ == "__main__":
    main()
