"""What of a source cannot be read, without reading it."""

from datetime import date

from flows.config import Config, Source
from flows.errors import UnreadableError
from flows.lake import Unread, is_remote, open_binary, search


def unreadable(config: Config, source: Source, day: date) -> list[Unread]:
    """The folders and files that the path of a source matches for `day`, and that cannot be listed or opened.

    Of a store's objects only the newest is opened. Raises RunError if a store cannot be reached; a database has none.
    """
    if source.dsn:
        return []
    listing = search(source.path.replace("{day}", day.isoformat()), config.storage)
    files = listing.files
    if is_remote(source.path):
        files = sorted(files, key=lambda file: file.modified)[-1:]
    found = list(listing.unread)
    for file in files:
        try:
            open_binary(file.name, config.storage).close()
        except UnreadableError as error:
            found.append(Unread(file.name, error.why))
    return found
