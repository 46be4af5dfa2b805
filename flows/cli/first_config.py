"""The text of a first genchi.yaml, with comments that say what may follow.

What logs say (paths, routes, models) is written as JSON strings, which are YAML: no text can add a key or a line.
"""

import json
import os
import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import ConfigError
from flows.outgoing import without_credentials

if TYPE_CHECKING:
    from flows.ingest import FoundSource

_MOST_ROUTES = 20
_LONGEST_NAME = 40
_SUFFIX = re.compile(r"(\.(jsonl|ndjson|json|csv|parquet|log|txt))?(\.(gz|zst))?\*?$", re.IGNORECASE)

_HEAD = """\
# genchi.yaml, as `genchi init` found the logs. Every key: flows/config/README.md
app: {app}
lake: lake                        # where genchi keeps what it reads: a folder, or s3://bucket/prefix
timezone: UTC                     # decides which day a call belongs to, such as Europe/Berlin

sources:
"""
_PRIVACY = """
redact: [email, phone, card, iban, ip, secret]   # removed from all texts before anything is written
"""
_ROUTES = """
# The jobs that the logs name. One with a test set and criteria is evaluated every night:
#   {first}: {{holdout: holdouts/first.jsonl, criteria: criteria/first.yaml}}
# A line of a test set: {{"example_id": "1", "input": "Where is my order?", "expected": {{"category": "delivery"}}}}
# Criteria: - {{name: valid_json, kind: json_valid, severity: critical, min_pass_rate: 0.99}}
routes:
"""
_REST = """
# The examples that you develop with: each day's inputs are compared with them{with_route}.
# dev_set: datasets/dev.jsonl

# The model in production, and those that might replace it. Keys are taken from the environment.
# models:
#   pinned: {{model: {model}, api_key: "${{OPENAI_API_KEY}}"}}
#   candidates:
#     - {{model: openai/a-smaller-model, api_key: "${{OPENAI_API_KEY}}"}}
# budget: {{usd: 20}}

# Where incidents are told, besides the page in reports/. `genchi alert --test` tries it.
# alerts:
#   - {{kind: slack, url: "${{SLACK_WEBHOOK_URL}}"}}
"""


def refuse_existing(path: Path) -> None:
    """Raise ConfigError where there is something already: it is never overwritten."""
    if os.path.lexists(path):
        raise ConfigError(
            f"{path}: exists, and is left as it is; name another file with --config, or move this one away"
        )


def shown_place(place: str) -> str:
    """A place to look at, without the user and password of a database's address."""
    return without_credentials(place) if place.startswith(("postgres://", "postgresql://")) else place


def configuration(app: str, sources: "Sequence[FoundSource]", variable: str) -> str:
    """The whole file. `variable` is the environment variable with the address of a database."""
    routes = list(dict.fromkeys(route for source in sources for route in source.reading.routes))
    models = [model for source in sources for model in source.reading.models]
    text = _HEAD.format(app=_quoted(app))
    for name, source in zip(_names(sources), sources, strict=True):
        text += _source(name, source, variable)
    text += _PRIVACY
    if routes:
        text += _ROUTES.format(first=_quoted(routes[0]))
        text += "".join(f"  {_quoted(route)}: {{}}\n" for route in routes[:_MOST_ROUTES])
        if len(routes) > _MOST_ROUTES:
            text += f"  # and {len(routes) - _MOST_ROUTES} more: a source's `route` gives all of its calls one name\n"
    with_route = ". Give each its `route`" if len(routes) > 1 else ""
    return text + _REST.format(with_route=with_route, model=_quoted(f"openai/{models[0] if models else 'my-model'}"))


def _source(name: str, source: "FoundSource", variable: str) -> str:
    text = f"  - name: {name}\n    format: {source.format}\n"
    if source.path:
        note = "   # {day} is YYYY-MM-DD" if "{day}" in source.path else ""
        return f"{text}    path: {_quoted(source.path)}{note}\n"
    text += f'    dsn: "${{{variable}}}"\n'
    return text if source.query is None else f"{text}    query: {_quoted(source.query)}\n"


def _names(sources: "Sequence[FoundSource]") -> list[str]:
    """Each source's format; of several with one format, the folder, file or table that tells it from the others."""
    names: list[str] = []
    for source in sources:
        words = _words(source)
        others = [_words(other) for other in sources if other.format == source.format and other is not source]
        shared = {word: sum(word in other for other in others) for word in words}
        own = [word for word in reversed(words) if shared[word] < len(others)]
        base = min(own, key=lambda word: shared[word], default=source.format)
        numbered = (base if number == 1 else f"{base}-{number}" for number in count(1))
        names.append(next(name for name in numbered if name not in names))
    return names


def _words(source: "FoundSource") -> list[str]:
    """The folders and the file of a source's path, or its table, as words of letters, digits, dashes and underscores.

    Without days, stars and suffixes; a part that has nothing else is left out.
    """
    parts = (source.path or source.newest).replace("{day}", "").split("/")
    if source.path:
        parts[-1] = _SUFFIX.sub("", parts[-1])
    words = (re.sub(r"[^a-z0-9_]+", "-", part.lower()).strip("-_")[:_LONGEST_NAME] for part in parts)
    return [word for word in words if word]


def _quoted(text: str) -> str:
    """A text as JSON on one line; what cannot be printed is escaped."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
