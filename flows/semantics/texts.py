"""Which texts of a day are looked at: production's by a stated sample, and the examples of the test sets.

Of a route and day the `max_texts_per_day` calls count whose hash of call_id is smallest (SHA-256, so that the sample
is the same every time, and says nothing of the hour or the user). Shadow traffic and answers from a cache are no
production, and a failed call has no output, as in dbt's int_calls.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flows.lake import Lake

# Longer texts are cut here: what a text is about stands at its beginning, and a document pasted in must not cost
# more than a thousand questions.
MAX_CHARACTERS = 2000

_WHO = ("user_key", "session_id", "trace_id", "call_id")
_COUNTS = ("call_id", "route", "status", "cache_hit", "is_shadow")
_TEXTS = ("call_id", "route", "status", "input_text", "output_text", *_WHO[:3])
# An example without a route is one of every route's.
EVERY_ROUTE = "*"


@dataclass(frozen=True)
class Text:
    """One text to embed. `cluster` is who wrote it, as far as the logs tell; None for an example."""

    call_id: str
    side: str
    origin: str
    route: str
    text: str
    cluster: str | None


def of_day(lake: Lake, day: date, max_texts_per_day: int) -> list[Text]:
    """The texts of a day, in order of origin, route, side and id; those without a word are left out.

    Memory holds the ids of a day and the texts that are chosen.
    """
    chosen = _sample(lake, day, max_texts_per_day)
    texts = [*_production(lake, day, chosen), *_examples(lake, day, max_texts_per_day)]
    return sorted(texts, key=lambda text: (text.origin, text.route, text.side, text.call_id))


def rank(call_id: str) -> bytes:
    """The place of a call in the sample: smallest first."""
    return hashlib.sha256(call_id.encode("utf-8", "replace")).digest()


def _sample(lake: Lake, day: date, count: int) -> pa.Array:
    by_route: dict[str, list[str]] = defaultdict(list)
    calls = lake.read("interactions", day, columns=_COUNTS)
    is_kept = pc.invert(pc.or_(pc.fill_null(calls["is_shadow"], False), pc.fill_null(calls["cache_hit"], False)))
    kept = calls.filter(is_kept)
    for route, call_id in zip(kept["route"].to_pylist(), kept["call_id"].to_pylist(), strict=True):
        by_route[route or "default"].append(call_id)
    chosen = [call_id for ids in by_route.values() for call_id in sorted(ids, key=rank)[:count]]
    return pa.array(chosen, pa.string())


def _production(lake: Lake, day: date, chosen: pa.Array) -> Iterator[Text]:
    for batch in lake.batches("interactions", day, _TEXTS):
        for call in batch.filter(pc.is_in(batch["call_id"], chosen)).to_pylist():
            cluster = next(f"{name}:{call[name]}" for name in _WHO if call[name])
            for side in ("input", "output"):
                text = _cut(call[f"{side}_text"])
                if text and (side == "input" or call["status"] == "success"):
                    yield Text(call["call_id"], side, "production", call["route"] or "default", text, cluster)


def _examples(lake: Lake, day: date, count: int) -> Iterator[Text]:
    """Their inputs only: an expected answer is often a label, and no model for how an answer reads."""
    by_set: dict[tuple[str, str], list[Text]] = defaultdict(list)
    columns = ("set", "route", "example_id", "input_text")
    for example in lake.read("examples", day, columns=columns).to_pylist():
        if text := _cut(example["input_text"]):
            found = Text(example["example_id"], "input", example["set"], example["route"] or EVERY_ROUTE, text, None)
            by_set[found.origin, found.route].append(found)
    for examples in by_set.values():
        yield from sorted(examples, key=lambda text: rank(text.call_id))[:count]


def _cut(text: str | None) -> str:
    return (text or "").strip()[:MAX_CHARACTERS]
