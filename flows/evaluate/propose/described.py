"""What the other stages found of calls and examples: topics, vectors and typos, from the lake and the warehouse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.config import Config
from flows.errors import RunError
from flows.evaluate.propose.traits import typos_of
from flows.lake import Lake
from flows.marts import open_marts

NOVEL = "(far from every known topic)"
_WORDS = """
select origin, subject_id, words_checked, words_known
from intermediate.int_text_words
where day between ? and ? and side = 'input' and route in (?, '*') and origin in ('production', 'holdout')
"""


@dataclass(frozen=True)
class Described:
    """By call_id or example_id: the topic's label (NOVEL far from every topic), the vector, whether there are typos."""

    topics: Mapping[str, str] = field(default_factory=dict)
    vectors: Mapping[str, np.ndarray] = field(default_factory=dict)
    typos: Mapping[str, str] = field(default_factory=dict)


def describe_calls(config: Config, days: Sequence[date], route: str, call_ids: Sequence[str]) -> Described:
    """These calls of the days, by the newest catalogue of topics."""
    lake = config.open_lake()
    labels = _labels(lake, days[-1], route)
    topics: dict[str, str] = {}
    vectors: dict[str, np.ndarray] = {}
    for day in days:
        topics |= _topics(lake, day, route, "production", labels)
        vectors |= _vectors(lake, day, route, "production", config.embedding.called, ids=call_ids)
    return Described(topics, vectors, _typos(config, days, route, "production"))


def describe_examples(config: Config, days: Sequence[date], route: str) -> Described:
    """The examples of the holdout, as they were on the newest night of these days that has them."""
    lake = config.open_lake()
    labels = _labels(lake, days[-1], route)
    for day in reversed(days):
        if topics := _topics(lake, day, route, "holdout", labels):
            vectors = _vectors(lake, day, route, "holdout", config.embedding.called)
            return Described(topics, vectors, _typos(config, [day], route, "holdout"))
    return Described(typos=_typos(config, days[-1:], route, "holdout"))


def _labels(lake: Lake, day: date, route: str) -> dict[tuple[str, str], str]:
    """The labels of topics by version and id, in the newest catalogue until `day`."""
    known = [one for one in lake.days("topic_catalog") if one <= day]
    columns = ["route", "topic_id", "topic_version", "label"]
    rows = lake.read("topic_catalog", known[-1], columns=columns).to_pylist() if known else []
    return {
        (row["topic_version"], row["topic_id"]): row["label"] or row["topic_id"]
        for row in rows
        if row["route"] == route
    }


def _topics(lake: Lake, day: date, route: str, origin: str, labels: Mapping[tuple[str, str], str]) -> dict[str, str]:
    columns = ["call_id", "origin", "route", "side", "topic_id", "topic_version", "is_novel"]
    rows = _of(lake.read("topics", day, columns=columns), route, origin)
    found = {
        row["call_id"]: NOVEL if row["is_novel"] else labels.get((row["topic_version"], row["topic_id"]))
        for row in rows.to_pylist()
    }
    return {call_id: label for call_id, label in found.items() if label is not None}


def _vectors(
    lake: Lake, day: date, route: str, origin: str, model: str, *, ids: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    rows = lake.read("embeddings", day, columns=["call_id", "origin", "route", "side", "model", "vector"])
    rows = _of(rows.filter(pc.equal(rows["model"], _name(rows, model))), route, origin)
    if ids is not None:
        rows = rows.filter(pc.is_in(rows["call_id"], pa.array(ids, pa.string())))
    vectors = (np.asarray(one, np.float32) for one in rows["vector"].to_pylist())
    return dict(zip(rows["call_id"].to_pylist(), vectors, strict=True))


def _name(rows: pa.Table, model: str) -> str:
    """The name under which the configured model's vectors are stored: the model's, or one that begins with it."""
    names = pc.unique(rows["model"]).to_pylist()
    return next((name for name in sorted(names) if name == model or name.startswith(model)), model)


def _of(rows: pa.Table, route: str, origin: str) -> pa.Table:
    mine = pc.and_(pc.equal(rows["origin"], origin), pc.is_in(rows["route"], pa.array([route, "*"])))
    return rows.filter(pc.and_(mine, pc.equal(rows["side"], "input")))


def _typos(config: Config, days: Sequence[date], route: str, origin: str) -> dict[str, str]:
    """Empty where no warehouse was built yet, or another process is writing it: then nothing is said of typos."""
    try:
        rows = open_marts(config).query(_WORDS, (days[0], days[-1], route))
    except RunError:
        return {}
    return {
        row["subject_id"]: typos_of(row["words_checked"], row["words_known"]) for row in rows if row["origin"] == origin
    }
