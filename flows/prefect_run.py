"""Names, tags, timeouts and retries of runs in Prefect, and the event `genchi.night`, for automations."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypedDict

from prefect import Task, get_client, runtime, tags
from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.client.schemas import State, TaskRun
from prefect.events import emit_event

from flows.errors import TransientError
from flows.outgoing import plain
from flows.progress import Step, step

STAGE_S = 24 * 3600  # seconds; a stage that takes longer is assumed to hang
ASKING_S = 48 * 3600  # a batch of requests may wait a day for its answers
EVENT = "genchi.night"


class _Policy(TypedDict):
    cache_policy: CachePolicy
    persist_result: bool
    retries: int
    retry_delay_seconds: list[float]
    retry_jitter_factor: float
    retry_condition_fn: Any


def _is_transient(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.data, TransientError)


# Of every task: its arguments are neither hashed nor stored, and transient failures are retried.
TASK: _Policy = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 2,
    "retry_delay_seconds": [5.0, 30.0],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": _is_transient,
}


@contextmanager
def described(name: str, app: str) -> Iterator[None]:
    """Name the current flow run, and tag it and its subruns with the application.

    A run-name template cannot do so, because day and application are known only after the configuration was loaded.
    """
    app = plain(app)
    with tags(app):
        with get_client(sync_client=True) as client:
            client.update_flow_run(runtime.flow_run.id, name=name, tags=sorted({*runtime.flow_run.tags, app}))
        yield


@contextmanager
def stage(name: str) -> Iterator[Step]:
    """A `flows.progress.step`, whose runs in Prefect are tagged with the first word of its name."""
    with tags(name.split(maxsplit=1)[0]), step(name) as current:
        yield current


def announce_night(app: str, payload: Mapping[str, object]) -> None:
    """Emit the event of a finished night, with the application as its resource."""
    app = plain(app)
    resource = {"prefect.resource.id": f"genchi.app.{app}", "prefect.resource.name": app}
    emit_event(EVENT, resource, payload=dict(payload))
