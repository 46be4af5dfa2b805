"""What is asked of each API for a day, and how it names the next page.

- Langfuse: `GET /api/public/v2/observations` (generations, by their start) and `GET /api/public/v3/scores` (by the time
  at which they were given), both with `cursor` and `meta.cursor`. A server of Langfuse 3 does not have them: there
  `/api/public/observations` and `/api/public/v2/scores`, with `page` and `meta.totalPages`.
- Phoenix: `GET /v1/projects/{project}/spans` with `cursor` and `next_cursor`, and the annotations on each page's spans,
  `GET /v1/projects/{project}/span_annotations`, which can be listed by spans only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flows.config import Source

Parameters = list[tuple[str, str]]
# Everything of an observation but how its price was found.
_FIELDS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"
# Langfuse cuts other values of metadata after 200 characters; the format reads these.
_WHOLE_METADATA = "attributes,tags"
_MOST_OF_LANGFUSE_3, _MOST_SCORES = 100, 100
_SPANS_AT_ONCE = 100  # ids in one address of a request: 2.6 KB


@dataclass(frozen=True)
class Listing:
    """A list of records that is read page by page.

    `following` gives the next value of the parameter `turned_by` from a page's fields and its current value, or None at
    the end. `attached` are the lists that belong to the records of one page. `instead` is asked where the server does
    not have this one.
    """

    name: str
    path: str
    parameters: Parameters
    turned_by: str
    following: Callable[[dict[str, Any], str | None], str | None]
    attached: Callable[[list[Any]], Iterator["Listing"]] | None = None
    instead: "Listing | None" = None


def listings(source: Source, begin: datetime, end: datetime) -> list[Listing]:
    """What to read of a source's API for records from `begin` up to `end`."""
    return (_of_langfuse if source.format == "langfuse" else _of_phoenix)(source, _iso(begin), _iso(end))


def _of_langfuse(source: Source, begin: str, end: str) -> list[Listing]:
    assert source.api is not None
    size = source.api.page_size
    times = [("fromStartTime", begin), ("toStartTime", end)]
    stamps = [("fromTimestamp", begin), ("toTimestamp", end)]
    generations = [("type", "GENERATION")]
    limits = [("limit", str(min(size, _MOST_OF_LANGFUSE_3)))]
    fields = [("fields", _FIELDS), ("expandMetadata", _WHOLE_METADATA), ("limit", str(size))]
    numbered = Listing(
        "observations", "/api/public/observations", [*times, *generations, *limits], "page", _next_number
    )
    numbered_scores = Listing("scores", "/api/public/v2/scores", [*stamps, *limits], "page", _next_number)
    score_fields = [("fields", "details,subject"), ("limit", str(min(size, _MOST_SCORES)))]
    observations, scores = "/api/public/v2/observations", "/api/public/v3/scores"
    by_cursor, by_score_cursor = [*times, *generations, *fields], [*stamps, *score_fields]
    return [
        Listing("observations", observations, by_cursor, "cursor", _cursor_in_meta, instead=numbered),
        Listing("scores", scores, by_score_cursor, "cursor", _cursor_in_meta, instead=numbered_scores),
    ]


def _of_phoenix(source: Source, begin: str, end: str) -> list[Listing]:
    assert source.api is not None
    project, size = f"/v1/projects/{quote(source.api.project, safe='')}", str(source.api.page_size)

    def annotations(spans: list[Any]) -> Iterator[Listing]:
        ids = list(dict.fromkeys(filter(None, map(_span_id, spans))))
        for first in range(0, len(ids), _SPANS_AT_ONCE):
            asked = [("span_ids", one) for one in ids[first : first + _SPANS_AT_ONCE]]
            yield Listing(
                "annotations", f"{project}/span_annotations", [*asked, ("limit", size)], "cursor", _next_cursor
            )

    times = [("start_time", begin), ("end_time", end), ("limit", size)]
    return [Listing("spans", f"{project}/spans", times, "cursor", _next_cursor, attached=annotations)]


def _span_id(span: Any) -> str | None:
    context = span.get("context") if isinstance(span, dict) else None
    found = context.get("span_id") if isinstance(context, dict) else None
    return found if isinstance(found, str) else None


def _cursor_in_meta(fields: dict[str, Any], _: str | None) -> str | None:
    meta = fields.get("meta")
    return _text(meta.get("cursor")) if isinstance(meta, dict) else None


def _next_cursor(fields: dict[str, Any], _: str | None) -> str | None:
    return _text(fields.get("next_cursor"))


def _next_number(fields: dict[str, Any], current: str | None) -> str | None:
    meta = fields.get("meta")
    pages = meta.get("totalPages") if isinstance(meta, dict) else None
    number = int(current or "1")
    return str(number + 1) if isinstance(pages, int) and number < pages else None


def _text(cursor: Any) -> str | None:
    return cursor if isinstance(cursor, str) and cursor else None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
