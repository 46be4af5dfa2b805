"""The arguments of `genchi holdout` and of what can be done with a holdout."""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path

HELP = "list every test set with its frozen version; propose, accept, reject and freeze examples"


def add_verb(
    parser: argparse.ArgumentParser, day: Callable[[str], date], count: Callable[[str], int]
) -> argparse.ArgumentParser:
    """Give the parser of `genchi holdout` its actions. `day` and `count` read the values of arguments."""
    parser.set_defaults(verb="holdout", action=None)
    actions = parser.add_subparsers(metavar="ACTION", dest="action")
    propose = actions.add_parser("propose", help="pick calls of production that the holdouts lack")
    propose.add_argument("--route", help="propose for this route only (default: every route with a holdout)")
    propose.add_argument("--day", type=day, help="last day of the window, YYYY-MM-DD (default: yesterday)")
    propose.add_argument("--limit", type=count, default=30, help="propose at most this many per route (default: 30)")
    accept = actions.add_parser("accept", help="accept a proposal as an example of the next version")
    accept.add_argument("--expected", metavar="TEXT", help="the expected answer, where the proposed one is not right")
    reject = actions.add_parser("reject", help="reject a proposal; it is not made again")
    for one in (accept, reject):
        one.add_argument("proposal_id", metavar="ID", help="id that `genchi holdout propose` printed")
        one.add_argument("--as", dest="annotator", metavar="NAME", help="who decides (default: the user's name)")
    freeze = actions.add_parser("freeze", help="write accepted proposals to the holdout as a new version")
    freeze.add_argument("--route", help="freeze this route only (default: every route with a holdout)")
    freeze.add_argument(
        "--retire", action="store_true", help="remove examples of topics that production no longer asks about"
    )
    for one in (propose, accept, reject, freeze):
        one.add_argument(
            "--config", type=Path, default=argparse.SUPPRESS, help="the configuration (default: genchi.yaml)"
        )
    return parser
