"""Tasks on a Dask cluster: a real scheduler and workers, in this process."""

import sys
import time
from collections.abc import Iterator

import pytest
from distributed import LocalCluster

from flows.cluster import patience
from flows.cluster.dask_tasks import DaskTasks
from flows.errors import ConfigError, RunError
from tests.clusters import local_dask


def slow_first(number: int) -> int:
    time.sleep(0.2 if number == 0 else 0)
    return number * number


def failing(number: int) -> int:
    if number == 2:
        raise RunError(f"no {number} here")
    return number


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a scheduler with two workers."""
    with local_dask(workers=2, threads=1) as found:
        yield found


def test_results_come_in_the_order_of_the_items(address: str) -> None:
    with DaskTasks(address) as tasks:
        assert list(tasks.map(slow_first, range(20))) == [number * number for number in range(20)]
        assert list(tasks.map(slow_first, [])) == []


def test_what_a_task_raises_is_raised_in_its_place(address: str) -> None:
    with DaskTasks(address) as tasks:
        results = tasks.map(failing, range(4))
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(RunError, match=r"^no 2 here$"):
            next(results)
        assert list(tasks.map(failing, [7])) == [7]


def with_common(number: int, more: list[int], factor: int) -> int:
    return factor * (number + sum(more))


def test_what_all_tasks_need_comes_with_each(address: str) -> None:
    with DaskTasks(address) as tasks:
        assert list(tasks.map(with_common, range(5), [1, 2], 10)) == [30, 40, 50, 60, 70]


def test_each_worker_is_asked_and_says_what_is_wrong(address: str) -> None:
    with DaskTasks(address) as tasks:
        found = tasks.on_each(failing, 1, 30)
        assert len(found) == 2
        assert set(found.values()) == {1}
        assert set(tasks.on_each(failing, 2, 30).values()) == {"no 2 here"}
        assert set(tasks.on_each(time.sleep, 3, 0.1).values()) == {"has not answered within 0.1 s"}


def test_a_cluster_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "CONNECT_S", 1)
    with pytest.raises(RunError, match=r"^tcp://127.0.0.1:9: no Dask scheduler answers; start it .*engine.address`$"):
        DaskTasks("tcp://127.0.0.1:9")


def test_a_cluster_without_workers_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_S", 0.05)
    monkeypatch.setattr(patience, "WITHOUT_WORKERS_S", 0.2)
    with (
        LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0") as cluster,
        DaskTasks(cluster.scheduler_address) as tasks,
        pytest.raises(RunError, match=r"has no workers; start some$"),
    ):
        list(tasks.map(slow_first, range(3)))


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"pip install 'genchi\[dask\]'"):
        DaskTasks("tcp://127.0.0.1:9")
