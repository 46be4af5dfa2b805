"""What all flows and tasks have in common: only a failure that may pass is tried again, and nothing hangs for ever."""

import time
from datetime import date

import pytest

from flows.errors import ConfigError, RunError, TransientError

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.mark.parametrize(
    ("error", "times"),
    [(TransientError("the store does not answer"), 3), (RunError("a model failed"), 1), (ConfigError("a typo"), 1)],
)
def test_a_task_tries_again_only_what_may_pass(error: Exception, times: int) -> None:
    from prefect import task

    from flows.prefect_run import TASK

    tried = []

    @task(**{**TASK, "retry_delay_seconds": [0.0, 0.0]})
    def fails() -> None:
        tried.append(1)
        raise error

    with pytest.raises(type(error), match=str(error)):
        fails()
    assert len(tried) == times


def test_the_pauses_before_a_new_try_grow_and_are_jittered() -> None:
    from flows.prefect_run import TASK

    first, second = TASK["retry_delay_seconds"]
    assert 0 < first < second
    assert TASK["retry_jitter_factor"] > 0


def test_a_stage_that_hangs_is_ended_and_the_night_goes_on() -> None:
    from prefect import flow

    from flows.nightly import Night

    @flow(timeout_seconds=0.3)
    def hangs() -> None:
        for _ in range(200):
            time.sleep(0.1)

    night = Night(date(2026, 3, 2))
    with night.stage("ingest"):
        hangs()
    assert [failure.partition(": ")[0] for failure in night.failures] == ["ingest"]
    assert "timed out" in night.failures[0]


def test_every_stage_is_ended_some_day() -> None:
    from flows import nightly

    stages = (
        *(nightly.ingest, nightly.semantics, nightly.score_production, nightly.transform, nightly.evaluate),
        *(nightly.shadow, nightly.check, nightly.report, nightly.alert),
    )
    assert all(stage.timeout_seconds for stage in stages)
