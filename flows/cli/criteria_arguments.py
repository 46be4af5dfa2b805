"""The arguments of `genchi criteria`."""

import argparse
from collections.abc import Callable
from datetime import date
from typing import Any


def add_verb(
    verbs: Any,
    with_config: Callable[[argparse.ArgumentParser], argparse.ArgumentParser],
    day: Callable[[str], date],
) -> None:
    """Add the verb to the subparsers `verbs`; `day` reads a day, `with_config` adds the option of the configuration."""
    added = with_config(
        verbs.add_parser("criteria", help="list criteria and their versions; suggest some from labels, accept, reject")
    )
    added.add_argument("action", choices=("list", "suggest", "accept", "reject"), help="what to do")
    added.add_argument("suggestion_id", nargs="?", help="with accept and reject: a suggestion's id, or its beginning")
    added.add_argument(
        "--day", type=day, help="with suggest: the day to store them at, YYYY-MM-DD (default: yesterday)"
    )
    added.add_argument("--route", help="this route only (default: all)")
    added.add_argument("--as", dest="author", metavar="NAME", help="who decides (default: the user of the system)")
    added.add_argument("--ask", action="store_true", help="with suggest: ask the judge, to measure questions to it")
    added.set_defaults(verb="criteria")
