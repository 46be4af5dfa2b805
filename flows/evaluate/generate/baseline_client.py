"""The TF-IDF baseline as a model client: it runs in this process and costs nothing."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from flows.config import BASELINE, Model
from flows.evaluate.setup import EvalTask, TfidfClassifier
from flows.llm import Answer, ClientFactory, Message, ModelClient


class BaselineClient:
    """Predicts the label of the last user message. `params["route"]` selects the classifier."""

    def __init__(self, classifiers: Mapping[str, TfidfClassifier]) -> None:
        self._classifiers = classifiers
        for one in classifiers.values():
            one.prepare()

    async def ask(self, messages: Sequence[Message], params: Mapping[str, Any]) -> Answer:
        """The predicted label, with its latency."""
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
        """Always 0."""
        return 0.0


def with_baselines(make: ClientFactory, tasks: Sequence[EvalTask]) -> ClientFactory:
    """`make`, except that baseline models get a `BaselineClient` with the classifiers of the tasks."""

    def client(model: Model) -> ModelClient:
        if not model.model.startswith(BASELINE):
            return make(model)
        found = (
            (task.name, variant) for task in tasks for variant in task.variants if variant.model.name == model.name
        )
        return BaselineClient({route: variant.classifier for route, variant in found if variant.classifier is not None})

    return client
