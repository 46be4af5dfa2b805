"""Labels as other tools export them, for people who label there.

Langfuse (its repository in autumn 2026): scores as the UI exports them (JSON, JSONL, CSV with `traceId`,
`observationId`, `stringValue`, `authorUserName`), and as the export to blob storage writes them (`trace_id`,
`observation_id`, `string_value`, `data_type`, `author_user_id`). Only those with the source ANNOTATION are people's.

Phoenix (arize-phoenix-client in autumn 2026): span annotations as `get_span_annotations` and its REST route give them
(`span_id`, `name`, `annotator_kind`, `result` with `label`, `score` and `explanation`), and as
`get_span_annotations_dataframe` has them (`annotation_name`, `result.label`, ...). Only HUMAN ones are people's.

Argilla 2.8: records as `to_list` and `to_json` give them (`id`, `metadata`, `responses` by question, each a list of
`value` and `user_id`). The record's id, or `call_id` or `trace_id` of its metadata, names the call.

A table that somebody wrote: `call_id` or `trace_id`, `criterion` and `passed`, and if they are there `annotator`, `at`,
`failure_mode` and `note`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]

FORMATS = ("langfuse", "phoenix", "argilla")
TABLE = "table"
_NO_VERDICTS = ("TEXT", "CORRECTION")  # types of Langfuse's scores
_GOOD = {"pass", "passed", "true", "yes", "correct", "good", "ok", "positive", "1", "thumbs_up", "thumbs-up", "up"}
_BAD = {
    *("fail", "failed", "false", "no", "incorrect", "wrong", "bad", "negative", "0"),
    *("thumbs_down", "thumbs-down", "down"),
}
_UNSURE = {"unsure", "unknown", "unclear", "skip", "n/a", "na", "maybe"}


@dataclass(frozen=True)
class Foreign:
    """A label of another tool. `subjects` are ids that may name a call or a trace, the narrowest first.

    `value` is its verdict as the tool has it: a flag, a number, a word.
    """

    subjects: tuple[str, ...]
    criterion: str
    annotator: str
    at: datetime | None
    value: Any
    note: str | None
    key: str
    failure_mode: str | None = None

    @property
    def label_id(self) -> str:
        """The same for each import of the same label."""
        return id_of(self.key)


def id_of(key: str) -> str:
    """The id of a row, always the same for the same key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class NotALabelError(Exception):
    """A row that is no judgement of a person, such as a score of a model: it is counted, and no fault."""


def format_of(row: Mapping[str, Any]) -> str | None:
    """The tool whose export a row looks like, or TABLE; None where it is genchi's own, or unknown."""
    keys = set(row)
    if "label_id" in keys:
        return None
    if "criterion" in keys and keys & {"call_id", "trace_id"}:
        return TABLE
    if "responses" in keys and "id" in keys:
        return "argilla"
    if keys & {"annotator_kind"} and keys & {"name", "annotation_name"}:
        return "phoenix"
    return "langfuse" if keys & {"traceId", "trace_id"} and {"name", "value"} <= keys else None


def labels_in(row: Mapping[str, Any], tool: str) -> Iterator[Foreign]:
    """The labels of one exported row. Raises ValueError with what is wrong with it, and NotALabelError."""
    yield from {"langfuse": _langfuse, "phoenix": _phoenix, "argilla": _argilla, TABLE: _table}[tool](row)


def verdict_of(value: Any) -> bool | None:
    """Pass or fail from a word, a flag or a score of 0 or 1; None where it says that the person was unsure.

    Raises ValueError for all else.
    """
    text = str("" if value is None else value).strip().lower()
    with suppress(ValueError):
        text = {0.0: "0", 1.0: "1"}.get(float(text), text)
    for words, passed in ((_GOOD, True), (_BAD, False), (_UNSURE, None)):
        if text in words:
            return passed
    raise ValueError(f"{str(value)[:60]!r} is neither pass nor fail")


def _langfuse(row: Mapping[str, Any]) -> Iterator[Foreign]:
    source = str(_first(row, "source") or "")
    if source.upper() != "ANNOTATION":
        raise NotALabelError(f"a score of source {source or 'unknown'}")
    kind = str(_first(row, "dataType", "data_type") or "").upper()
    if kind in _NO_VERDICTS:
        raise NotALabelError(f"a score of type {kind}")
    words = _first(row, "stringValue", "string_value")
    value = words if kind == "CATEGORICAL" or _first(row, "value") is None else _first(row, "value")
    yield Foreign(
        subjects=_texts(row, "observationId", "observation_id", "traceId", "trace_id"),
        criterion=_needed(row, "name"),
        annotator=str(_first(row, "authorUserName", "author_user_id", "authorUserId") or "langfuse"),
        at=_time(_first(row, "timestamp", "created_at", "createdAt")),
        value=value,
        note=_text(_first(row, "comment")),
        key=f"langfuse/{_needed(row, 'id')}",
    )


def _phoenix(row: Mapping[str, Any]) -> Iterator[Foreign]:
    kind = str(_first(row, "annotator_kind") or "")
    if kind.upper() != "HUMAN":
        raise NotALabelError(f"an annotation of kind {kind or 'unknown'}")
    result = row.get("result")
    flat = {f"result.{name}": value for name, value in result.items()} if isinstance(result, dict) else {}
    given = {**row, **flat}
    label, score = _first(given, "result.label", "label"), _first(given, "result.score", "score")
    span, name = _needed(given, "span_id"), str(_first(given, "name", "annotation_name") or "")
    if not name:
        raise ValueError("no name")
    annotator = str(_first(given, "user_id", "identifier") or "phoenix")
    yield Foreign(
        subjects=(span,),
        criterion=name,
        annotator=annotator,
        at=_time(_first(given, "updated_at", "created_at")),
        value=label if label is not None else score,
        note=_text(_first(given, "result.explanation", "explanation")),
        key=f"phoenix/{_first(given, 'id') or f'{span}/{name}/{annotator}'}",
    )


def _argilla(row: Mapping[str, Any]) -> Iterator[Foreign]:
    metadata = row.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    responses = row.get("responses")
    if not isinstance(responses, dict):
        raise ValueError("no responses, an object of questions; export the records with `to_json`")
    if not any(responses.values()):
        raise NotALabelError("a record without a response")
    record = _needed(row, "id")
    for question, given in responses.items():
        for response in given if isinstance(given, list) else ():
            if not isinstance(response, dict) or "value" not in response:
                raise ValueError(f"responses.{question}: a response without a value")
            annotator = str(response.get("user_id") or "argilla")
            yield Foreign(
                subjects=tuple(dict.fromkeys((*_texts(named, "call_id"), record, *_texts(named, "trace_id")))),
                criterion=str(question),
                annotator=annotator,
                at=None,  # the export has no time
                value=response["value"],
                note=None,
                key=f"argilla/{record}/{question}/{annotator}",
            )


def _table(row: Mapping[str, Any]) -> Iterator[Foreign]:
    subjects = _texts(row, "call_id", "trace_id")
    criterion, annotator = _needed(row, "criterion"), str(_first(row, "annotator") or "imported")
    at = _first(row, "at")
    yield Foreign(
        subjects=subjects,
        criterion=criterion,
        annotator=annotator,
        at=_time(at),
        value=_first(row, "passed"),
        note=_text(_first(row, "note")),
        key="/".join(("table", *subjects, criterion, annotator, str(at or ""))),
        failure_mode=_text(_first(row, "failure_mode")),
    )


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{str(value)[:60]!r} is not a time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _first(row: Mapping[str, Any], *names: str) -> Any:
    """The first of these fields that is there and not empty."""
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _texts(row: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in names if row.get(name) not in (None, ""))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _needed(row: Mapping[str, Any], name: str) -> str:
    value = _first(row, name)
    if value is None:
        raise ValueError(f"no {name}")
    return str(value)
