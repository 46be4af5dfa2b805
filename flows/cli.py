"""The verbs. Thin: arguments in, a composed flow run, a few lines and an exit code out.

Exit codes: 0 fine; 1 ran, and a critical expectation failed; 2 the command or the configuration is wrong;
3 the run itself failed.
"""

import argparse
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from flows import config, ephemeral, progress, quiet
from flows.errors import ConfigError, GenchiError, in_one_line

FINE, CRITICAL, WRONG, FAILED = 0, 1, 2, 3

# The verbs import what they run when they run it: prefect, dbt and litellm take seconds, `--help` must not.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and give its exit code. Every error of ours is one line on stderr."""
    options = _parser().parse_args(arguments)
    quiet.settle()
    quiet.end_clean()
    progress.show_lines()
    verb: Callable[[argparse.Namespace], int] = options.verb
    try:
        return verb(options)
    except ConfigError as error:
        return _complain(error, WRONG)
    except GenchiError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return _complain("stopped; run the same command again to go on where it was", FAILED)
    except (Exception, SystemExit) as error:  # a traceback is for us, the line for the person who ran the command
        return _complain(f"{in_one_line(error)}; the whole of it is in {_keep_traceback()}", FAILED)


def _nightly(options: argparse.Namespace) -> int:
    _load(options)
    with ephemeral.server(ephemeral.EVERYTHING):
        from flows.nightly import NightFailedError, nightly  # noqa: PLC0415 - see above

        try:
            night = nightly(str(options.config), options.day)
        except NightFailedError as failed:
            _tell(f"\n{failed.night.headline}\n{failed.night.page}")
            raise
    _tell(f"\n{night.headline}\n{night.page}")
    return CRITICAL if night.critical else FINE


def _backfill(options: argparse.Namespace) -> int:
    _load(options)
    if options.end < options.start:
        raise ConfigError(f"--end {options.end} lies before --start {options.start}")
    with ephemeral.server():
        from flows.backfill import backfill  # noqa: PLC0415 - see above

        done = backfill(options.start, options.end, str(options.config), options.only)
    for day, count in sorted(done.breaches.items()):
        _tell(f"{day}: {count} breach{'es' if count > 1 else ''} began")
    return FINE


def _ingest(options: argparse.Namespace) -> int:
    _load(options)
    with ephemeral.server():
        from flows.nightly import ingest_day  # noqa: PLC0415 - see above

        ingest_day(str(options.config), options.day)
    return FINE


def _transform(options: argparse.Namespace) -> int:
    config.load(options.config)
    with ephemeral.server():
        from flows.nightly import transform_days  # noqa: PLC0415 - see above

        transform_days(str(options.config), options.day, options.day)
    return FINE


def _evaluate(options: argparse.Namespace) -> int:
    _load(options).require_evaluation()
    with ephemeral.server():
        from flows.nightly import evaluate_day  # noqa: PLC0415 - see above

        evaluate_day(str(options.config), options.day)
    return FINE


def _compare(options: argparse.Namespace) -> int:
    loaded = _load(options)
    from flows.evaluate.papers import check_setup  # noqa: PLC0415 - see above
    from flows.evaluate.versus import Versus  # noqa: PLC0415 - see above

    versus = Versus(options.pinned, options.candidate, options.route, options.repeats, options.limit)
    check_setup(versus.narrowed(loaded))  # what is wrong is said before a server is started
    day = options.day or loaded.yesterday()
    with ephemeral.server():
        from flows.nightly import compare_models  # noqa: PLC0415 - see above

        run_id = compare_models(versus, str(options.config), day)
    from rich.console import Console  # noqa: PLC0415 - see above

    from flows import comparing  # noqa: PLC0415 - see above

    result = comparing.read(loaded, day, run_id)
    comparing.show(result, Console())
    return CRITICAL if result.is_critical else FINE


def _holdout(options: argparse.Namespace) -> int:
    from flows.ingest import examples  # noqa: PLC0415 - see above

    for line in examples.describe(config.load(options.config)):
        _tell(line)
    return FINE


def _doctor(options: argparse.Namespace) -> int:
    from flows import doctor  # noqa: PLC0415 - see above

    loaded = config.load(options.config)
    findings = doctor.examine(loaded, options.day or loaded.yesterday())
    for finding in findings:
        _tell(f"{'✓' if finding.fine else '✗'} {finding.text}")
    return FINE if all(finding.fine for finding in findings) else WRONG


def _demo(options: argparse.Namespace) -> int:
    with ephemeral.server(ephemeral.EVERYTHING):
        from flows.demonstration import run  # noqa: PLC0415 - see above

        return FINE if run(options.folder, _tell) else CRITICAL


def _load(options: argparse.Namespace) -> config.Config:
    """The configuration, after all that it names was read: what is wrong is said before a server is started."""
    from flows.evaluate.papers import check_setup  # noqa: PLC0415 - see above
    from flows.ingest import examples  # noqa: PLC0415 - see above

    loaded = config.load(options.config)
    check_setup(loaded)
    examples.describe(loaded)
    return loaded


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="genchi",
        description="Go and see the real thing: the nightly check of an LLM application, from its own logs.",
        epilog="Exit codes: 0 fine; 1 a critical expectation failed; 2 wrong command or configuration; 3 a failed run.",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    demo = verbs.add_parser("demo", help="write a workspace with a simulated application, and run last night on it")
    demo.add_argument("folder", type=Path, nargs="?", default=Path("demo"), help="where to write it (default: demo)")
    demo.set_defaults(verb=_demo)
    for name, verb, what in (
        ("nightly", _nightly, "one whole night: ingest, compare, evaluate, check, report, alert"),
        ("ingest", _ingest, "land one day's logs and bring the monitoring marts up to date"),
        ("transform", _transform, "rebuild every mart for one day"),
        ("evaluate", _evaluate, "rerun the holdouts against the pinned model and the candidates"),
        ("doctor", _doctor, "say whether the configuration, its files and its models can be reached"),
    ):
        added = _with_config(verbs.add_parser(name, help=what))
        added.add_argument("--day", type=_day, help="YYYY-MM-DD (default: yesterday)")
        added.set_defaults(verb=verb)
    back = _with_config(verbs.add_parser("backfill", help="the same night over a range of days, without its alerts"))
    back.add_argument("--start", type=_day, required=True, help="the first day, YYYY-MM-DD")
    back.add_argument("--end", type=_day, required=True, help="the last day, YYYY-MM-DD")
    back.add_argument(
        "--only", choices=("ingest", "transform", "evaluate"), help="one stage; evaluate asks live models"
    )
    back.set_defaults(verb=_backfill)
    compare = _with_config(verbs.add_parser("compare", help="two models on one route, now, and the verdict as a table"))
    compare.add_argument("--pinned", required=True, metavar="MODEL", help="a configured name, or any litellm string")
    compare.add_argument("--candidate", required=True, metavar="MODEL", help="the same")
    compare.add_argument("--route", required=True, help="a route with a holdout and criteria")
    compare.add_argument("--day", type=_day, help="YYYY-MM-DD (default: yesterday)")
    compare.add_argument("--repeats", type=_count, help="how often each example is asked (default: the route's)")
    compare.add_argument("--limit", type=_count, help="so many examples of the holdout at most, by their hash")
    compare.set_defaults(verb=_compare)
    holdout = _with_config(verbs.add_parser("holdout", help="name the frozen version of every test set"))
    holdout.set_defaults(verb=_holdout)
    return parser


def _with_config(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--config", type=Path, default=Path("genchi.yaml"), help="default: genchi.yaml")
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as YYYY-MM-DD") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _keep_traceback() -> Path:
    """Write the exception under way to a file of its own, for whoever mends it."""
    with tempfile.NamedTemporaryFile("w", prefix="genchi-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(traceback.format_exc())
    return Path(file.name)


def _complain(message: object, code: int) -> int:
    sys.stderr.write(f"genchi: {' '.join(str(message).split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
