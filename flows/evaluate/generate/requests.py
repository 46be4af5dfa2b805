"""What is asked in a night, one question at a time: the questions of a great holdout are never all in memory."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.evaluate.criteria import hash_of
from flows.evaluate.setup import EvalTask

Row = dict[str, Any]
Key = tuple[str, str, str, int, str]
KEY_COLUMNS = ("model", "route", "example_id", "repeat", "request_hash")


@dataclass(frozen=True)
class Request:
    """One thing to ask: an example put to a model for the n-th time. `model` is its configured name."""

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
        """What makes an answer reusable: the same place in the night, and the same request."""
        return self.model, self.route, self.example_id, self.repeat, self.request_hash

    @property
    def columns(self) -> Row:
        """The columns of `completions` that the question alone fills."""
        return {key: value for key, value in vars(self).items() if key not in ("messages", "params")}


def key_of(row: Mapping[str, Any]) -> Key:
    """The key of the question that a row of `completions` answers."""
    return row["model"], row["route"], row["example_id"], row["repeat"], row["request_hash"]


def digest(key: Key) -> bytes:
    """16 bytes that stand for a key; two of a million keys share theirs with a chance below 1e-26."""
    return hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=16).digest()


def requests_of_run(run_id: str, tasks: Sequence[EvalTask]) -> Iterator[Request]:
    """Example by example, each to all models: should the budget end, the pairs so far are whole."""
    for task in tasks:
        variants_and_params = [(variant, variant.params(task.name)) for variant in task.variants]
        for repeat in range(task.route.repeats):
            for example in task.examples:
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
