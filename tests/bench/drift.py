"""Drift of 20 columns, genchi's SQL against Evidently, NannyML and SciPy, interleaved, in fresh processes.

    python -m tests.bench.drift [rows] [runs] [--without-nannyml]

prints the medians of the seconds from two Parquet files to the statistics (imports apart), of peak memory, and of the
ratio of seconds. genchi and SciPy: PSI, Jensen-Shannon, KS and Wasserstein of each column, the last two exact.
Evidently: its DataDriftPreset with its defaults, one statistic a column. NannyML, in a separate environment that is
built here: Jensen-Shannon, KS and Wasserstein. Before a time counts, KS and Wasserstein are found equal to SciPy's to
1e-9, PSI and Jensen-Shannon to those on the same grid, Evidently's scaled Wasserstein to genchi's, and NannyML's KS,
which it estimates from quantiles, to 0.01.
"""

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench.peers import environment
from tests.bench.side_by_side import Run, argument, child, line, serve

COLUMNS = {f"{kind}_{n}": grid for kind, grid in (("count", "log"), ("float", "log"), ("share", "unit"))
           for n in range({"count": 7, "float": 7, "share": 6}[kind])}  # fmt: skip
Found = dict[str, dict[str, float]]


def write_samples(folder: Path, rows: int) -> None:
    """Counts, unrounded floats and shares, the current ones a little moved."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    for sample, moved in (("current", 0.01), ("reference", 0.0)):
        columns = {}
        for place, name in enumerate(COLUMNS):
            shift = moved * (place % 4)
            if name.startswith("share"):
                columns[name] = rng.beta(2 + shift, 5, rows)
            else:
                drawn = rng.lognormal(4 + shift, 0.3 + 0.1 * (place % 7), rows)
                columns[name] = np.floor(drawn) if name.startswith("count") else drawn
        pq.write_table(pa.table(columns), folder / f"{sample}.parquet")


def tell(folder: Path, name: str, found: Found) -> None:
    """Write the statistics by column for `check`."""
    (folder / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")


def run_genchi(folder: Path) -> float:
    """The model int_feature_measures on the bins of each column, and the exact distances of its values."""
    import duckdb

    started = time.perf_counter()
    with duckdb.connect() as connection, ThreadPoolExecutor(2) as pool:
        connection.execute("set threads = 2")
        rows = pool.map(lambda name: _statistics(connection.cursor(), folder, name), COLUMNS)
        found: Found = dict(zip(COLUMNS, rows, strict=True))
    seconds = time.perf_counter() - started
    tell(folder, "genchi", found)
    return seconds


def _statistics(connection: Any, folder: Path, name: str) -> dict[str, float]:
    """One column's, by the project's own models and macros."""
    from tests.rendering import model, render

    macros = ("counting", "features", "statistics")
    values = f"value_{name}"
    connection.execute(f"""
        create or replace view {values} as
        select '{name}' as feature, {name} as value, 1 as n_current, 0 as n_reference
        from '{folder / "current.parquet"}'
        union all
        select '{name}', {name}, 0, 1 from '{folder / "reference.parquet"}'
    """)
    binned = f"""
        select date '2026-03-04' as day, 'r' as route, 'input' as side, feature, 'dev' as reference,
            '*' as model_served, '*' as prompt_version,
            {{{{ bin_of({{'name': 'value', 'grid': '{COLUMNS[name]}'}}) }}}} as bin,
            sum(n_current) as n_current, sum(n_reference) as n_reference,
            {{{{ exact_sum('n_current * value') }}}} as total_current,
            {{{{ exact_sum('n_reference * value') }}}} as total_reference,
            {{{{ exact_sum('n_reference * value * value') }}}} as squares_reference
        from {values}
        group by all
    """
    measures = render(model("int_feature_measures"), *macros).replace("int_feature_bins", f"bins_{name}")
    connection.execute(f"create or replace temp table bins_{name} as {render(binned, *macros)}")
    cells = render("{{ value_cells(samples, ['feature']) }}", *macros, samples=values)
    connection.execute(f"create or replace temp table cells_{name} as {cells}")
    exact = render("{{ exact_distances(samples, cells, ['feature']) }}", *macros, samples=values, cells=f"cells_{name}")
    row = connection.execute(
        "select psi, js_distance, exact.ks, exact.wasserstein, deviation_reference"
        f" from ({measures}) as measures inner join ({exact}) as exact using (feature)"
    ).fetchone()
    return dict(zip(("psi", "js", "ks", "wasserstein", "deviation"), row or (), strict=True))


def run_scipy(folder: Path) -> float:
    """The same four with NumPy and SciPy."""
    import numpy as np
    import pyarrow.parquet as pq
    from scipy import stats
    from scipy.spatial.distance import jensenshannon

    started = time.perf_counter()
    found: Found = {}
    for name, grid in COLUMNS.items():
        current, reference = (
            pq.read_table(folder / f"{sample}.parquet", columns=[name]).column(0).to_numpy()
            for sample in ("current", "reference")
        )
        places = [
            np.floor(20 * values if grid == "unit" else 4 * np.log2(1 + values)).astype(int)
            for values in (current, reference)
        ]
        size = 1 + max(place.max() for place in places)
        p, q = (np.bincount(place, minlength=size) / len(place) for place in places)
        kept = p + q > 0
        raised_p, raised_q = np.maximum(p[kept], 1e-4), np.maximum(q[kept], 1e-4)
        found[name] = {
            "psi": float(np.sum((raised_p - raised_q) * np.log(raised_p / raised_q))),
            "js": float(jensenshannon(p, q, base=2)),
            "ks": float(stats.ks_2samp(current, reference, method="asymp").statistic),
            "wasserstein": float(stats.wasserstein_distance(current, reference)),
        }
    seconds = time.perf_counter() - started
    tell(folder, "scipy", found)
    return seconds


def run_evidently(folder: Path) -> float:
    """Evidently's DataDriftPreset with its defaults: for so many numbers the Wasserstein distance, scaled."""
    import pandas as pd

    warnings.simplefilter("ignore")
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    started = time.perf_counter()
    definition = DataDefinition(numerical_columns=list(COLUMNS))
    current, reference = (
        Dataset.from_pandas(pd.read_parquet(folder / f"{sample}.parquet"), data_definition=definition)
        for sample in ("current", "reference")
    )
    snapshot = Report([DataDriftPreset()]).run(current, reference)
    told = snapshot.dict()["metrics"]
    seconds = time.perf_counter() - started
    found = {
        metric["config"]["column"]: {"scaled": float(metric["value"])}
        for metric in told
        if "column" in metric.get("config", {})
    }
    tell(folder, "evidently", found)
    return seconds


def run_nannyml(folder: Path) -> float:
    """NannyML's univariate drift, one chunk a sample."""
    import pandas as pd

    warnings.simplefilter("ignore")
    import nannyml

    started = time.perf_counter()
    current, reference = (pd.read_parquet(folder / f"{sample}.parquet") for sample in ("current", "reference"))
    methods = ["jensen_shannon", "kolmogorov_smirnov", "wasserstein"]
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(COLUMNS), continuous_methods=methods, chunk_size=len(current)
    )
    calculator.fit(reference)
    results = calculator.calculate(current).filter(period="analysis").to_df()
    seconds = time.perf_counter() - started
    tell(folder, "nannyml", {
        name: {"ks": float(results[(name, "kolmogorov_smirnov", "value")].iloc[0])} for name in COLUMNS
    })  # fmt: skip
    return seconds


RUNS: dict[str, Callable[[Path], float]] = {
    "genchi": run_genchi, "evidently": run_evidently, "nannyml": run_nannyml, "scipy": run_scipy
}  # fmt: skip
TITLES = {"genchi": "genchi: PSI, JS, KS, Wasserstein", "evidently": "Evidently: DataDriftPreset",
          "nannyml": "NannyML: JS, KS, Wasserstein", "scipy": "NumPy and SciPy: PSI, JS, KS, Wasserstein"}  # fmt: skip


def check(folder: Path, names: list[str]) -> None:
    """Raise if the results for a column differ."""
    told = {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names}
    for column in COLUMNS:
        ours, exact = told["genchi"][column], told["scipy"][column]
        for measure in ("psi", "js", "ks", "wasserstein"):
            limit = 1e-9 * max(1, abs(exact[measure])) if measure != "js" else 1e-6
            difference = abs(ours[measure] - exact[measure])
            assert difference <= limit, f"{measure} of {column} differs by {difference} from SciPy's"
        scaled = told["evidently"][column]["scaled"]
        assert abs(ours["wasserstein"] / ours["deviation"] - scaled) < 1e-6, f"Evidently has {scaled} for {column}"
        if "nannyml" in told:
            assert abs(told["nannyml"][column]["ks"] - ours["ks"]) < 0.01, f"NannyML has another KS for {column}"


def main() -> None:
    """Print the table."""
    if serve(RUNS):
        return
    names = [name for name in RUNS if name != "nannyml" or "--without-nannyml" not in sys.argv]
    sys.argv = [part for part in sys.argv if not part.startswith("--")]
    rows, runs = argument(1, 1_000_000), argument(2, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pythons = {"nannyml": environment("nannyml", folder)} if "nannyml" in names else {}
        write_samples(folder, rows)
        print(f"{len(COLUMNS)} columns, {rows:,} rows against {rows:,}; medians of {runs} interleaved runs", flush=True)
        found: dict[str, list[Run]] = {what: [] for what in names}
        for _ in range(runs):
            for what, results in found.items():
                results.append(child("tests.bench.drift", what, folder, pythons.get(what, sys.executable)))
            check(folder, names)
        for what, results in found.items():
            line(TITLES[what], results, found["genchi"])


if __name__ == "__main__":
    main()
