"""The demo's thirty nights over two Dask workers: every table and every mart is that of one process."""

from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from tests.clusters import dask_cluster
from tests.thirty_nights import content_of, run_way, write_demo

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]


def transitions(dask_scheduler: Any) -> int:
    return int(dask_scheduler.transition_counter)


def test_thirty_nights_on_workers_are_those_of_one_process(tmp_path: Path) -> None:
    write_demo(tmp_path)
    (tmp_path / "dask").mkdir()
    alone = run_way(tmp_path, "alone")
    with dask_cluster(tmp_path / "dask") as cluster:
        spread = run_way(tmp_path, "spread", f"engine: {{tasks: dask, address: '{cluster.address}'}}\n")
        with Client(cluster.address, set_as_default=False) as client:
            # A task has several: of reading, of topics and of scores there is at least one each for a night.
            assert client.run_on_scheduler(transitions) > 3 * 3 * 30
    ours, theirs = content_of(alone), content_of(spread)
    assert ours.keys() == theirs.keys()
    assert len([name for name in ours if name.startswith("mart ")]) > 25
    assert len(ours["interactions"]) > 10_000
    assert [name for name in ours if ours[name] != theirs[name]] == []
