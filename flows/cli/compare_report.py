"""`genchi compare`: the verdict on two models, read from the marts and laid out for a person.

Nothing is computed here that a mart already holds. On a terminal it is a table, in a log a line a row; what models,
test sets and configuration name is shown as text, never as markup.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from flows.config import Config
from flows.errors import RunError
from flows.marts import Marts, open_marts
from flows.outgoing import plain

_SHOWN = 5
_WHY = ("model", "status", "error_type", "error_message")
# Widths are held so that 80 columns are enough.
_COLUMNS = ("criterion", "pinned", "cand.", "difference\n(95 %)", "verdict", "MDE", "n", "un-\nscored")
_COLOURS = {"better": "green", "not_worse": "green", "worse": "red", "insufficient": "yellow"}

_CRITERIA = """
select
    compared.criterion,
    compared.severity,
    old.pass_rate as pinned_rate,
    new.pass_rate as candidate_rate,
    old.mean_score as pinned_mean,
    new.mean_score as candidate_mean,
    compared.* exclude (criterion, severity)
from marts.fct_model_comparisons as compared
inner join marts.fct_eval_scores as old
    on old.run_id = compared.run_id and old.day = compared.day and old.route = compared.route
    and old.criterion = compared.criterion and old.model = compared.pinned
inner join marts.fct_eval_scores as new
    on new.run_id = compared.run_id and new.day = compared.day and new.route = compared.route
    and new.criterion = compared.criterion and new.model = compared.candidate
where compared.day = ? and compared.run_id = ?
order by array_position(['critical', 'warning', 'info'], compared.severity), compared.criterion
"""
_SLICES = """
select * from marts.fct_slice_comparisons
where day = ? and run_id = ? and (verdict = 'worse' or (n_examples = 0 and n_unanswered > 0))
order by delta nulls last, criterion, slice
"""
_FAILURES = """
select model, error_class, is_own_failure, n_answers, error_message from marts.fct_request_failures
where day = ? and run_id = ? order by model, error_class
"""

_REGRESSED = """
select criterion, example_id from marts.fct_example_flips where day = ? and run_id = ? and flip = 'regressed'
order by criterion, example_id
"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """The result of a comparison: rows of the marts, and the regressed examples by criterion.

    `slices` are those that are worse or of which nothing was answered, `failures` the requests without an answer.
    """

    run_id: str
    criteria: Sequence[Row]
    slices: Sequence[Row]
    failures: Sequence[Row]
    regressed: dict[str, list[str]]

    @property
    def is_critical(self) -> bool:
        """Whether the candidate is worse on a critical criterion."""
        return any(row["verdict"] == "worse" and row["severity"] == "critical" for row in self.criteria)


def read(config: Config, day: date, run_id: str) -> Result:
    """The verdict of one run. Raises RunError if nothing could be compared."""
    marts = open_marts(config)
    criteria, slices, failures = (marts.query(sql, [day, run_id]) for sql in (_CRITERIA, _SLICES, _FAILURES))
    result = Result(run_id, criteria, slices, failures, _regressed(marts, day, run_id))
    if not any(row["n_examples"] for row in result.criteria):
        raise RunError(f"{run_id}: nothing could be compared: {_why_not(config, day, run_id)}")
    return result


def _why_not(config: Config, day: date, run_id: str) -> str:
    rows = config.open_lake().read("completions", day, run_id, columns=_WHY).to_pylist()
    failed = [row for row in rows if row["status"] != "ok"]
    if not rows:
        return "the holdout is empty"
    if failed:
        one = min(failed, key=lambda row: (row["model"], row["error_type"]))
        words = f": {plain(one['error_message'])}" if one["error_message"] else ""
        return f"{len(failed)} of {len(rows)} requests have no answer; {one['model']}: {one['error_type']}{words}"
    return "no criterion could score any answer"


def _regressed(marts: Marts, day: date, run_id: str) -> dict[str, list[str]]:
    """By criterion, the ids of examples that the pinned model passes and the candidate does not."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in marts.query(_REGRESSED, [day, run_id]):
        found[row["criterion"]].append(row["example_id"])
    return dict(found)


def show(result: Result, console: Console) -> None:
    """Print the verdict: a table on a terminal, lines elsewhere."""
    if console.is_terminal:
        console.print(_table(result))
    else:
        for row in result.criteria:
            _print(console, _line(row))
    for line in _below(result):
        _print(console, line)


def _table(result: Result) -> Table:
    first = result.criteria[0]
    title = f"{first['candidate']} against {first['pinned']} (pinned), route {first['route']}"
    table = Table(title=Text(plain(title)), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in _COLUMNS:
        justify: JustifyMethod = "left" if name in ("criterion", "verdict") else "right"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=name != "criterion")
    for row in result.criteria:
        words = _words(row)
        table.add_row(
            Text(f"{words['criterion']}\n{words['severity']}"),
            words["pinned_rate"],
            words["candidate_rate"],
            f"{words['delta']}\n{words['interval']}",
            Text.assemble((words["verdict"], _COLOURS[row["verdict"]]), f"\nq {words['q']}"),
            words["least"],
            words["n"],
            words["unscored"],
        )
    return table


def _words(row: Row) -> dict[str, str]:
    """One comparison in words; what is not known is a dash."""
    return {
        **{name: plain(row[name]) for name in ("criterion", "severity", "verdict", "pinned", "candidate")},
        "pinned_rate": _rate(row, "pinned"),
        "candidate_rate": _rate(row, "candidate"),
        "delta": _points(row["delta"]),
        "interval": f"{_points(row['ci_low'])} to {_points(row['ci_high'])}",
        "q": "-" if row["q_value"] is None else f"{row['q_value']:.3f}",
        "least": "-" if row["minimum_detectable"] is None else f"{100 * row['minimum_detectable']:.1f}",
        "n": f"{row['n_examples']:,}",
        "unscored": f"{row['n_unscored']:,}",
    }


def _line(row: Row) -> str:
    return (
        "{verdict}: {criterion} ({severity}): {candidate} {candidate_rate}, {pinned} {pinned_rate} (pinned),"
        " difference {delta} points (95 % interval {interval}), q-value {q},"
        " minimum detectable effect {least} points, {n} examples, {unscored} unscored"
    ).format(**_words(row))


def _rate(row: Row, side: str) -> str:
    """A pass rate; of a graded criterion the mean score."""
    mean = row[f"{side}_mean"] if row["is_graded"] else None
    return _percent(row[f"{side}_rate"]) if mean is None else f"mean {mean:.2f}"


def _below(result: Result) -> Iterator[str]:
    for row in (one for one in result.criteria if one["n_unanswered"]):
        turned = "; this leaves the verdict open" if row["open_because"] == "unanswered" else ""
        yield (
            f"unanswered by {row['candidate']}: {row['criterion']}: {row['n_unanswered']:,} examples that the pinned"
            f" model answered; if all of these were wrong, the interval would begin at {_points(row['ci_low_worst'])}"
            f" points; if all were right, it would end at {_points(row['ci_high_worst'])}{turned}"
        )
    for row in result.failures:
        counted = "failed" if row["is_own_failure"] else "unscored, retried first"
        words = f": {row['error_message']}" if row["error_message"] else ""
        yield f"no answer from {row['model']}: {row['error_class']}: {row['n_answers']:,} requests ({counted}){words}"
    for row in result.slices:
        if not row["n_examples"]:
            yield (
                f"no result for slice {row['slice']}: {row['criterion']}: none of {row['n_unanswered']:,} examples"
                " was answered"
            )
            continue
        yield (
            f"worse on slice {row['slice']}: {row['criterion']}: difference {_points(row['delta'])} points"
            f" (95 % interval {_points(row['ci_low'])} to {_points(row['ci_high'])}),"
            f" q-value {row['q_value']:.3f}, {row['n_examples']:,} examples"
        )
    for criterion, examples in result.regressed.items():
        more = f" and {len(examples) - _SHOWN:,} more" if len(examples) > _SHOWN else ""
        yield f"regressed examples: {criterion}: {', '.join(examples[:_SHOWN])}{more}"
    yield f"run_id {result.run_id}"


def _print(console: Console, line: str) -> None:
    console.print(Text(plain(line)), soft_wrap=True)


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.1f} %"


def _points(difference: float | None) -> str:
    return "-" if difference is None else f"{100 * difference:+.1f}"
