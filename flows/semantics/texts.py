"""The texts of a day that are embedded: a sample of production, and the examples of the test sets.

For each route and day, the sample is the `max_texts_per_day` calls with the smallest ranks of their call_id
(flows/stats/sample.py: the sample is the same every time, and does not depend on the hour or the user). Shadow traffic
and answers from a cache are not production, and a failed call has no output, as in dbt's int_calls.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from flows.lake import Lake, rows_with
from flows.stats.sample import rank, rank_in_sql

# Longer texts are cut at this length: the beginning of a text shows its topic, and a pasted document must not cost
# more than a thousand questions.
MAX_CHARACTERS = 2000

# Of a text, so many times the characters that are kept are read.
_READ = 8
# Marks of layout; each pattern reads a text in linear time, for texts are hostile.
_BROKEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad][ \t]*\r?\n[ \t]*(?=[^\W\d_])|\u00ad")
_LINE_MARKS = re.compile(
    r"^[ \t]*+(?:#{1,6}(?=[ \t])|>|[-*+\u2022](?=[ \t])|\d{1,3}[.)](?=[ \t])|```[^\n]*|[-=*_|:+ \t]{3,}+$)",
    re.MULTILINE,
)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,300}\)")
_MARKS = re.compile(r"\*\*|__|~~|`|\||(?<![\w*])[*_](?=\w)|(?<=[\w.,;:!?])[*_](?!\w)")

# An example without a route belongs to every route.
EVERY_ROUTE = "*"


@dataclass(frozen=True)
class Text:
    """One text to embed. `cluster` is its author, if the logs have one; None for an example."""

    call_id: str
    side: str
    origin: str
    route: str
    text: str
    cluster: str | None


def of_day(lake: Lake, day: date, max_texts_per_day: int) -> list[Text]:
    """The texts of a day, in order of origin, route, side and id; those without a word are left out.

    Only the ids of a day and the sampled texts are held in memory.
    """
    texts = [*_production(lake, day, max_texts_per_day), *_examples(lake, day, max_texts_per_day)]
    return sorted(texts, key=lambda text: (text.origin, text.route, text.side, text.call_id))


# The ids are read first, without the texts: the texts of a day are many times as large.
_SAMPLED = f"""
    with sampled as (
        select
            coalesce(nullif(route, ''), 'default') as route,
            min_by(call_id, {rank_in_sql("call_id")}, $count) as call_ids
        from read_parquet($files, union_by_name = true, hive_partitioning = false)
        where not coalesce(is_shadow, false) and not coalesce(cache_hit, false)
        group by all
    ),

    calls as (
        select route, unnest(call_ids) as call_id from sampled
    )
    select
        texts.call_id, calls.route, texts.status, texts.input_text, texts.output_text,
        case
            when texts.user_key <> '' then 'user_key:' || texts.user_key
            when texts.session_id <> '' then 'session_id:' || texts.session_id
            when texts.trace_id <> '' then 'trace_id:' || texts.trace_id
            else 'call_id:' || texts.call_id
        end as cluster
    from read_parquet($files, union_by_name = true, hive_partitioning = false) as texts
    inner join calls on texts.call_id = calls.call_id
"""


def of_calls(lake: Lake, day: date, call_ids: Sequence[str], side: str = "input") -> dict[str, str]:
    """One side of these calls of a day, by call_id, as it is embedded; missing calls are left out."""
    column = f"{side}_text"
    found = rows_with(lake, "interactions", day, key="call_id", values=call_ids, columns=("call_id", column))
    return {row["call_id"]: _prepared(row[column]) for row in found.to_pylist()}


def _production(lake: Lake, day: date, count: int) -> Iterator[Text]:
    files = [str(place) for place in lake.files("interactions", day)]
    if not files:
        return
    with duckdb.connect() as connection:
        lake.open_to(connection)
        found = connection.execute(_SAMPLED, {"files": files, "count": count}).fetchall()
    for call_id, route, status, input_text, output_text, cluster in found:
        for side, whole in (("input", input_text), ("output", output_text)):
            text = _prepared(whole)
            if text and (side == "input" or status == "success"):
                yield Text(call_id, side, "production", route, text, cluster)


def _examples(lake: Lake, day: date, count: int) -> Iterator[Text]:
    """Only the inputs of examples: an expected answer is often a label, which does not show how an answer reads."""
    by_set: dict[tuple[str, str], list[Text]] = defaultdict(list)
    columns = ("set", "route", "example_id", "input_text")
    for example in lake.read("examples", day, columns=columns).to_pylist():
        if text := _prepared(example["input_text"]):
            found = Text(example["example_id"], "input", example["set"], example["route"] or EVERY_ROUTE, text, None)
            by_set[found.origin, found.route].append(found)
    for examples in by_set.values():
        yield from sorted(examples, key=lambda text: rank(text.call_id))[:count]


def _prepared(text: str | None) -> str:
    """The text as it is embedded: its words in lower case, without line breaks and marks of layout, cut.

    Models of words give line breaks, capitals and marks a meaning: where a crawler stops to wrap lines, or a client to
    send Markdown, all texts would change their topic. A word that is broken at the end of a line is one word again.
    """
    text = (text or "")[: _READ * MAX_CHARACTERS]
    text = _LINK.sub(r"\1", _LINE_MARKS.sub("", _BROKEN.sub("", text)))
    return " ".join(_MARKS.sub(" ", text).split())[:MAX_CHARACTERS].lower()
