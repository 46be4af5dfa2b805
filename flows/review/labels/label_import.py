"""`genchi labels import`: labels of a file into the lake, all or none of them, and none twice.

The file is genchi's own export, or that of Langfuse, Phoenix or Argilla. A label of another tool names its call by
`call_id` or by `trace_id`; the lake says which call that is, on which route, and which version of the criterion was in
force.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.config import Config
from flows.errors import ConfigError
from flows.lake import CALL, SCHEMAS, Lake, rows_with
from flows.outgoing import plain
from flows.review.labels.collection import publish
from flows.review.labels.foreign_labels import FORMATS, Foreign, NotALabelError, format_of, labels_in, verdict_of
from flows.review.labels.label_corrections import as_corrected
from flows.review.labels.label_files import row_of, without_apostrophe
from flows.review.labels.label_journal import Entry
from flows.review.labels.versions_in_force import Versions
from flows.words import counted

Row = dict[str, Any]

CHOICES = ("auto", "csv", "jsonl", *FORMATS)
_MOST_TOLD = 20


@dataclass
class Imported:
    """What became of a file. `faults` are lines about rows that cannot be read; with one of them nothing is added.

    `corrected` are those of `added` that take the place of a label that was imported before. `unversioned` has the
    labels whose criterion has no known version, by route and criterion: they count for nothing.
    """

    added: int = 0
    corrected: int = 0
    known: int = 0
    unversioned: Counter[tuple[str, str]] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The result in words."""
        if self.faults:
            yield from self.faults[:_MOST_TOLD]
            if len(self.faults) > _MOST_TOLD:
                yield f"and {len(self.faults) - _MOST_TOLD:,} more"
            yield "nothing was imported; correct or remove these rows, and run the same command again"
            return
        yield f"{counted(self.added, 'label')} added, {self.known:,} known already"
        if self.corrected:
            yield f"{self.corrected:,} of them in place of an earlier label, which was taken back"
        for what, count in (+self.others).most_common():
            yield f"{count:,} left out: {what}"
        for (route, criterion), count in (+self.unversioned).most_common():
            yield (
                f"{counted(count, 'label')} of {plain(criterion)!r} on route {plain(route)}: no version of this"
                " criterion is known, so no rate counts them; name a criterion of the route so, and import the file"
                " again after its first night"
            )


def import_labels(config: Config, path: Path, kind: str = "auto", only: Collection[str] = ()) -> Imported:
    """Add the labels of a file to the lake; the caller holds the lake's lock.

    With `only`, labels of other criteria (names of scores, annotations or questions) are left out.

    Raises ConfigError if the file cannot be read, or is of no known format.
    """
    lake, result = config.open_lake(), Imported()
    own: list[Row] = []
    foreign: list[tuple[int, Foreign, bool | None]] = []
    for line, given in _rows(path, kind):
        try:
            labels = list(_labels_in(given, kind))
            kept = [label for label in labels if not only or _criterion(label) in only]
            result.others["of other criteria"] += len(labels) - len(kept)
            own += [label for label in kept if isinstance(label, dict)]
            foreign += [(line, label, verdict_of(label.value)) for label in kept if isinstance(label, Foreign)]
        except NotALabelError as other:
            result.others[str(other)] += 1
        except ValueError as error:
            result.faults.append(f"{path}:{line}: {error}")
    stones, given = config.tombstones(lake), len(own) + len(foreign)
    own = [row for row in own if not stones.knows(CALL, row["subject_id"])]
    foreign = [it for it in foreign if not any(stones.knows(CALL, subject) for subject in it[1].subjects)]
    result.others["of calls that were forgotten"] += given - len(own) - len(foreign)
    calls = _calls(lake, {subject for _, label, _ in foreign for subject in label.subjects})
    found: list[Row] = []
    for line, label, passed in foreign:
        call = next((calls[subject] for subject in label.subjects if subject in calls), None)
        if call is None:
            result.faults.append(f"{path}:{line}: no call {' or '.join(label.subjects) or '(unnamed)'} in the lake")
        else:
            found.append(_row(label, passed, call))
    if not result.faults:
        versions = Versions(lake, {(row["route"], row["criterion"]) for row in found})
        for row in found:
            row["criterion_version"] = versions.at(row["route"], row["criterion"], row["at"])
            result.unversioned[row["route"], row["criterion"]] += row["criterion_version"] is None
        new = list(as_corrected(lake, found))
        result.corrected = sum(row["retracts"] is not None for row in new)
        entries = [Entry("annotations", row) for row in (*own, *new)]
        result.added = publish(lake, config.timezone, entries, is_new=True).labels - result.corrected
        result.known = len(own) + len(found) - result.added
    return result


def _labels_in(given: Any, kind: str) -> Iterator[Row | Foreign]:
    """The labels of one row of a file: rows of the lake from genchi's own export, or those of another tool."""
    if not isinstance(given, dict):
        raise ValueError("not an object, or not as many fields as the first line")
    tool = kind if kind in FORMATS else format_of(given)
    if tool is None:
        yield row_of(given)
    else:
        yield from labels_in(given, tool)


def _criterion(label: Row | Foreign) -> str:
    return label.criterion if isinstance(label, Foreign) else str(label["criterion"])


def _row(label: Foreign, passed: bool | None, call: Mapping[str, Any]) -> Row:
    """The row of a label of another tool. Nothing says how its call was drawn, or what the person knew."""
    return dict.fromkeys(SCHEMAS["annotations"].names) | {
        "label_id": label.label_id,
        "subject": "interaction",
        "subject_id": call["call_id"],
        "route": call["route"],
        "criterion": label.criterion,
        "annotator": label.annotator,
        "annotator_kind": "imported",
        "at": label.at or call["started_at"] or datetime.now(UTC),
        "passed": passed,
        "failure_mode": label.failure_mode if passed is False else None,
        "note": label.note,
    }


def _calls(lake: Lake, names: set[str]) -> dict[str, Row]:
    """The calls with these ids, and of each trace its last call."""
    found: dict[str, Row] = {}
    columns = ("call_id", "trace_id", "route", "started_at")
    for key in ("trace_id", "call_id"):  # an id that is both is the call's
        for day in lake.days("interactions") if names else ():
            rows = rows_with(lake, "interactions", day, key=key, values=names, columns=columns).to_pylist()
            for row in sorted(rows, key=lambda row: (row["started_at"] is not None, row["started_at"])):
                found[row[key]] = row
    return found


def _rows(path: Path, kind: str) -> Iterator[tuple[int, Any]]:
    """The rows of a file, each with the number of its line. A fault of a line is a row that is no object."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # read_text would change line ends within texts
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not in UTF-8"
        raise ConfigError(f"{path}: {why}") from None
    start = text.lstrip()[:1]
    if kind == "csv" or (start not in ("{", "[") and kind != "jsonl"):
        return _csv_rows(path, text)
    if start == "[" and kind != "jsonl":
        return enumerate(_json_list(path, text), 1)
    return _json_lines(text)


def _json_lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, None


def _json_list(path: Path, text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid JSON: {error}") from None
    return found if isinstance(found, list) else [found]


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        names = next(reader, [])
        if len(names) < 2 or len(set(names)) < len(names):
            raise ConfigError(f"{path}: the first line has no names of columns; name the format with --format")
        for cells in reader:
            if cells:
                yield reader.line_num, _csv_row(names, cells)
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num}: {error}") from None


def _csv_row(names: list[str], cells: Iterable[str]) -> Row | None:
    given = [without_apostrophe(cell) for cell in cells]
    return dict(zip(names, given, strict=True)) if len(given) == len(names) else None
