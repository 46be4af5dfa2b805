"""`genchi review`: the review page, with what its decisions do."""

import argparse
import getpass
import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

from flows.cli import ack_command
from flows.config import Config
from flows.errors import ConfigError
from flows.outgoing import plain
from flows.review import Place, serve, try_collect

_LONGEST_NAME = 60
_PATIENCE = 10.0
"""Seconds that a person waits for the lake's lock at a page."""


def run(config: Config, options: argparse.Namespace, tell: Callable[[str], None]) -> None:
    """Serve the page until the process is stopped. Raises ConfigError and RunError; see `serve`."""
    place = Place(options.host, options.port, annotator_named(options.annotator), not options.no_browser)
    serve(
        config, place, tell, day=options.day, apply=partial(apply, config),
        suggest=partial(suggest, config, place.annotator), acknowledge=partial(acknowledge, config),
    )  # fmt: skip


def apply(config: Config, decision: Mapping[str, Any]) -> str:
    """What follows from an accepted suggestion or proposal, in a line: the criterion is in its file and runs the next
    night; the example waits for `genchi holdout freeze`. Raises ConfigError where it cannot be accepted.
    """
    from flows.evaluate import apply_decision, check_proposal  # noqa: PLC0415 - takes long, and few decide

    if decision["kind"] == "proposal":
        expected = json.loads(decision["value_json"]) if decision["value_json"] else None
        return check_proposal(config, decision["subject_id"], expected)
    return apply_decision(config, decision)


def suggest(config: Config, annotator: str, route: str, failure_mode: str) -> str:
    """Make a failure mode an assertion: its best criterion goes to the route's file, and runs the next night.

    The decision is recorded, so that the suggestion waits for nobody. Raises ConfigError where none can be made, and
    RunError where somebody else holds the lake's lock for longer than a person waits.
    """
    from flows.evaluate import accept, suggest_for_mode  # noqa: PLC0415 - as above

    try_collect(config)  # the labels of this morning are what it is made from
    row = suggest_for_mode(config, route, failure_mode)
    with config.open_lake().lock("review", _PATIENCE):  # before the file changes, so that the decision can be recorded
        return accept(config, row["suggestion_id"], annotator)


def acknowledge(config: Config, incident: str, by: str, note: str | None, until: date | None) -> str:
    """What `genchi ack` does, for who has no more patience than at a page."""
    return ack_command.run(config, incident, by, note, until, patience=_PATIENCE)


def annotator_named(name: str | None) -> str:
    """The annotator's name, by default that of the user. Raises ConfigError if it is empty, or too long for a list."""
    if name is None:
        try:
            name = getpass.getuser()
        except (OSError, KeyError):
            raise ConfigError("this user has no name; say who judges with --as") from None
    written = " ".join(plain(name).split())
    if not 0 < len(written) <= _LONGEST_NAME:
        raise ConfigError(f"--as: a name has 1 to {_LONGEST_NAME} characters")
    return written
