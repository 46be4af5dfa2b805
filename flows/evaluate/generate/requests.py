"""The requests of a run, built one at a time so that those of a large holdout are never all in memory."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from flows.evaluate.criteria import hash_of
from flows.evaluate.setup import EvalTask

Row = dict[str, Any]
Key = tuple[str, str, str, int, str]
KEY_COLUMNS = ("model", "route", "example_id", "repeat", "request_hash")


@dataclass(frozen=True)
class Request:
    """One request: an example sent to a model for the n-th time. `model` is its configured name."""

    run_id: str
    model: str
    arm: str
    route: str
    example_id: str
    repeat: int
    holdout_version: str
    prompt_version: str | None
    request_hash: str
    messages: Sequence[Mapping[str, Any]]
    params: Mapping[str, Any]

    @property
    def key(self) -> Key:
        """Identifies the answer: an answer with the same key can be reused."""
        return self.model, self.route, self.example_id, self.repeat, self.request_hash

    @property
    def columns(self) -> Row:
        """The columns of `completions` that do not depend on the answer."""
        return {key: value for key, value in vars(self).items() if key not in ("messages", "params")}


def key_of(row: Mapping[str, Any]) -> Key:
    """The key of the request that a row of `completions` answers."""
    return row["model"], row["route"], row["example_id"], row["repeat"], row["request_hash"]


def digest(key: Key) -> bytes:
    """A 16-byte hash of a key. Among a million keys a collision has a probability below 1e-26."""
    return hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=16).digest()


def requests_of_run(
    run_id: str, tasks: Sequence[EvalTask], first: Mapping[str, Collection[str]] = MappingProxyType({})
) -> Iterator[Request]:
    """All requests of the tasks, example by example across models, so that a spent budget leaves complete pairs.

    The examples in `first`, by route, come before all others.
    """
    for is_first in (True, False) if any(first.values()) else (False,):
        for task in tasks:
            chosen = first.get(task.name)
            if chosen:
                places = [place for key, place in task.places.items() if (key in chosen) == is_first]
                yield from _requests_of_task(run_id, task, places)
            elif not is_first:
                yield from _requests_of_task(run_id, task, range(len(task.examples)))


def _requests_of_task(run_id: str, task: EvalTask, places: Sequence[int]) -> Iterator[Request]:
    variants_and_params = [(variant, variant.params(task.name)) for variant in task.variants]
    for repeat in range(task.route.repeats):
        for place in places:
            example = task.examples[place]
            for variant, params in variants_and_params:
                messages = variant.messages_for(example)
                yield Request(
                    run_id=run_id,
                    model=variant.model.name,
                    arm=variant.model.arm,
                    route=task.name,
                    example_id=example.example_id,
                    repeat=repeat,
                    holdout_version=example.version,
                    prompt_version=variant.prompt_version,
                    request_hash=hash_of(variant.model.model, variant.model.api_base, params, messages),
                    messages=messages,
                    params=params,
                )
