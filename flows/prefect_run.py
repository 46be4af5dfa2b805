"""Runs in Prefect: names, tags, timeouts and retries, and the event `genchi.night`, for automations.

Where a Prefect server is configured, each stage is a flow run and each step of one a task run. Where none is, the same
functions are called as they are, with the same timeouts and retries: Prefect is not imported, and no server is started.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, update_wrapper
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, cast

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_chain, wait_fixed, wait_random

from flows.errors import GenchiError, TransientError
from flows.outgoing import plain
from flows.progress import Step, step, tell

P = ParamSpec("P")
R = TypeVar("R")

STAGE_S = 24 * 3600  # seconds; a stage that takes longer is assumed to hang
ASKING_S = 48 * 3600  # a batch of requests may wait a day for its answers
EVENT = "genchi.night"
CRITICAL, GOOD = "Critical", "Completed"  # the states in which a run ends that came to its end

# Seconds before each new try of a task that failed transiently, and the share by which they are prolonged at random.
RETRY_DELAYS_S = (5.0, 30.0)
RETRY_JITTER = 0.5

# Seconds after which a time limit is raised again: what tries again after any OSError has swallowed the first.
_AGAIN_S = 60.0

# Where Prefect finds settings, besides the environment: in its home and in the current folder.
_SETTINGS_FILES = ("prefect.toml", "pyproject.toml", ".env")


def is_used() -> bool:
    """Whether Prefect has a server to record runs: one that a profile, a file of settings or the environment names."""
    if "prefect" not in sys.modules and not _has_settings():
        return bool(os.environ.get("PREFECT_API_URL"))
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415 - imported late: costs a second

    return bool(PREFECT_API_URL.value())


def _has_settings() -> bool:
    home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH", home / "profiles.toml")).expanduser()
    try:
        return profiles.exists() or any(Path(name).exists() for name in _SETTINGS_FILES)
    except PermissionError:  # a home of another user, as under `sudo -u`: Prefect cannot read it either
        return False


WITHOUT_SERVER = "start it, or run without it: unset PREFECT_API_URL, or leave the profile of Prefect that names it"
"""How to mend that the server which is configured does not answer."""


class ServerDownError(GenchiError):
    """The Prefect server that is configured does not answer. No stage has begun."""


class Run(Generic[P, R]):
    """A stage or a task of one: called as a run of Prefect where it is used, else as the function that it is."""

    def __init__(self, fn: Callable[P, R], make: Callable[[], Any], timeout_s: float | None, tries: int) -> None:
        update_wrapper(self, fn)
        self.fn, self.timeout_seconds = fn, timeout_s
        self._make, self._tries = make, tries

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if is_used():
            with _naming_a_server_that_is_down():
                found: R = self.in_prefect(*args, **kwargs)
            return found
        with _ended_after(self.timeout_seconds, self.fn.__name__):
            return _retrying(self._tries)(self.fn, *args, **kwargs)

    @cached_property
    def in_prefect(self) -> Any:
        """The flow or task of Prefect."""
        return self._make()


def flow(
    *, name: str, flow_run_name: str | None = None, timeout_seconds: float | None = None
) -> Callable[[Callable[P, R]], Run[P, R]]:
    """Make a stage of a function. `flow_run_name` is a template of its arguments."""

    def made(fn: Callable[P, R]) -> Run[P, R]:
        def in_prefect() -> Any:
            import prefect  # noqa: PLC0415 - as above

            return prefect.flow(
                name=name, flow_run_name=flow_run_name, timeout_seconds=timeout_seconds, persist_result=False
            )(fn)

        return Run(fn, in_prefect, timeout_seconds, tries=1)

    return made


def task(
    *, name: str, task_run_name: str | None = None, timeout_seconds: float | None = None
) -> Callable[[Callable[P, R]], Run[P, R]]:
    """Make a task of a function: its arguments are neither hashed nor stored, and transient failures are retried."""

    def made(fn: Callable[P, R]) -> Run[P, R]:
        def in_prefect() -> Any:
            import prefect  # noqa: PLC0415 - as above
            from prefect.cache_policies import NO_CACHE  # noqa: PLC0415 - as above

            return prefect.task(
                name=name,
                task_run_name=task_run_name,
                timeout_seconds=timeout_seconds,
                cache_policy=NO_CACHE,
                persist_result=False,
                retries=len(RETRY_DELAYS_S),
                retry_delay_seconds=list(RETRY_DELAYS_S),
                retry_jitter_factor=RETRY_JITTER,
                retry_condition_fn=lambda _, __, state: isinstance(state.data, TransientError),
            )(fn)

        return Run(fn, in_prefect, timeout_seconds, tries=1 + len(RETRY_DELAYS_S))

    return made


def _retrying(tries: int) -> Retrying:
    waits = [wait_fixed(delay) + wait_random(0, delay * RETRY_JITTER) for delay in RETRY_DELAYS_S]
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(tries),
        wait=wait_chain(*waits),
        reraise=True,
    )


@contextmanager
def _ended_after(seconds: float | None, name: str) -> Iterator[None]:
    """Raise TimeoutError in a block that takes longer. Only the main thread can be ended so; blocks may be nested."""
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    outer, again = signal.getitimer(signal.ITIMER_REAL)
    if 0 < outer <= seconds:  # the block around it ends first
        yield
        return

    def end(_: int, __: object) -> None:
        raise TimeoutError(f"{name} timed out after {seconds:g} s")

    before, started = signal.signal(signal.SIGALRM, end), time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_S)
    try:
        yield
    finally:
        left = max(outer - (time.monotonic() - started), 0.001) if outer else 0.0
        signal.setitimer(signal.ITIMER_REAL, 0)  # no alarm of this block after it, whoever handles it
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left, again)


@contextmanager
def _naming_a_server_that_is_down() -> Iterator[None]:
    """Raise ServerDownError where Prefect says no more than that it cannot reach its API."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("Failed to reach API"):
            raise
        raise ServerDownError(f"Prefect's server does not answer: {error}; {WITHOUT_SERVER}") from None


@contextmanager
def described(name: str, app: str) -> Iterator[None]:
    """Name the current flow run, and tag it and its subruns with the application.

    A run-name template cannot do so, because day and application are known only after the configuration was loaded.
    """
    if not is_used():
        yield
        return
    from prefect import get_client, runtime, tags  # noqa: PLC0415 - as above

    app = plain(app)
    with tags(app):
        with get_client(sync_client=True) as client:
            client.update_flow_run(runtime.flow_run.id, name=name, tags=sorted({*runtime.flow_run.tags, app}))
        yield


@contextmanager
def stage(name: str) -> Iterator[Step]:
    """A `flows.progress.step`, whose runs in Prefect are tagged with the first word of its name."""
    if not is_used():
        with step(name) as current:
            yield current
        return
    from prefect import tags  # noqa: PLC0415 - as above

    with tags(name.split(maxsplit=1)[0]), step(name) as current:
        yield current


def announce_night(app: str, payload: Mapping[str, object]) -> None:
    """Emit the event of a finished night, with the application as its resource.

    The log of a deployment's run gets headline and page; a verb prints them itself.
    """
    if not is_used():
        return
    from prefect import runtime  # noqa: PLC0415 - as above
    from prefect.events import emit_event  # noqa: PLC0415 - as above

    app = plain(app)
    if runtime.deployment.id:
        tell(f"{payload['headline']} {payload['page']}")
    resource = {"prefect.resource.id": f"genchi.app.{app}", "prefect.resource.name": app}
    emit_event(EVENT, resource, payload=dict(payload))


def ended(result: R, message: str, *, is_critical: bool = False) -> R:
    """What a flow returns so that its run ends in a completed state with this message; callers get `result`."""
    if not is_used():
        return result
    from prefect.states import Completed  # noqa: PLC0415 - as above

    # Of a state that a flow returns, Prefect keeps the state, and hands the data to the caller.
    name = CRITICAL if is_critical else GOOD
    return cast(R, Completed(name=name, message=plain(message), data=result))
