"""Files beside the tables: pages, Data Docs, journals, records of digests, and what dbt leaves."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np

from flows.config import Config
from flows.erasure.person import Person
from flows.erasure.scrubbing import scrubbed
from flows.lake import Lake, Note, replace_text
from flows.report.flow import write_again

_OF_DBT = (
    "logs",
    *(f"{target}/{of}" for target in ("target", "target-workspace") for of in ("run", "compiled", "run_results.json")),
)


def has_person(place: Path, person: Person, *, is_text: bool = True) -> bool:
    """Whether the bytes of a file mention the person."""
    if not place.stat().st_size:
        return False
    content = np.memmap(place, np.uint8, "r")
    return next(person.needles.hits(content, is_text=is_text), None) is not None


def erase_reports(config: Config, person: Person, *, is_dry: bool) -> Iterator[tuple[str, str]]:
    """Pages that mention the person are made again, Evidently's and Data Docs deleted; what was done, by place."""
    is_any = False
    for folder in sorted(config.reports.glob("*/")):
        found = [place for place in sorted(folder.rglob("*")) if place.is_file() and has_person(place, person)]
        docs = folder / "data_docs"
        for place in {docs if place.is_relative_to(docs) else place for place in found} - {folder / "index.html"}:
            yield str(place), "would be deleted" if is_dry else "deleted"
            if not is_dry:
                shutil.rmtree(place) if place.is_dir() else place.unlink()
        day = _day(folder.name)
        if found and day and (folder / "index.html").exists():
            is_any = True
            yield str(folder / "index.html"), "would be made again" if is_dry else "made again"
            if not is_dry:
                write_again(config, day, with_index=False)
        elif found and not is_dry:
            (folder / "index.html").unlink(missing_ok=True)
    index = config.reports / "index.html"
    if index.exists() and (is_any or has_person(index, person)):
        yield str(index), "would be made again" if is_dry else "made again"
        if not is_dry:
            write_again(config, None, with_index=True)


def erase_journals(config: Config, person: Person, *, is_dry: bool) -> Iterator[tuple[str, str]]:
    """Lines of the journals of answers that mention the person go. Labels were brought into the lake before."""
    for place in sorted((config.state / "_journal").glob("*.jsonl")):
        lines = place.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if next(person.needles.hits(line), None) is None and not _names(line, person)]
        if len(kept) < len(lines):
            yield str(place), f"{len(lines) - len(kept):,} lines"
            if not is_dry:
                replace_text(place, b"".join(kept).decode(errors="replace"))


def _names(line: bytes, person: Person) -> bool:
    try:
        row = json.loads(line)
    except ValueError:
        return False
    return isinstance(row, dict) and str(row.get("example_id")) in person.calls | person.proposals


def erase_notes(lake: Lake, person: Person, *, is_dry: bool) -> Iterator[tuple[str, str]]:
    """Records of digests that mention the person lose what does."""
    for name in lake.backend.names("_alerts/*.json"):
        note = Note(lake.backend, name)
        text = note.read() or ""
        if person.needles.is_in(text):
            yield str(lake.backend.place(name)), "texts"
            if not is_dry:
                note.write(scrubbed(text, person))


def erase_left_over(config: Config, _: Person, *, is_dry: bool) -> Iterator[tuple[str, str]]:
    """What dbt logged and compiled, pages of an API, and a warehouse put aside as damaged are deleted whole.

    Pages of an API that wait for the next run have texts as they were before redaction: they are pulled again.
    """
    aside = config.warehouse.with_name(f"{config.warehouse.name}.damaged")
    places = [*(config.state / "_dbt" / name for name in _OF_DBT), config.state / "_spool"]
    for place in (*places, aside, aside.with_name(f"{aside.name}.wal")):
        if place.exists():
            yield str(place), "would be deleted" if is_dry else "deleted"
            if not is_dry:
                shutil.rmtree(place) if place.is_dir() else place.unlink()


def erase_test_sets(config: Config, person: Person, *, is_dry: bool) -> Iterator[tuple[str, str]]:
    """Examples that were accepted from a call leave the file of the test set; lines that people wrote are named."""
    files = {route.holdout for route in config.routes.values() if route.holdout} | {config.dev_set}
    for place in sorted(one for one in files if one and one.exists()):
        lines = place.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
        own = {number for number, line in enumerate(lines, 1) if _example(line) in person.proposals}
        theirs = [number for number, line in enumerate(lines, 1) if number not in own and person.needles.is_in(line)]
        if own:
            yield str(place), f"{len(own):,} accepted examples"
            if not is_dry:
                kept = [line for number, line in enumerate(lines, 1) if number not in own]
                real = place.resolve()
                mode = real.stat().st_mode & 0o777
                replace_text(real, "".join(kept), mode)
        if theirs:
            shown = ", ".join(map(str, theirs[:5]))
            yield str(place), f"left, for it is yours; take out lines {shown}, which have words of theirs"


def _example(line: str) -> str:
    try:
        row = json.loads(line)
    except ValueError:
        return ""
    return str(row.get("example_id")) if isinstance(row, dict) else ""


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
