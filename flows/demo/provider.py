"""The simulated models as a litellm custom provider: in this process, without a network.

They are not language models: an answer is built from phrases, and its mistakes are planted (`desk.py`).
Every answer carries the fingerprint `fp_simulated`. Importing this module takes seconds, because it imports litellm.
"""

import threading
import uuid
from collections import Counter
from typing import Any

from flows.demo import desk, reviewer, simulator
from flows.llm import load_litellm

FINGERPRINT = "fp_simulated"

_litellm = load_litellm()


class SimulatedDesk(_litellm.CustomLLM):  # type: ignore[name-defined,misc]  # loaded late, so Any
    """Answers `simulated/support-desk-1` and `simulated/support-desk-2`, and judges as `simulated/desk-judge-1`.

    The same request mostly gets the same answer; on three texts in a hundred every second answer differs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._times_asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def completion(self, model: str, messages: list[dict[str, Any]], **options: Any) -> Any:
        """A litellm ModelResponse. Raises CustomLLMError with status 404 for a model that does not exist."""
        text = _last_user_text(messages)
        if model == reviewer.JUDGE:
            return _response(model, messages, reviewer.verdict_reply(text))
        with self._lock:
            times_asked = self._times_asked[model, text]
            self._times_asked[model, text] += 1
        try:
            answer = desk.model_answer(model, text, times_asked)
        except KeyError:
            known = f"{desk.PINNED}, {desk.CANDIDATE} and {reviewer.JUDGE}"
            raise _litellm.llms.custom_llm.CustomLLMError(
                404, f"no simulated model {model!r}; there are {known}"
            ) from None
        return _response(model, messages, answer)

    async def acompletion(self, model: str, messages: list[dict[str, Any]], **options: Any) -> Any:
        """As completion, without waiting."""
        return self.completion(model, messages, **options)


def _last_user_text(messages: list[dict[str, Any]]) -> str:
    spoken = [message["content"] for message in messages if message.get("role") == "user"]
    content = spoken[-1] if spoken else ""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return str(content or "")


def _response(model: str, messages: list[dict[str, Any]], answer: str) -> Any:
    asked = sum(simulator.tokens(str(message.get("content") or "")) for message in messages)
    answered = simulator.tokens(answer)
    cut_off = answer[0] in "{[" and answer[-1] not in "}]"
    return _litellm.ModelResponse(
        id=f"chatcmpl-simulated-{uuid.uuid4().hex}",
        model=model,
        system_fingerprint=FINGERPRINT,
        choices=[
            {
                "index": 0,
                "finish_reason": "length" if cut_off else "stop",
                "message": {"role": "assistant", "content": answer},
            }
        ],
        usage={"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered},
    )
