"""The demo's thirty nights in four ways: one process, Dask's workers, Spark's warehouse, and both. All are the same.

Counts, flags and texts are equal; doubles that Spark adds up in another order are within the tolerance of comparing.py.
"""

import pytest

from flows.config import Config
from tests.clusters import dask_cluster
from tests.spark.comparing import differences
from tests.spark.server import emptied
from tests.thirty_nights import content_of, run_way, write_demo

pytest.importorskip("pyspark")
pytestmark = [pytest.mark.spark, pytest.mark.timeout(10_800)]


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory, server: str) -> dict[str, Config]:
    """The configuration of each way, whose nights have run."""
    folder, place = tmp_path_factory.mktemp("ways"), tmp_path_factory.mktemp("dask")
    write_demo(folder)
    with dask_cluster(place) as cluster:
        tasks, warehouse = f"tasks: dask, address: '{cluster.address}'", f"warehouse: spark, remote: '{server}'"
        engines = {"alone": "", "dask": tasks, "spark": warehouse, "both": f"{tasks}, {warehouse}"}
        found = {}
        for name, keys in engines.items():
            emptied(server)
            found[name] = run_way(folder, name, f"engine: {{{keys}}}\nwarehouse: {name}.duckdb\n")
        return found


@pytest.mark.parametrize("way", ["dask", "spark", "both"])
def test_every_table_and_every_mart_is_that_of_one_process(ways: dict[str, Config], way: str) -> None:
    ours, theirs = content_of(ways["alone"]), content_of(ways[way])
    assert ours.keys() == theirs.keys()
    assert len([name for name in ours if name.startswith("mart ")]) > 25
    assert len(ours["interactions"]) > 10_000
    unlike = {name: found[:3] for name in ours if (found := differences(ours[name], theirs[name]))}
    assert unlike == {}
