"""A day of a source, pulled from its API into its spool: complete, or to be continued where it broke off."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flows.config import Config, Source
from flows.errors import UnreadableError
from flows.ingest.pull.api_client import ApiClient, Clients, NotThereError, Page
from flows.ingest.pull.listings import Listing, listings
from flows.ingest.pull.spool import Checkpoint, Spool, spool_of

MOST_PAGES = 50_000


def pull(config: Config, source: Source, day: date, client: ApiClient) -> None:
    """Pull the records of `day`, in the configured time zone, into the source's spool.

    Goes on where an earlier pull of the last day and a half broke off; does nothing if that one was complete. Raises
    UnreadableError for whatever the server does; what was read before stays for the next pull.
    """
    spool, asked = spool_of(config, source), listings(source, *_bounds(config, day))
    checkpoint = spool.checkpoint(day, _fingerprint(source, asked))
    while checkpoint.listing < len(asked):
        listing = asked[checkpoint.listing]
        try:
            chosen = listing.instead if checkpoint.is_instead and listing.instead else listing
            _read_pages(client, spool, day, chosen, checkpoint)
        except NotThereError:
            if checkpoint.is_instead or listing.instead is None or checkpoint.cursors:
                raise
            checkpoint.is_instead = True
            continue
        checkpoint.listing += 1
        checkpoint.is_instead, checkpoint.cursor, checkpoint.cursors = False, None, []
        spool.keep(day, checkpoint)
    checkpoint.is_complete = True
    spool.keep(day, checkpoint)


def first_page(config: Config, source: Source, day: date, most: int) -> tuple[str, Page]:
    """What the API has for a day, at most `most` records: the name of its first list, and that list's first page.

    Raises UnreadableError as `pull` does.
    """
    assert source.api is not None
    small = source.model_copy(update={"api": source.api.model_copy(update={"page_size": most})})
    listing = listings(small, *_bounds(config, day))[0]
    with Clients() as clients:
        client = clients.of(small)
        try:
            return listing.name, client.page(listing.path, listing.parameters)
        except NotThereError:
            if listing.instead is None:
                raise
            return listing.name, client.page(listing.instead.path, listing.instead.parameters)


def shown_page(source: Source, place: str) -> str:
    """The name of a page in the lake: its server, day and number, from its place in the spool."""
    assert source.api is not None
    path = Path(place)
    return f"{urlsplit(source.api.host).netloc}/{path.parent.name}/{path.name}"


def _read_pages(client: ApiClient, spool: Spool, day: date, listing: Listing, checkpoint: Checkpoint) -> None:
    """Read a list to its end, from the checkpoint's cursor on. The checkpoint is written after each page."""
    while True:
        page = client.page(listing.path, _turned(listing, checkpoint.cursor))
        following = listing.following(page.fields, checkpoint.cursor)
        number = checkpoint.pages + 1
        if following is not None and following in {*checkpoint.cursors, checkpoint.cursor}:
            raise UnreadableError(client.host, f"repeats a cursor after {number:,} pages; its {listing.name} never end")
        if number > MOST_PAGES:
            raise UnreadableError(client.host, f"has more than {MOST_PAGES:,} pages; raise `api.page_size`")
        if page.records:
            spool.add(day, f"{listing.name}-{number:05}.json", page.content)
        for part, attached in enumerate(_attached(client, listing, page), 1):
            spool.add(day, f"{attached[0]}-{number:05}-{part:03}.json", attached[1].content)
        checkpoint.pages, checkpoint.cursor = number, following
        if following is None:
            return
        checkpoint.cursors.append(following)
        spool.keep(day, checkpoint)


def _attached(client: ApiClient, listing: Listing, page: Page) -> Iterator[tuple[str, Page]]:
    """The pages that belong to the records of a page, those without a record left out."""
    for other in listing.attached(page.records) if listing.attached else ():
        cursor, seen = None, set[str]()
        while True:
            try:
                found = client.page(other.path, _turned(other, cursor))
            except NotThereError:  # the spans were deleted since
                break
            if found.records:
                yield other.name, found
            cursor = other.following(found.fields, cursor)
            if cursor is None:
                break
            if cursor in seen:
                raise UnreadableError(client.host, f"repeats a cursor; its {other.name} never end")
            seen.add(cursor)


def _turned(listing: Listing, cursor: str | None) -> list[tuple[str, str]]:
    return [*listing.parameters, *([(listing.turned_by, cursor)] if cursor else [])]


def _bounds(config: Config, day: date) -> tuple[datetime, datetime]:
    """The first moment of a day and of the next one, in the configured time zone."""
    zone = ZoneInfo(config.timezone)
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def _fingerprint(source: Source, asked: list[Listing]) -> str:
    """What tells one request for a day from another: server, project, times and size of pages; no key is in it."""
    assert source.api is not None
    text = f"{source.api.host} {[(one.name, one.path, one.parameters) for one in asked]}"
    return hashlib.sha256(text.encode()).hexdigest()
