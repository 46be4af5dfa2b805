"""What a call asked and what it was answered, out of the JSON of both as any framework logged them.

Belongs here: which of the messages is the question and which the answer, and what each says. A format's SELECT calls
these functions where a call is not in plain chat messages, for which `macros/conversations.sql` says the same.
"""

import json
from typing import Any, NamedTuple

from flows.ingest.map.chat_message import Message
from flows.ingest.map.chat_messages import UNREADABLE, Read, instructions_of, read_messages
from flows.ingest.map.cut_texts import is_marked
from flows.ingest.map.message_parts import text_of
from flows.ingest.map.surrogates import without_surrogates

_INSTRUCTING = ("system", "developer")
_THINK, _THOUGHT = "<think>", "</think>"


class Question(NamedTuple):
    """What was asked: JSON of a list of chat messages, the text of the last that a user said, whether it was cut."""

    messages: str | None
    text: str | None
    is_cut: bool


class Answer(NamedTuple):
    """What was answered: JSON of one assistant's message, what it says, why it ended, whether it was cut."""

    message: str | None
    text: str | None
    finish_reason: str | None
    is_cut: bool


def read_question(given: str | None, instructions: str | None) -> Question | None:
    """The question in the JSON of what was asked, and of the instructions beside it; None where there is neither."""
    read = Read([]) if given is None else read_messages(given, "user")
    told = [text_of(turn.get("content")) or "" for turn in _objects(read.messages) if turn.get("role") in _INSTRUCTING]
    before = [turn for turn in _instructions(instructions)
              if not any((text_of(turn.get("content")) or "") in text for text in told)]  # fmt: skip
    messages = before + read.messages
    if not messages:
        return Question(None, None, True) if read.is_cut else None
    text = _asked_text(read.messages, is_cut=read.is_cut)
    unchanged = given if read.is_unchanged and not before else _as_json(messages)
    return Question(unchanged, text and without_surrogates(text), read.is_cut or is_marked(text))


def _instructions(given: str | None) -> list[Message]:
    """The messages in the JSON of instructions; what is not understood is the text of one."""
    if given is None:
        return []
    try:
        return _objects(instructions_of(json.loads(given)))
    except UNREADABLE:
        return [{"role": "system", "content": given}]


def read_answer(given: str | None) -> Answer | None:
    """The answer in the JSON of what was answered; None where there is none.

    Of a whole conversation it is the last message of the assistant, of several choices the first.
    """
    if given is None:
        return None
    read = read_messages(given, "assistant")
    messages = _objects(read.messages)
    spoken = [message for message in messages if message.get("role") == "assistant"]
    if not spoken:
        return Answer(None, None, None, True) if read.is_cut else None
    message = dict(spoken[0] if len(spoken) == len(messages) else spoken[-1])
    reason = message.pop("finish_reason", None)
    message = _without_thinking(message)
    text = said_text(message)
    return Answer(
        _as_json(message),
        text and without_surrogates(text),
        without_surrogates(reason) if isinstance(reason, str) else None,
        read.is_cut or is_marked(text),
    )


def _without_thinking(message: Message) -> Message:
    """A message with what its text has in <think> before the answer as its reasoning: servers of open models write so.

    A text that ends before the thinking does has no answer. The mark alone is a text like any other.
    """
    content = message.get("content")
    if not isinstance(content, str) or not (stripped := content.lstrip()).startswith(_THINK):
        return message
    thought, end, answer = stripped.removeprefix(_THINK).partition(_THOUGHT)
    if not end and not thought.strip():
        return message
    reasoning = message.get("reasoning_content") or thought.strip()
    return {**message, "content": answer.lstrip() or None, **({"reasoning_content": reasoning} if reasoning else {})}


def said_text(message: Message) -> str | None:
    """What an assistant's message says: its content, the transcript of its sound, or its refusal."""
    audio, refusal = message.get("audio"), message.get("refusal")
    spoken = audio.get("transcript") if isinstance(audio, dict) else None
    texts = (text_of(message.get("content")), text_of(message.get("content_parts")), spoken, refusal)
    return next((text for text in texts if isinstance(text, str) and text), None)


def _asked_text(messages: list[Any], *, is_cut: bool) -> str | None:
    """The text of the last user's message that has one; where no user speaks, that of the last message."""
    turns = _objects(messages)
    users = [turn for turn in turns if turn.get("role") == "user"]
    if not users:
        return None if is_cut or not turns else text_of(turns[-1].get("content"))
    return next((text for turn in reversed(users) if (text := text_of(turn.get("content")))), None)


def _objects(messages: list[Any]) -> list[Message]:
    return [message for message in messages if isinstance(message, dict)]


def _as_json(value: Any) -> str:
    return without_surrogates(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
