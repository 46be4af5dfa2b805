"""The classical baseline as a client of models: it answers from what was learnt, at no cost, on this machine."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from flows.config import BASELINE, Model
from flows.evaluate.setup import EvalTask, TfidfClassifier
from flows.llm import Answer, ClientFactory, Message, ModelClient


class BaselineClient:
    """Answers with the label of the last user message, on the route that the parameters name."""

    def __init__(self, classifiers: Mapping[str, TfidfClassifier]) -> None:
        self._classifiers = classifiers
        for one in classifiers.values():
            one.prepare()

    async def ask(self, messages: Sequence[Message], params: Mapping[str, Any]) -> Answer:
        """The label, and how long it took."""
        await asyncio.sleep(0)
        classifier = self._classifiers[params["route"]]
        start = time.perf_counter()
        label = classifier.answer(str(messages[-1]["content"]))
        return Answer(
            "ok",
            text=label,
            model_served=f"{BASELINE}tfidf",
            system_fingerprint=classifier.version,
            finish_reason="stop",
            latency_ms=(time.perf_counter() - start) * 1000,
            cost_usd=0.0,
        )

    def estimate_usd(self, messages: Sequence[Message], params: Mapping[str, Any]) -> float | None:
        """Nothing."""
        return 0.0


def with_baselines(make: ClientFactory, tasks: Sequence[EvalTask]) -> ClientFactory:
    """`make`, but for baselines, which learn from the labelled examples of the papers."""

    def client(model: Model) -> ModelClient:
        if not model.model.startswith(BASELINE):
            return make(model)
        found = (
            (task.name, variant) for task in tasks for variant in task.variants if variant.model.name == model.name
        )
        return BaselineClient({route: variant.classifier for route, variant in found if variant.classifier is not None})

    return client
