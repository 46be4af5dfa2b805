"""The rows of the page's tables, with their small charts. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from markupsafe import Markup

from flows.lake import each_day
from flows.report import charts
from flows.report.charts import Scale
from flows.report.evaluation_rows import Comparison, Score
from flows.report.night_verdict import Answer, answers, worse_slices
from flows.report.rows import Facts, Structure, Usage
from flows.report.wording import NOTHING, milliseconds, money, percent, points, share_of
from flows.words import counted

Row = TypeVar("Row", Usage, Structure)

VERDICTS = {
    "better": ("better", "better"),
    "not_worse": ("not worse", "same"),
    "worse": ("worse", "worse"),
    "insufficient": ("too little evidence", "unclear"),
}

OPEN = {"no_evidence": "nothing compared", "unanswered": "open: unanswered"}


@dataclass(frozen=True)
class Delta:
    """One comparison as a line of the forest plot."""

    row: Comparison
    word: str
    tone: str
    text: str
    picture: Markup


@dataclass(frozen=True)
class Candidate:
    """The answer about one candidate and the comparisons it rests on; `n_slices` counts all that were compared."""

    answer: Answer
    deltas: tuple[Delta, ...]
    axis: Markup
    slices: tuple[Delta, ...]
    slices_axis: Markup
    n_slices: int


@dataclass(frozen=True)
class _Plot:
    lines: tuple[Delta, ...]
    axis: Markup


@dataclass(frozen=True)
class Rate:
    """One pass rate with its picture."""

    score: Score
    text: str
    picture: Markup


@dataclass(frozen=True)
class Cell:
    """The last value of a measure, and its line over the window."""

    name: str
    text: str
    picture: Markup


@dataclass(frozen=True)
class UsageRow:
    """The measures of one route and model."""

    route: str
    model: str
    cells: tuple[Cell, ...]


def candidates(facts: Facts) -> tuple[Candidate, ...]:
    """Every candidate with its comparisons; all candidates on one scale, and all worse slices on one."""
    found = answers(facts)
    overall = _plot(facts.comparisons)
    worse = _plot([row for answer in found for row in worse_slices(facts, answer.candidate)])
    return tuple(
        Candidate(
            answer,
            tuple(line for line in overall.lines if line.row.candidate == answer.candidate),
            overall.axis,
            tuple(line for line in worse.lines if line.row.candidate == answer.candidate),
            worse.axis,
            sum(row.candidate == answer.candidate for row in facts.slices),
        )
        for answer in found
    )


def _plot(rows: Sequence[Comparison]) -> _Plot:
    """Lines on one common scale."""
    scale, ticks = charts.delta_scale(value for row in rows for value in (row.ci_low, row.ci_high, row.margin))
    return _Plot(tuple(_delta(row, scale) for row in rows), charts.axis(scale, ticks))


def _delta(row: Comparison, scale: Scale) -> Delta:
    word, tone = VERDICTS.get(row.verdict, (row.verdict, "unclear"))
    word = OPEN.get(row.open_because or "", word)
    if row.delta is None or row.ci_low is None or row.ci_high is None:
        return Delta(row, word, tone, "not scored", Markup(""))
    text = f"{points(row.delta)} ({points(row.ci_low)} to {points(row.ci_high)})"
    lines = [(0.0, "zero"), (-row.margin, "margin")]
    label = f"{row.candidate} on {row.route}/{row.criterion}: {text} points, {word}"
    return Delta(
        row, word, tone, text, charts.interval((row.ci_low, row.delta, row.ci_high), scale, tone, label, lines)
    )


def rates(facts: Facts) -> tuple[Rate, ...]:
    """The pass rates of the night."""
    return tuple(_rate(score) for score in facts.scores_of_the_night)


def _rate(score: Score) -> Rate:
    if score.pass_rate is None or score.ci_low is None or score.ci_high is None:
        return Rate(score, "not scored", Markup(""))
    text = f"{percent(score.pass_rate)} ({percent(score.ci_low)} to {percent(score.ci_high)})"
    if score.mean_score is not None:
        text += f", mean score {score.mean_score:.2f}"
    least = score.min_pass_rate if score.arm == "pinned" else None  # it does not bind a candidate
    scale = Scale(0, 1, 4, 96)
    tone = "worse" if least is not None and score.pass_rate < least else "same"
    label = f"{score.model} on {score.route}/{score.criterion}: {text}"
    lines = [(0.0, "zero"), (1.0, "zero")] + ([] if least is None else [(least, "margin")])
    picture = charts.interval((score.ci_low, score.pass_rate, score.ci_high), scale, tone, label, lines)
    return Rate(score, text, picture)


def usage_rows(facts: Facts) -> tuple[UsageRow, ...]:
    """Usage and structure of every route and model with calls in the window, the busiest first."""
    usage, structure = _by_key(facts.usage), _by_key(facts.structure)
    volume = {key: sum(row.calls for row in rows.values()) for key, rows in usage.items()}
    keys = sorted({**usage, **structure}, key=lambda key: (-volume.get(key, 0), key))
    days = list(each_day(facts.first_day, facts.day))
    return tuple(
        UsageRow(
            *key,
            (
                *_usage_cells(usage.get(key, {}), days),
                *_structure_cells(structure.get(key, {}), days, asks_for_json=key[0] in facts.json_routes),
            ),
        )
        for key in keys
    )


def _by_key(rows: Iterable[Row]) -> dict[tuple[str, str], dict[date, Row]]:
    found: dict[tuple[str, str], dict[date, Row]] = {}
    for row in rows:
        found.setdefault((row.route, row.model_served), {})[row.day] = row
    return found


def _usage_cells(rows: dict[date, Usage], days: Sequence[date]) -> list[Cell]:
    return [
        _cell("calls", rows, days, lambda row: row.calls, lambda value: f"{value:,.0f}", floor=0.0),
        _cell("errors", rows, days, lambda row: share_of(row.errors, row.calls), percent, floor=0.0),
        _cell("cost", rows, days, lambda row: row.cost_usd, money, floor=0.0),
        _cell("latency p50", rows, days, lambda row: row.latency_p50_ms, milliseconds, floor=0.0),
        _cell("latency p95", rows, days, lambda row: row.latency_p95_ms, milliseconds, floor=0.0),
    ]


def _structure_cells(rows: dict[date, Structure], days: Sequence[date], *, asks_for_json: bool) -> list[Cell]:
    """A model whose answers are never JSON, and of whom nothing asks for it, has no share of valid JSON."""
    is_asked = asks_for_json or any(row.json_valid or row.schema_checked is not None for row in rows.values())
    return [
        _cell("valid JSON", rows if is_asked else {}, days, lambda row: share_of(row.json_valid, row.outputs), percent),
        _cell("schema-valid", rows, days, lambda row: share_of(row.schema_valid, row.schema_checked or 0), percent),
        _cell("refusals", rows, days, lambda row: share_of(row.refusals, row.outputs), percent, floor=0.0),
        _cell("truncated", rows, days, lambda row: share_of(row.truncations, row.outputs), percent, floor=0.0),
    ]


def _cell(
    name: str,
    rows: dict[date, Row],
    days: Sequence[date],
    measure: Callable[[Row], float | None],
    write: Callable[[float], str],
    *,
    floor: float | None = None,
) -> Cell:
    """One measure over `days`; its text is the value of the last of them, a dash where there is none."""
    values = [measure(rows[day]) if day in rows else None for day in days]
    text = NOTHING if values[-1] is None else write(values[-1])
    return Cell(name, text, charts.sparkline(values, f"{name}, {counted(len(days), 'day')}", floor))
