"""The arguments of the verbs about who is told: `alert`, `ack` and `watchdog`."""

import argparse
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any


def add_verbs(
    verbs: Any,
    with_config: Callable[[argparse.ArgumentParser], argparse.ArgumentParser],
    day: Callable[[str], date],
) -> None:
    """Add the verbs to the command line; `day` reads a day."""
    alert = with_config(verbs.add_parser("alert", help="send one day's digest to those who have not had it yet"))
    alert.add_argument("--day", type=day, help="the day of the digest, YYYY-MM-DD (default: yesterday)")
    alert.add_argument("--test", action="store_true", help="send a test message over each configured alert instead")
    alert.set_defaults(verb="alert")
    ack = with_config(verbs.add_parser("ack", help="note who takes care of an incident: it wakes nobody again"))
    ack.add_argument("incident", help="its id, or the beginning of it, as digests and `genchi breaches` name it")
    ack.add_argument("--by", metavar="NAME", help="who takes care of it (default: the user of this machine)")
    ack.add_argument("--note", metavar="TEXT", help="why, for those who read the page")
    ack.add_argument(
        "--until", type=day, help="the last day, YYYY-MM-DD (default: as long as it lasts; a past day takes it back)"
    )
    ack.set_defaults(verb="ack")
    watchdog = with_config(verbs.add_parser("watchdog", help="tell, once, if no good night has ended lately"))
    watchdog.add_argument(
        "--max-age",
        type=_age,
        default=timedelta(hours=26),
        metavar="AGE",
        help="how long ago the last good night may have ended: 26h, 90m or 2d (default: 26h)",
    )
    watchdog.set_defaults(verb="watchdog")


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})([dhm])", text)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not an age; write it as 26h, 90m or 2d")
    return timedelta(**{{"d": "days", "h": "hours", "m": "minutes"}[found[2]]: int(found[1])})
