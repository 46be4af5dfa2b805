"""A judge's prompt of the workspace: `prompts/judge/<name>.md`, whose `{{placeholders}}` are filled for each answer.

The template is the message of the user. What is judged stays data: each placeholder of it becomes one line of JSON
between two marks, of which the system message, genchi's own, says that nothing between them is an instruction. What is
filled in is not searched for placeholders again.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.config import did_you_mean
from flows.errors import ConfigError

FOLDER = Path("prompts", "judge")
Mode = Literal["binary", "pairwise"]
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*")
# What the criterion says itself, and what others wrote; `data` is all of the latter at once.
QUESTION = "question"
_JUDGED: dict[str, tuple[str, ...]] = {"binary": ("answer",), "pairwise": ("first_answer", "second_answer")}


@dataclass(frozen=True)
class JudgeTemplate:
    """The text of a template that has the placeholders of a mode."""

    path: Path
    text: str

    def filled(self, question: str, fenced: dict[str, str]) -> str:
        """The text with the criterion's question, and `fenced` data by placeholder, in place of the placeholders."""
        return _PLACEHOLDER.sub(lambda found: {QUESTION: question, **fenced}[found[1]], self.text)


def known_placeholders(mode: Mode) -> tuple[str, ...]:
    """What a template of a mode may have."""
    return (QUESTION, "data", "conversation", *_JUDGED[mode])


def template_of(workspace: Path, criterion: str, mode: Mode, name: str | None) -> JudgeTemplate | None:
    """The template that a criterion names, or that is named as the criterion; None where there is none.

    Raises ConfigError, in one line with its file, if the named one is not there, or if a template cannot be used.
    """
    if name is None and not _NAME.fullmatch(criterion):
        return None
    path = workspace / FOLDER / f"{name or criterion}.md"
    if not path.is_file():
        if name is None:
            return None
        there = sorted(file.stem for file in path.parent.glob("*.md"))
        raise ConfigError(f"{path}: no such file; {did_you_mean(name, there)}")
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    known, found = known_placeholders(mode), _PLACEHOLDER.findall(text)
    for placeholder in found:
        if placeholder not in known:
            raise ConfigError(f"{path}: unknown placeholder {{{{{placeholder}}}}}; {did_you_mean(placeholder, known)}")
    lacking = [one for one in _JUDGED[mode] if one not in found and "data" not in found]
    if lacking:
        raise ConfigError(f"{path}: lacks {{{{{lacking[0]}}}}}, or {{{{data}}}} with all that is judged; add it")
    return JudgeTemplate(path, text)
