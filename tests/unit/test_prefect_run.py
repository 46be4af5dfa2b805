"""What all flows and tasks have in common, in Prefect and without: retries, timeouts, and whether Prefect is used."""

import logging
import signal
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from flows import prefect_run
from flows.cli.doctor.prefect_checks import prefect_findings
from flows.errors import ConfigError, RunError, TransientError
from flows.night import Night
from flows.prefect_run import flow, task

EITHER = pytest.mark.parametrize("served", [False, True], ids=["without Prefect", "in Prefect"])


def in_prefect_only_if(served: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of other tests of this session is none of these."""
    monkeypatch.setattr(prefect_run, "is_used", lambda: served)


@EITHER
@pytest.mark.parametrize(
    ("error", "times"),
    [(TransientError("the store does not answer"), 3), (RunError("a model failed"), 1), (ConfigError("a typo"), 1)],
)
def test_a_task_tries_again_only_what_may_pass(
    error: Exception, times: int, served: bool, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if served:
        request.getfixturevalue("prefect_server")
    in_prefect_only_if(served, monkeypatch)
    monkeypatch.setattr(prefect_run, "RETRY_DELAYS_S", (0.0, 0.0))
    tried = []

    @task(name="fails")
    def fails() -> None:
        tried.append(1)
        raise error

    with pytest.raises(type(error), match=str(error)):
        fails()
    assert len(tried) == times


@EITHER
def test_a_run_returns_what_its_function_does(
    served: bool, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if served:
        request.getfixturevalue("prefect_server")
    in_prefect_only_if(served, monkeypatch)

    @task(name="doubles", task_run_name="doubles {number}")
    def doubles(number: int) -> int:
        return 2 * number

    @flow(name="sums", flow_run_name="sums {first}", timeout_seconds=60)
    def sums(first: int, *, second: int = 1) -> int:
        return doubles(first) + doubles(second)

    assert sums(2, second=3) == 10


def test_the_pauses_before_a_new_try_grow_and_are_jittered() -> None:
    first, second = prefect_run.RETRY_DELAYS_S
    assert 0 < first < second
    assert prefect_run.RETRY_JITTER > 0


@EITHER
def test_a_stage_that_hangs_is_ended_and_the_night_goes_on(
    served: bool, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if served:
        request.getfixturevalue("prefect_server")
    in_prefect_only_if(served, monkeypatch)

    @flow(name="hangs", timeout_seconds=0.3)
    def hangs() -> None:
        for _ in range(200):
            time.sleep(0.1)

    night = Night(date(2026, 3, 2))
    with night.stage("ingest"):
        hangs()
    assert [failure.partition(": ")[0] for failure in night.failures] == ["ingest"]
    assert "timed out" in night.failures[0]


def test_a_timeout_within_another_ends_no_more_than_its_own_block(monkeypatch: pytest.MonkeyPatch) -> None:
    in_prefect_only_if(False, monkeypatch)

    @task(name="inner", timeout_seconds=5)
    def inner() -> None:
        time.sleep(0.01)

    @flow(name="outer", timeout_seconds=0.3)
    def outer() -> None:
        for _ in range(2000):
            inner()

    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TimeoutError, match=r"outer timed out after 0\.3 s"):
        outer()
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_timeout_that_a_library_swallows_is_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    in_prefect_only_if(False, monkeypatch)
    monkeypatch.setattr(prefect_run, "_AGAIN_S", 0.05)
    swallowed = []

    @flow(name="tries", timeout_seconds=0.05)
    def tries() -> None:
        try:
            time.sleep(30)
        except OSError:
            swallowed.append(1)
        time.sleep(30)

    with pytest.raises(TimeoutError, match="tries timed out"):
        tries()
    assert swallowed == [1]
    assert signal.getitimer(signal.ITIMER_REAL)[1] == 0  # of a test runner around it, which may have a time limit too


def test_a_server_of_prefect_that_is_down_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    in_prefect_only_if(True, monkeypatch)

    @flow(name="never runs")
    def never_runs() -> None: ...

    def unreachable() -> None:
        raise RuntimeError("Failed to reach API at http://127.0.0.1:9/api/")

    never_runs.in_prefect = unreachable
    with pytest.raises(
        prefect_run.ServerDownError,
        match=r"http://127\.0\.0\.1:9/api/; start it, or run without it: unset PREFECT_API_URL",
    ):
        never_runs()


def test_every_stage_is_ended_some_day() -> None:
    from flows import nightly

    stages = (
        *(nightly.ingest, nightly.semantics, nightly.score_production, nightly.transform, nightly.evaluate),
        *(nightly.shadow, nightly.check, nightly.report, nightly.alert),
    )
    assert all(one.timeout_seconds for one in stages)


@pytest.mark.parametrize(
    ("url", "profiles", "used"),
    [
        ("", "", "False"),
        ("http://127.0.0.1:9/api", "", "True"),
        ("", '[profiles.here]\nPREFECT_API_URL = "http://127.0.0.1:9/api"\n', "True"),
        ("", '[profiles.here]\nPREFECT_LOGGING_LEVEL = "INFO"\n', "False"),
    ],
)
def test_prefect_is_used_where_a_server_is_named_and_else_not_even_imported(
    url: str, profiles: str, used: str, tmp_path: Path
) -> None:
    if profiles:
        (tmp_path / "profiles.toml").write_text(f'active = "here"\n\n{profiles}')
    script = "import sys; from flows import nightly, backfill; from flows.prefect_run import is_used;"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{script} print('prefect' in sys.modules, is_used())"],
        env={"PREFECT_HOME": str(tmp_path), **({"PREFECT_API_URL": url} if url else {})},
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.split() == ["False", used]


def test_doctor_says_whether_the_server_answers(prefect_server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    in_prefect_only_if(True, monkeypatch)
    (found,) = prefect_findings()
    assert (found.level, found.text.endswith("answers, and records runs")) == ("ok", True)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/api"
    with temporary_settings({PREFECT_API_URL: nobody}):
        (found,) = prefect_findings()
    assert found.level == "problem"
    assert found.text.startswith(f"prefect: {nobody} does not answer: ")
    in_prefect_only_if(False, monkeypatch)
    assert list(prefect_findings()) == []


def test_a_run_ends_in_prefect_with_what_it_came_to_and_its_caller_gets_the_result(
    prefect_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_prefect_only_if(True, monkeypatch)

    @flow(name="says")
    def says() -> int:
        return prefect_run.ended(7, "Nothing\x1b[31m failed")

    state = says.in_prefect(return_state=True)
    assert state.is_completed()
    assert (state.name, state.message) == ("Completed", r"Nothing\x1b[31m failed")
    assert says() == 7


def test_a_run_that_prefect_does_not_know_ends_with_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    in_prefect_only_if(False, monkeypatch)
    assert prefect_run.ended(7, "Nothing failed") == 7


@pytest.mark.parametrize("deployment", ["", "an-id"], ids=["by hand", "deployed"])
def test_the_log_of_a_deployments_night_ends_with_its_headline_and_page(
    deployment: str, prefect_server: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    in_prefect_only_if(True, monkeypatch)
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", deployment)
    monkeypatch.setattr(logging.getLogger("genchi"), "propagate", True)
    night = Night(date(2026, 3, 2), headline="All is well.", page=Path("/reports/2026-03-02/index.html"))
    with caplog.at_level(logging.INFO, "genchi"):
        prefect_run.announce_night("desk", night.payload())
    # Prefect may have given the logger the handlers of the root as well: then each line is here twice.
    told = {line for line in caplog.messages if "All is well. /reports/2026-03-02/index.html" in line}
    assert len(told) == bool(deployment)
