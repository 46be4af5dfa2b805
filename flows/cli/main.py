"""The command line: parses the arguments, runs a verb, and turns errors into one line on stderr and an exit code.

Exit codes: 0 fine; 1 a critical expectation failed; 2 the command or the configuration is wrong; 3 the run failed; 130
and 143 it was stopped by Ctrl-C or SIGTERM.
"""

import argparse
import shlex
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from flows.cli import dbt_arguments, library_settings
from flows.errors import ConfigError, GenchiError, in_one_line
from flows.stopping import is_stopping, stopping_on_signals

_WRONG, _FAILED, _STOPPED = 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code. Every error is printed as one line on stderr."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    if options.verb == "dbt":
        options = dbt_arguments.take_own(options, _day)
    with stopping_on_signals(lambda: f"genchi: stopping; to go on, run: {_same_command(given, options)}"):
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    library_settings.configure_environment()
    library_settings.end_clean()
    try:
        from flows import progress  # noqa: PLC0415 - what takes long to import is not needed for --help
        from flows.cli import verbs  # noqa: PLC0415 - as above

        progress.show_lines()
        verb: Callable[[argparse.Namespace], int] = getattr(verbs, options.verb)
        return verb(options)
    except ConfigError as error:
        return _complain(error, _WRONG)
    except GenchiError as error:
        return _complain(error, _FAILED)
    except KeyboardInterrupt:
        return _complain("stopped; run the same command again to go on", _STOPPED)
    except (Exception, SystemExit) as error:  # the traceback goes to a file, one line to the terminal
        if is_stopping():
            return _STOPPED
        return _complain(f"{in_one_line(error)}; the traceback is in {_keep_traceback()}", _FAILED)


def _same_command(given: Sequence[str], options: argparse.Namespace) -> str:
    """The command that does what is left: tomorrow, the default day would be another."""
    day = getattr(options, "day", None)
    added = ["--day", day.isoformat()] if day and options.verb != "dbt" and "--day" not in " ".join(given) else []
    return shlex.join(["genchi", *given, *added])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="genchi",
        description="Check an LLM application every night, from its own logs.",
        epilog="Exit codes: 0 fine; 1 a critical expectation failed (compare: the candidate is worse on a critical"
        " criterion; demo: an incident was not found); 2 wrong command or configuration; 3 the run failed.",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    demo = verbs.add_parser("demo", help="write a workspace with a simulated application, and run genchi on its logs")
    demo.add_argument("folder", type=Path, nargs="?", default=Path("demo"), help="where to write it (default: demo)")
    demo.set_defaults(verb="demo")
    for name, what in (
        ("nightly", "run everything for one day: ingest, semantics, evaluate, transform, check, report, alert"),
        ("ingest", "read one day's logs, and update the marts that they feed"),
        ("transform", "rebuild all marts of one day"),
        ("evaluate", "run the holdouts on the pinned model and the candidates, and update the marts"),
        ("doctor", "check that the lake, the sources, test sets and models of the configuration can be reached"),
    ):
        added = _with_config(verbs.add_parser(name, help=what))
        added.add_argument("--day", type=_day, help="the day to process, YYYY-MM-DD (default: yesterday)")
        added.set_defaults(verb=name)
    back = _with_config(
        verbs.add_parser("backfill", help="ingest and transform a range of days, without checks, reports and alerts")
    )
    back.add_argument("--start", type=_day, required=True, help="the first day, YYYY-MM-DD")
    back.add_argument("--end", type=_day, required=True, help="the last day, YYYY-MM-DD")
    back.add_argument(
        "--only", choices=("ingest", "transform", "evaluate"), help="run only this stage; evaluate calls live models"
    )
    back.set_defaults(verb="backfill")
    compare = _with_config(verbs.add_parser("compare", help="compare two models on one route, and print the verdict"))
    compare.add_argument(
        "--pinned", required=True, metavar="MODEL", help="a configured name, or any litellm model string"
    )
    compare.add_argument("--candidate", required=True, metavar="MODEL", help="the same, for the other model")
    compare.add_argument("--route", required=True, help="a configured route that has a holdout and criteria")
    compare.add_argument("--day", type=_day, help="the day to process, YYYY-MM-DD (default: yesterday)")
    compare.add_argument("--repeats", type=_count, help="how many times each example is run (default: the route's)")
    compare.add_argument("--limit", type=_count, help="use at most this many examples; the same ones at every run")
    compare.set_defaults(verb="compare")
    show = _with_config(verbs.add_parser("show", help="print one call: its messages, its output, and its scores"))
    show.add_argument("call_id", help="the call's id, as the page and `genchi breaches` name it")
    show.add_argument("--day", type=_day, help="the day of the call, YYYY-MM-DD (default: the newest that has it)")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(verb="show")
    breaches = _with_config(verbs.add_parser("breaches", help="list the breaches of one day"))
    breaches.add_argument("--day", type=_day, help="the day to list, YYYY-MM-DD (default: yesterday)")
    breaches.add_argument("--route", help="list the breaches of this route only (default: all)")
    breaches.add_argument("--json", action="store_true", help="print JSON")
    breaches.set_defaults(verb="breaches")
    holdout = _with_config(verbs.add_parser("holdout", help="list every test set with its frozen version"))
    holdout.set_defaults(verb="holdout")
    migrate = _with_config(
        verbs.add_parser("migrate", help="upgrade an older lake and warehouse to this version; every run does so too")
    )
    migrate.set_defaults(verb="migrate")
    dbt_arguments.add_verb(verbs, _day)
    return parser


def _with_config(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--config", type=Path, default=Path("genchi.yaml"), help="the configuration (default: genchi.yaml)"
    )
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a valid day; write it as YYYY-MM-DD") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _keep_traceback() -> Path:
    """Write the traceback of the current exception to a temporary file, and return its path."""
    with tempfile.NamedTemporaryFile("w", prefix="genchi-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(traceback.format_exc())
    return Path(file.name)


def _complain(message: object, code: int) -> int:
    """Print a line, unless the command is stopping: what fails then is no news."""
    if not is_stopping():
        sys.stderr.write(f"genchi: {' '.join(str(message).split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
