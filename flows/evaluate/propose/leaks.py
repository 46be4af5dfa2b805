"""What a new example of a holdout must not contain: texts that development works with."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.config import Config
from flows.evaluate.propose.holdout_file import messages_of_row, read_dev_set
from flows.evaluate.propose.traits import asked_text
from flows.stats.containment import contained, containing

PROMPTS = "prompts"
_INSTRUCTIONS = ("system", "developer")
_VARIANTS = 200  # of the instructions, which may name the user or the hour in every call
_LARGEST = 1_000_000  # bytes of a file that may be a prompt


@dataclass(frozen=True)
class Source:
    """One text that development works with, and what it is."""

    name: str
    text: str


@dataclass(frozen=True)
class Leak:
    """Where the text of an example was found. `is_exact`: as it is, and not only most of it."""

    name: str
    share: float
    is_exact: bool

    def __str__(self) -> str:
        how = "stands in" if self.is_exact else f"has {100 * self.share:.0f} % of its text in common with"
        return f"{how} {self.name}"


def sources_of(config: Config, route: str, conversations: Iterable[Sequence[Mapping[str, Any]]]) -> list[Source]:
    """A route's dev set (worked examples are taken from it), its prompts, and the instructions in conversations."""
    found = [
        Source(f"example {row['example_id']} of the dev set", asked_text(messages_of_row(row)))
        for row in read_dev_set(config, route)
    ]
    for path in _prompt_files(config, route):
        found.append(Source(f"the prompt {path.name}", path.read_text(encoding="utf-8", errors="replace")))
    instructions = Counter(
        asked_text([one])
        for messages in conversations
        for one in messages
        if one.get("role") in _INSTRUCTIONS and asked_text([one]).strip()
    )
    return [*found, *(Source("the application's own prompt", text) for text, _ in instructions.most_common(_VARIANTS))]


def leaks_of(texts: Sequence[str], sources: Sequence[Source]) -> list[Leak | None]:
    """For each text the source that it is contained in, or that is contained in it; see flows/stats/containment.py."""
    known = [source.text for source in sources]
    pairs = zip(contained(texts, known), containing(texts, known), strict=True)
    best = (inner if inner and not (outer and outer.share > inner.share) else outer for inner, outer in pairs)
    return [Leak(sources[one.place].name, one.share, one.is_whole) if one else None for one in best]


def _prompt_files(config: Config, route: str) -> list[Path]:
    models = config.models.written() if config.models else ()
    named = [config.workspace / model.prompt for model in models if model.prompt]
    folder = sorted((config.workspace / PROMPTS / route).glob("*"))
    return [path for path in dict.fromkeys([*named, *folder]) if path.is_file() and path.stat().st_size <= _LARGEST]
