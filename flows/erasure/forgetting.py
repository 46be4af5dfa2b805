"""One run of `genchi forget`: tombstones first, then the tables, the files, and the search for what is left."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flows.config import Config
from flows.erasure import files, lake_rows, mart_rows, warehouse_rows
from flows.erasure.gathering import gather
from flows.erasure.person import Person, note_of
from flows.erasure.searching import scan
from flows.errors import ConfigError, RunError
from flows.evaluate import EvalSetup
from flows.lake import Lake, Tombstones, add_tombstones, read_tombstones
from flows.retention import EXPIRED
from flows.review import collect
from flows.transform import compact
from flows.words import counted

_PATIENCE_S = 600  # for another run to leave the lake


@dataclass(frozen=True)
class Asked:
    """Who is to be forgotten: ids of users as in the logs, or their keys, and ids of calls."""

    users: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    is_dry: bool = False


def forget(config: Config, setup: EvalSetup | None, asked: Asked, now: datetime, tell: Callable[[str], None]) -> bool:
    """Erase, and search for what is left; whether nothing is. With `is_dry` nothing is changed or searched.

    `setup` has the criteria, None where they cannot be read. What a run that was killed had begun is finished, also
    without anything new. Raises ConfigError where there is nothing to do, or where the warehouse is on Spark, and
    RunError where the lake or the warehouse is in use or cannot be read.
    """
    config.require_for_ingest()
    if config.engine.warehouse != "duckdb":
        raise ConfigError(
            f"{config.path}: engine: `genchi forget` cannot erase rows of Spark's tables yet; set `warehouse: duckdb`,"
            " drop Spark's schemas `intermediate` and `marts`, and run the same command again"
        )
    lake = config.open_lake()
    with lake.lock_whole("forget", _PATIENCE_S) if not asked.is_dry else nullcontext():
        secret = config.secret_of_user_keys(lake)
        stones, note = read_tombstones(lake, secret), note_of(lake)
        begun = note.read()
        if not (asked.users or asked.calls or begun or stones):
            raise ConfigError("nobody to forget: name them with --user or --call")
        if not asked.is_dry:
            collect(config)
        person = gather(config, setup, secret, asked.users, asked.calls)
        if begun:
            person.add(_of_note(lake, begun))
        tell(_first_line(person, asked))
        if asked.is_dry:
            stones = _as_if(stones, person)
        else:
            day = now.astimezone(ZoneInfo(config.timezone)).date()
            stones = add_tombstones(lake, stones, day, now, person.tombstones())
            note.write(person.as_json())
        for line in _erased(config, lake, person, stones, is_dry=asked.is_dry):
            tell(line)
        is_clean = asked.is_dry or _searched(config, lake, person, stones, tell)
    for line in _limits(config, person):
        tell(line)
    return is_clean


def erase_again(config: Config) -> list[str]:
    """Erase from the lake what a restored backup brought back of those who were forgotten; a line for each table.

    They are known by their tombstones alone. The caller has locked the whole lake.
    """
    lake = config.open_lake()
    stones = read_tombstones(lake, config.secret_of_user_keys(lake))
    if not stones:
        return []
    return [
        _row(f"forgotten again: lake, {table}", _amount(rows, texts))
        for table, rows, texts in lake_rows.erase(lake, Person(), stones, is_dry=False)
    ]


def _of_note(lake: Lake, text: str) -> Person:
    try:
        return Person.of_json(text)
    except (ValueError, TypeError, AttributeError):
        place = lake.backend.place(note_of(lake).name)
        raise RunError(f"{place}: cannot be read; delete it, and name all who are to be forgotten again") from None


def _as_if(stones: Tombstones, person: Person) -> Tombstones:
    new = {
        kind: stones.hashes.get(kind, frozenset()) | {stones.hash_of(kind, one) for one in ids}
        for kind, ids in person.tombstones().items()
    }
    return Tombstones(stones.secret, new)


def _first_line(person: Person, asked: Asked) -> str:
    what = "would forget" if asked.is_dry else "forgets"
    of = f" of {counted(len(asked.users), 'user')}" if asked.users else ""
    found = counted(len(person.calls), "call") if person.calls else "no call"
    return f"{what} {found}{of}" + ("; later ones are dropped when they are read" if asked.users else "")


def _erased(config: Config, lake: Lake, person: Person, stones: Tombstones, *, is_dry: bool) -> Iterable[str]:
    """Erase everything, and say so: a line for each place."""
    for table, rows, texts in lake_rows.erase(lake, person, stones, is_dry=is_dry):
        yield _row(f"lake, {table}", _amount(rows, texts))
    if config.warehouse.exists():
        is_changed = False
        for table, rows, texts in warehouse_rows.erase(config.warehouse, person, stones, is_dry=is_dry):
            is_changed = True
            yield _row(f"warehouse, {table}", _amount(rows, texts))
        if not is_dry:
            before, after = compact(config.warehouse)
            yield _row("warehouse, the file", f"written anew: {before / 1e6:,.1f} MB, now {after / 1e6:,.1f} MB")
        elif is_changed:
            yield _row("warehouse, the file", "would be written anew")
    for table, rows, texts in mart_rows.erase(lake, person, stones, is_dry=is_dry):
        yield _row(f"published, {table}", _amount(rows, texts))
    for place, what in mart_rows.erase_exported(config, person, stones, is_dry=is_dry):
        yield _row(place, what)
    for step in (files.erase_journals, files.erase_left_over, files.erase_test_sets, files.erase_reports):
        for place, what in step(config, person, is_dry=is_dry):
            yield _row(place, what)
    for place, what in files.erase_notes(lake, person, is_dry=is_dry):
        yield _row(place, what)


def _searched(config: Config, lake: Lake, person: Person, stones: Tombstones, tell: Callable[[str], None]) -> bool:
    found = scan(config, person, stones)
    for line in found.lines(person):
        tell(line)
    if found.left:
        tell("the ids and pieces of texts are kept in the lake until a run finds nothing: run `genchi forget` again")
        return False
    lake.backend.remove(note_of(lake).name)
    return True


def _limits(config: Config, person: Person) -> Iterable[str]:
    """What this cannot know or does not touch."""
    if person.of_others:
        yield f"not theirs alone: {person.of_others:,} pieces of texts that other calls have word for word stay there"
    if person.too_short or person.short_ids:
        yield (
            f"too short to search for: {counted(person.too_short, 'text')} and {counted(person.short_ids, 'id')};"
            " their rows went by the ids of the calls"
        )
    if days := _pages_without_calls(config):
        yield (
            f"cannot be searched: the pages of {counted(len(days), 'day')} up to {days[-1]}, whose calls `retention`"
            f" removed, so that their words are not known; delete them in {config.reports} if they may have theirs"
        )
    sources = ", ".join(source.name for source in config.sources)
    yield (
        f"not touched: the logs themselves{f' ({sources})' if sources else ''}, backups (`genchi backup` again takes"
        " theirs out), digests that were sent, what"
        " Prefect's server and providers keep, and texts of others that only resemble theirs"
    )


def _pages_without_calls(config: Config) -> list[date]:
    """The days that have a page, but no calls in the lake any more."""
    lake = config.open_lake()
    gone = [day for day in lake.days("interactions") if lake.exists("interactions", day, EXPIRED)]
    return [day for day in gone if (config.reports / str(day) / "index.html").exists()]


def _amount(rows: int, texts: int) -> str:
    parts = [counted(count, noun) for count, noun in ((rows, "row"), (texts, "text")) if count]
    return " and ".join(parts)


def _row(place: str, what: str) -> str:
    return f"  {place:<44} {what}"
