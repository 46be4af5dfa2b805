"""`genchi criteria`: the criteria with their versions, and suggestions to accept or reject."""

import argparse
import getpass
from collections.abc import Iterator
from typing import Any

from flows.config import Config, unset_variables
from flows.errors import ConfigError
from flows.evaluate import (
    Version,
    accept,
    current_versions,
    read_setup,
    read_suggestions,
    read_versions,
    reject,
    suggest_criteria,
)
from flows.words import counted

Row = dict[str, Any]


def run(config: Config, options: argparse.Namespace) -> Iterator[str]:
    """The lines of one action. Raises ConfigError for an unknown route or suggestion, and for a wrong file."""
    if options.route is not None and options.route not in config.routes:
        raise ConfigError(f"--route {options.route}: `routes` of {config.path} has {', '.join(config.routes)}")
    if (options.suggestion_id is None) == (options.action in ("accept", "reject")):
        given = "needs the id of a suggestion" if options.suggestion_id is None else "takes no id"
        raise ConfigError(f"`genchi criteria {options.action}` {given}; `genchi criteria suggest` lists them")
    match options.action:
        case "list":
            yield from _list(config, options.route)
        case "suggest":
            yield from _suggest(config, options)
        case "accept":
            yield accept(config, options.suggestion_id, _author(options))
        case _:
            yield reject(config, options.suggestion_id, _author(options))


def _author(options: argparse.Namespace) -> str:
    return options.author or getpass.getuser()


def _list(config: Config, route: str | None) -> Iterator[str]:
    known = {_key(one): one for one in read_versions(config.open_lake())}
    found = [one for one in current_versions(read_setup(config), config.yesterday()) if route in (None, one.route)]
    if not found:
        yield "no criteria"
    for one in found:
        noted = known.get(_key(one))
        since = f"since {noted.since:%Y-%m-%d}" if noted else "not used yet"
        who = f", by {one.author}" if one.author else ""
        why = f": {one.reason}" if one.reason else ""
        yield f"{one.route}/{one.criterion}  version {one.criterion_version}, {since}{who}{why}"


def _key(one: Version) -> tuple[str, str, str]:
    return one.route, one.criterion, one.criterion_version


def _suggest(config: Config, options: argparse.Namespace) -> Iterator[str]:
    if options.ask and (missing := unset_variables(config.judge)):
        raise ConfigError(f"--ask: the judge waits for the environment variable {', '.join(sorted(missing))}; set it")
    routes = None if options.route is None else [options.route]
    suggest_criteria(read_setup(config), options.day or config.yesterday(), routes=routes, ask=options.ask)
    rows = [row for row in read_suggestions(config.open_lake()) if options.route in (None, row["route"])]
    if not rows:
        yield "nothing to suggest: label answers with `genchi review`, name what is wrong, and try again"
    seen = set[str]()
    for row in rows:
        if row["route"] not in seen:
            seen.add(row["route"])
            yield _of_route(row)
        yield f"  {row['suggestion_id']}  {row['criterion']} ({row['kind']}): {row['explanation']}; {_measured(row)}"


def _of_route(row: Row) -> str:
    labels = f"{counted(row['n_labels'], 'labelled answer')}, {row['n_failures']:,} of them bad"
    together = [row["set_coverage"], row["set_false_failure_rate"], row["set_false_failure_high"]]
    if None in together:
        return f"{row['route']}: {labels}; not measured (60 labels and 10 bad ones are needed)"
    coverage, false, high = together
    rates = f"{coverage:.0%} of bad answers and {false:.0%} of good ones (at most {high:.0%})"
    return f"{row['route']}: {labels}; those marked * together fail {rates}"


def _measured(row: Row) -> str:
    mark = "* " if row["is_chosen"] else ""
    if not row["is_measured"]:
        return f"{mark}not measured"
    return f"{mark}fails {row['coverage']:.0%} of bad answers, {row['false_failure_rate']:.0%} of good ones"
