"""The arguments of the verbs about what is kept: `forget` and `backup`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any


def add_verbs(verbs: Any, with_config: Callable[[argparse.ArgumentParser], argparse.ArgumentParser]) -> None:
    """Add the verbs to the command line."""
    forget = with_config(verbs.add_parser("forget", help="remove a person's texts everywhere, and keep them away"))
    forget.add_argument(
        "--user", action="append", default=[], metavar="KEY", help="a user's id as in the logs, or its key; repeatable"
    )
    forget.add_argument("--call", action="append", default=[], metavar="ID", help="the id of a call; repeatable")
    forget.add_argument("--users", type=Path, metavar="FILE", help="a file of users, one a line")
    forget.add_argument("--calls", type=Path, metavar="FILE", help="a file of ids of calls, one a line")
    forget.add_argument("--dry-run", action="store_true", help="say what would go, and change nothing")
    forget.set_defaults(verb="forget")
    backup = with_config(verbs.add_parser("backup", help="copy what cannot be made again, or bring it back"))
    backup.add_argument("place", metavar="TARGET", help="a folder, or s3://, gs:// or az:// with bucket/prefix")
    backup.add_argument("--restore", action="store_true", help="bring back what the lake lacks, from that place")
    backup.set_defaults(verb="backup")
