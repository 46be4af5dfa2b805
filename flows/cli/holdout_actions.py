"""`genchi holdout` with an action: proposes, accepts, rejects and freezes examples of holdouts."""

import argparse
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from flows.config import Config
from flows.errors import ConfigError
from flows.evaluate import Frozen, Proposed, Who, accept_proposal, freeze_holdout, propose_examples, reject_proposal
from flows.ingest import describe_example_sets, version_of_route
from flows.outgoing import plain
from flows.transform import languages_of

_SHOWN = 60  # characters of a text in a table
_IDS = 10


def run(config: Config, options: argparse.Namespace) -> Iterator[str]:
    """Do what was asked, and give the lines that tell of it. Raises ConfigError and RunError."""
    now = datetime.now(UTC)
    if options.action in {"accept", "reject"}:
        who = Who(options.annotator or os.environ.get("USER") or "unknown", now)
        with config.open_lake().lock("holdout"):
            if options.action == "accept":
                yield accept_proposal(config, options.proposal_id, who, options.expected)
            else:
                yield reject_proposal(config, options.proposal_id, who)
        return
    describe_example_sets(config)  # a test set that cannot be read is told before anything is written
    routes = _routes(config, options.route)
    if options.action == "propose":
        day = options.day or config.yesterday()
        for one in propose_examples(config, day, routes, languages_of, options.limit):
            yield from _of_proposed(one)
        return
    author = os.environ.get("USER") or "unknown"
    with config.open_lake().lock("holdout"):
        for route in routes:
            version_of = partial(version_of_route, config, route)
            frozen = freeze_holdout(
                config, route, now, config.yesterday(), version_of, author=author, retire=options.retire
            )
            yield from _of_frozen(frozen)


def _routes(config: Config, route: str | None) -> list[str]:
    known = [name for name, one in config.routes.items() if one.holdout]
    if route is None and known:
        return known
    if route in known:
        return [str(route)]
    raise ConfigError(
        f"{config.path}: no route has a holdout; set `holdout` and `criteria` of a route"
        if not known
        else f"{config.path}: route {route!r} has no holdout; routes with one: {', '.join(known)}"
    )


def _of_proposed(found: Proposed) -> Iterator[str]:
    yield found.summary
    for row in found.rows:
        text = plain(" ".join(row["input_text"].split()))
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        yield f"  {row['proposal_id']}  {row['reason']:<12}  {shown}"
        yield f"      {row['explanation']}{_about_expected(row['expected_origin'])}"
    if found.rows:
        yield "  accept or reject each: `genchi review`, or `genchi holdout accept ID [--expected TEXT]`"


def _about_expected(origin: str | None) -> str:
    return {
        "output": "; expected: production's own answer, to be checked",
        "labelled": "; expected: production's answer, which a person passed",
        "edited": "",
        None: "; no expected answer yet",
    }[origin]


def _of_frozen(found: Frozen) -> Iterator[str]:
    for line in found.left_out:
        yield f"left out: {line}"
    if not found.is_new:
        yield f"{found.route}: nothing new; version {found.version}, {found.n_examples:,} examples"
        return
    yield (
        f"{found.route}: version {found.version} of {found.n_examples:,} examples, parent {found.parent};"
        f" anchor of {len(found.anchor):,}"
    )
    for name, ids in (("added", found.added), ("removed", found.removed), ("changed", found.changed)):
        if ids:
            more = f" and {len(ids) - _IDS:,} more" if len(ids) > _IDS else ""
            yield f"  {name} {len(ids):,}: {', '.join(ids[:_IDS])}{more}"
