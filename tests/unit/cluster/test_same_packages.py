"""Workers with other packages than the run's are refused, and nothing of a task is shown."""

import sys

import pytest

from flows.cluster import differences, packages
from flows.cluster.same_packages import Work, done
from flows.errors import RunError


def doubled(number: int, more: int) -> int:
    return 2 * number + more


def test_a_task_is_done_where_the_packages_are_those_of_the_run() -> None:
    assert done(Work(doubled, 3, packages()), 1) == 7
    assert packages()["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert differences(packages(), packages()) == []


def test_another_version_is_refused_with_both_versions() -> None:
    of_run = {**packages(), "duckdb": "1.0.0"}
    here = packages()["duckdb"]
    with pytest.raises(RunError, match=rf"^a worker has duckdb {here}, and the run 1\.0\.0; install the same req"):
        done(Work(doubled, 3, of_run), 1)
    assert differences({}, {"numpy": "2"}) == ["numpy none, and the run 2"]


def test_nothing_of_a_task_is_shown() -> None:
    assert "my words" not in repr(Work(doubled, ["my words"], {}))
