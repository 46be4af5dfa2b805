"""The command line: parses the arguments, runs a verb, and turns errors into one line on stderr and an exit code.

Exit codes: 0 fine; 1 a critical expectation failed; 2 the command or the configuration is wrong; 3 the run failed; 130
and 143 it was stopped by Ctrl-C or SIGTERM.
"""

import argparse
import os
import shlex
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from flows import json_lines, progress
from flows.cli import (
    alert_arguments,
    criteria_arguments,
    dbt_arguments,
    erasure_arguments,
    holdout_arguments,
    library_settings,
    review_arguments,
)
from flows.errors import ConfigError, GenchiError, in_one_line
from flows.outgoing import end_clean, plain, plain_streams
from flows.stopping import is_stopping, stopping_on_signals

_WRONG, _FAILED, _STOPPED = 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code. Every error is printed as one line on stderr."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser()
    if not given:
        parser.print_help()
        return _WRONG
    options = parser.parse_args(given)
    if options.verb == "dbt":
        options = dbt_arguments.take_own(options, _day)
    stopping = stopping_on_signals(lambda: f"genchi: stopping; to go on, run: {_same_command(given, options)}")
    with stopping, plain_streams():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    if getattr(options, "log", None):
        os.environ[json_lines.VARIABLE] = options.log
    library_settings.configure_environment()
    library_settings.collect_rarely()
    end_clean()
    try:
        from flows.cli import keeping_verbs, people_verbs, verbs  # noqa: PLC0415 - what takes long to import is not needed for --help

        progress.show_lines()
        rooms = (people_verbs, keeping_verbs, verbs)
        verb: Callable[[argparse.Namespace], int] = next(
            getattr(room, options.verb) for room in rooms if hasattr(room, options.verb)
        )
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
    parser.add_argument("--version", action=_Version, nargs=0, help="print the versions of genchi and Python")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    demo = verbs.add_parser("demo", help="write a workspace with a simulated application, and run genchi on its logs")
    demo.add_argument("folder", type=Path, nargs="?", default=Path("demo"), help="where to write it (default: demo)")
    demo.set_defaults(verb="demo")
    init = _with_config(verbs.add_parser("init", help="look at logs, and write a first genchi.yaml that reads them"))
    init.add_argument(
        "path", nargs="?", default=".", help="a folder, a glob, s3://bucket/prefix or postgresql://... (default: .)"
    )
    init.set_defaults(verb="init")
    for name, what in (
        ("nightly", "run everything for one day: ingest, semantics, evaluate, transform, check, report, alert"),
        ("ingest", "read one day's logs, and update the marts that they feed"),
        ("transform", "rebuild all marts of one day"),
        ("evaluate", "run the holdouts on the pinned model and the candidates, and update the marts"),
        ("doctor", "check everything that a night needs, and say what becomes of the newest records"),
    ):
        added = _with_config(verbs.add_parser(name, help=what))
        added.add_argument("--day", type=_day, help="the day to process, YYYY-MM-DD (default: yesterday)")
        added.set_defaults(verb=name)
        if name == "doctor":
            added.add_argument(
                "--deep", action="store_true", help="also compare every file of the lake with what was published"
            )
    back = _with_config(
        verbs.add_parser("backfill", help="ingest and transform a range of days, without checks and alerts")
    )
    back.add_argument("--start", type=_day, required=True, help="the first day, YYYY-MM-DD")
    back.add_argument("--end", type=_day, required=True, help="the last day, YYYY-MM-DD")
    back.add_argument(
        "--only", choices=("ingest", "transform", "evaluate"), help="run only this stage; evaluate calls live models"
    )
    back.add_argument("--force", action="store_true", help="also do days that are done and unchanged")
    back.add_argument(
        "--dry-run", action="store_true", help="print what there is to do and how long, and write nothing"
    )
    back.add_argument(
        "--pages", type=_pages, default=31, metavar="N|all", help="how many of the last days get a page (default: 31)"
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
    breaches = _with_config(verbs.add_parser("breaches", help="list the incidents of one day with their breaches"))
    breaches.add_argument("--day", type=_day, help="the day to list, YYYY-MM-DD (default: yesterday)")
    breaches.add_argument("--route", help="list the incidents of this route only (default: all)")
    breaches.add_argument("--json", action="store_true", help="print JSON")
    breaches.set_defaults(verb="breaches")
    holdout_arguments.add_verb(_with_config(verbs.add_parser("holdout", help=holdout_arguments.HELP)), _day, _count)
    criteria_arguments.add_verb(verbs, _with_config, _day)
    migrate = _with_config(
        verbs.add_parser("migrate", help="upgrade an older lake and warehouse to this version; every run does so too")
    )
    migrate.set_defaults(verb="migrate")
    review_arguments.add_verbs(verbs, _with_config, _day)
    alert_arguments.add_verbs(verbs, _with_config, _day)
    dbt_arguments.add_verb(verbs, _day)
    erasure_arguments.add_verbs(verbs, _with_config)
    _add_deploy(verbs)
    return parser


def _add_deploy(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    deploy = _with_config(verbs.add_parser("deploy", help="write the deployments of this workspace into prefect.yaml"))
    deploy.add_argument(
        "--at",
        metavar="CRON",
        help="when a night begins, as in a crontab, in the time zone of genchi.yaml (default: '0 3 * * *')",
    )
    deploy.add_argument("--pool", help="the work pool in Prefect (default: genchi)")
    deploy.add_argument(
        "--file", type=Path, default=Path("prefect.yaml"), help="the file to write (default: prefect.yaml, here)"
    )
    instead = deploy.add_mutually_exclusive_group()
    instead.add_argument("--print", action="store_true", help="print that file, and write nothing")
    instead.add_argument("--cron", action="store_true", help="print the lines for a crontab instead")
    instead.add_argument("--systemd", action="store_true", help="print a service and a timer of systemd instead")
    instead.add_argument(
        "--automation", action="store_true", help="print the automation that marks a run as crashed whose worker died"
    )
    deploy.set_defaults(verb="deploy")


class _Version(argparse.Action):
    """Prints the versions and ends."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - what takes long to import is not needed for --help

        parser.exit(message=f"genchi {version('genchi')} (python {sys.version.split()[0]})\n")


def _with_config(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--config", type=Path, default=Path("genchi.yaml"), help="the configuration (default: genchi.yaml)"
    )
    parser.add_argument(
        "--log", choices=("text", "json"), help="how genchi's own lines look (default: GENCHI_LOG, or text)"
    )
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a valid day; write it as YYYY-MM-DD") from None


def _pages(text: str) -> int | str:
    if text != "all" and not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number nor `all`")
    return text if text == "all" else int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _keep_traceback() -> Path:
    """Write the traceback of the current exception to a temporary file, and return its path."""
    with tempfile.NamedTemporaryFile("w", prefix="genchi-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(plain(traceback.format_exc(), keep="\n"))
    return Path(file.name)


def _complain(message: object, code: int) -> int:
    """Print a line, unless the command is stopping: what fails then is no news."""
    if not is_stopping():
        progress.clear()
        told = plain(" ".join(str(message).split()))
        is_json = json_lines.is_asked_for()
        sys.stderr.write(json_lines.line(told, "error", exit_code=code) if is_json else f"genchi: {told}")
        sys.stderr.write("\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
