"""The arguments of the verbs about people's judgements: `review` and `labels`."""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

_FORMATS = ("auto", "csv", "jsonl", "langfuse", "phoenix", "argilla")


def add_verbs(
    verbs: Any,
    with_config: Callable[[argparse.ArgumentParser], argparse.ArgumentParser],
    day: Callable[[str], date],
) -> None:
    """Add the verbs to the command line; `day` reads a day."""
    review = with_config(verbs.add_parser("review", help="judge the answers of a day's queue, in the browser"))
    review.add_argument("--day", type=day, help="the day of the queue, YYYY-MM-DD (default: the newest)")
    review.add_argument("--as", dest="annotator", metavar="NAME", help="who judges (default: the user of this machine)")
    review.add_argument(
        "--host", default="127.0.0.1", help="the address to serve on; others than loopback need a password"
    )
    review.add_argument("--port", type=_port, default=8760, help="the port (default: 8760; 0: any that is free)")
    review.add_argument("--no-browser", action="store_true", help="only print the address")
    review.set_defaults(verb="review")
    labels = verbs.add_parser("labels", help="write people's labels to a file, or read them from one")
    actions = labels.add_subparsers(required=True, metavar="ACTION", dest="action")
    export = with_config(actions.add_parser("export", help="write every label of the lake"))
    export.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="csv (default) or jsonl")
    export.add_argument("--output", type=Path, help="the file to write (default: standard output)")
    taken = with_config(actions.add_parser("import", help="add the labels of a file, each once"))
    taken.add_argument("file", type=Path, help="genchi's own export, or that of Langfuse, Phoenix or Argilla")
    taken.add_argument("--format", choices=_FORMATS, default="auto", help="what wrote the file (default: look at it)")
    taken.add_argument("--only", action="append", default=[], metavar="NAME", help="only this criterion; repeatable")
    for action in (export, taken):
        action.set_defaults(verb="labels")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; name a number from 0 to 65535")
    return int(text)
