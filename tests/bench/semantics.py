"""CPU seconds of topics and their tests, for each route and day, beside embedding: in a backfill, and in single nights.

    python -m tests.bench.semantics [folder]

Two workspaces are written into the folder (default: a temporary one), landed and embedded: sixty days of the log of
../shared/data/arxiv_digest (or of GENCHI_SHARED), and the demo's thirty days. What is embedded in the folder already is
used again. Then the topics step runs over all days at once, and once more for each of the last NIGHTS days alone. CPU
seconds are those of the process. Days without a text of a route do not count.

The p-values of new topics are compared with those of a plain computation, on the last NIGHTS days of the largest route:
scikit-learn's nearest neighbors by distances in float64, and all 400 permutations, each by itself.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from flows.config import Config, load_config
from flows.demo import workspace as demo
from flows.ingest import landing
from flows.lake import each_day
from flows.semantics import embedding, novelty, run
from flows.semantics.vectors import Reader, Vectors, routes_of, window
from flows.stats import scan
from tests.bench import real_log
from tests.conftest import SHARED

DAYS, NIGHTS = 60, 7


@dataclass(frozen=True)
class Log:
    """A workspace whose texts are embedded, and the days that it has."""

    name: str
    config: Config
    days: list[date]

    def route_days(self, days: list[date]) -> int:
        """The routes with embedded production texts, summed over the days."""
        lake, found = self.config.open_lake(), 0
        for day in days:
            rows = lake.read("embeddings", day, columns=["route", "origin"]).to_pylist()
            found += len({row["route"] for row in rows if row["origin"] == "production"})
        return found


def logs(folder: Path) -> Iterator[Log]:
    """The two workspaces, written and embedded where they are not yet."""
    if (SHARED / "data" / "arxiv_digest").is_dir():
        days = list(each_day(real_log.FIRST, real_log.FIRST + timedelta(days=DAYS - 1)))
        yield _embedded("real log", folder / "real", days, real_log.write_workspace)
    else:
        print("real log: skipped, it is not in ../shared/data")
    last = date(2026, 3, 31)
    days = list(each_day(last - timedelta(days=demo.DAYS - 1), last))
    yield _embedded("demo", folder / "demo", days, lambda place: demo.write_workspace(place, last))


def measured(log: Log, days: list[date]) -> float:
    """CPU seconds a route and day, of one run over these days."""
    started = time.process_time()
    run.find_topics(log.config, days[0], days[-1])
    return (time.process_time() - started) / max(log.route_days(days), 1)


def plain_nearest(vectors: np.ndarray, count: int) -> np.ndarray:
    """As flows.stats.neighbours.nearest, by scikit-learn."""
    search = NearestNeighbors(n_neighbors=min(count, len(vectors) - 1), algorithm="brute").fit(vectors)
    found: np.ndarray = search.kneighbors(return_distance=False)
    return found


def plain_ratios(graph: scan.Graph, is_current: np.ndarray) -> np.ndarray:
    """As flows.stats.scan.Graph.ratios, without a table."""
    near, totals = graph.near[is_current], np.array(scan.SIZES)
    inside = np.append(is_current, False)[near]
    return scan.log_ratios(np.cumsum(inside, axis=1)[:, totals - 1], totals, float(is_current.mean()))


def compared(log: Log) -> list[tuple[float, float, float]]:
    """For each of the last nights of the largest route: p, the plain p, and how many times longer the latter takes."""
    reader = Reader(log.config.open_lake(), embedding.name_of(log.config))
    found = []
    for day in log.days[-NIGHTS:]:
        if not (routes := routes_of(reader.lake, day, reader.model)):
            continue
        days = [*window(day, log.config.window_days), day]
        rows = max((reader.read(days, route) for route in sorted(routes)), key=len)
        p_value, seconds = _timed(rows, day)
        with (
            patch.object(novelty, "nearest", plain_nearest),
            patch.object(scan.Graph, "ratios", plain_ratios),
            patch.object(scan, "FIRST_DRAWS", scan.DRAWS),
        ):
            plain, plain_seconds = _timed(rows, day)
        found.append((p_value, plain, plain_seconds / seconds))
    return found


def main(folder: Path) -> None:
    """Print the CPU seconds of each log, then the p-values."""
    print("CPU seconds a route and day")
    print(f"{'log':<10} {'route-days':>10} {'backfill':>9} {'one night':>10} {'worst night':>12}")
    made = list(logs(folder))
    for log in made:
        backfill = measured(log, log.days)
        nights = [measured(log, [day]) for day in log.days[-NIGHTS:] if log.route_days([day])]
        cells = f"{backfill:>9.3f} {sum(nights) / len(nights):>10.3f} {max(nights):>12.3f}"
        print(f"{log.name:<10} {log.route_days(log.days):>10} {cells}")
    print("\np-values of a new topic: now, plain, and how many times longer the plain computation takes")
    for log in made:
        for p_value, plain, ratio in compared(log):
            print(f"{log.name:<10} {p_value:>9.2g} {plain:>9.2g} {ratio:>6.1f}")


def _timed(rows: Vectors, day: date) -> tuple[float, float]:
    with threadpool_limits(1):
        started = time.process_time()
        group = novelty.densest(rows, day)
        return (group.p_value if group else 1.0), time.process_time() - started


def _embedded(name: str, folder: Path, days: list[date], write: Callable[[Path], Path]) -> Log:
    path = folder / "genchi.yaml"
    is_made = path.is_file()
    config = load_config(path if is_made else write(folder))
    if not is_made:
        landing.land_days(config, days[0], days[-1])
        run.embed_days(config, days[0], days[-1])
    return Log(name, config, days)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name))
