"""An alert of one's own: the digest as a line in a file. Called in a process of its own, for 60 seconds at most."""

from pathlib import Path


def send(digest, file, token=""):
    """`digest` is what webhooks get: app, day, severity, headline, items, over, report. `file` and `token` are `args`.

    An exception is told by genchi, with the file and the function; what is returned does not matter.
    """
    del token  # such as the key of a service
    with Path(__file__).with_name(file).open("a", encoding="utf-8") as log:
        log.write(f"{digest['day']} {digest['severity']} {digest['headline']}\n")
