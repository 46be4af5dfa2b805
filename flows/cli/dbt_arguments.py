"""The arguments of `genchi dbt`: genchi's own options may stand anywhere among those of dbt."""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path

_COMMANDS = "build, show, test, source freshness, docs generate, docs serve, ..."


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", as_day: Callable[[str], date]) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "dbt",
        help="run any dbt command on the warehouse, with project and variables set",
        description=f"Run any dbt command on a workspace's warehouse, with project and variables set: {_COMMANDS}",
        usage="genchi dbt [-h] [--config PATH] [--day DAY | --start DAY --end DAY] [--vars VARS] COMMAND [OPTION ...]",
        epilog="`genchi dbt build --help` shows dbt's own options of `build`.",
        parents=[_own_options(as_day)],
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="COMMAND", help=_COMMANDS)
    parser.set_defaults(verb="dbt", config=Path("genchi.yaml"), day=None, start=None, end=None, vars="{}")


def take_own(options: argparse.Namespace, as_day: Callable[[str], date]) -> argparse.Namespace:
    """The same options with those of genchi's that stand after dbt's command; `arguments` is what remains for dbt."""
    own, rest = _own_options(as_day).parse_known_args(options.arguments, options)
    own.arguments = rest
    return own


def _own_options(as_day: Callable[[str], date]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="genchi dbt", add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS
    )
    parser.add_argument("--config", type=Path, help="the configuration (default: genchi.yaml)")
    parser.add_argument("--day", type=as_day, help="the day to build, YYYY-MM-DD (default: yesterday)")
    parser.add_argument("--start", type=as_day, help="the first day of a range to build")
    parser.add_argument("--end", type=as_day, help="the last day of the range")
    parser.add_argument("--vars", help="more variables for dbt, as YAML: '{texts_sampled: 500}'")
    return parser
