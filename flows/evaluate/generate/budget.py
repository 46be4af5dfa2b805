"""How much a night has spent so far; every `RunBudget` starts from it.

The budget is that of a night. Evaluation, canary, anchor set, a holdout's parent, shadow, scoring of production
(including days that late rows reached) and their judge requests share it. Any other run, such as `genchi compare`, has
a separate budget.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flows.config import Config
from flows.evaluate.generate.answer_reuse import CANARY
from flows.evaluate.generate.journal import read_journal
from flows.evaluate.generate.request_runner import RunBudget
from flows.evaluate.generate.requests import KEY_COLUMNS, Row, digest, key_of
from flows.lake import LATE_DAYS, Lake, nightly_run_id

ANCHOR_KEY = ("request_hash", "route", "criterion", "subject_id", "repeat")
"""What one verdict on the anchor set is known by, within a night."""


def canary_run_id(day: date) -> str:
    """The run_id of a night's canary."""
    return f"{CANARY}{day.isoformat()}"


def shadow_run_id(day: date) -> str:
    """The run_id of a night's shadow."""
    return f"shadow-{day.isoformat()}"


def production_run_id(day: date) -> str:
    """The run_id of a night's scoring of production, including judge requests about earlier days."""
    return f"production-{day.isoformat()}"


def anchor_run_id(day: date) -> str:
    """The run_id of a night's grading of the anchor set."""
    return f"anchor-{day.isoformat()}"


def parent_run_id(day: date) -> str:
    """The run_id of a night's evaluation of the versions that holdouts had the night before."""
    return f"parent-{day.isoformat()}"


def judge_journal(lake: Lake, day: date, run_id: str) -> Path:
    """The journal of a run's judge replies about answers of `day`."""
    return lake.journal(f"{run_id}-judge-{day.isoformat()}")


def budget_of(config: Config, day: date, run_id: str) -> RunBudget:
    """The budget of the night of `day` (or of a single run), less what was spent so far."""
    return RunBudget(config.budget.usd, spent_usd(config, day, run_id))


def spent_usd(config: Config, day: date, run_id: str) -> float:
    """USD spent so far by the night of `day` if the run is one of the night's, else by the run alone.

    Counts stored answers and journal entries of killed runs, each answer once, without reused answers. Returns 0
    without reading anything if no budget is configured.
    """
    if config.budget.usd is None:
        return 0.0
    lake = config.open_lake()
    of_night = (
        nightly_run_id(day), canary_run_id(day), parent_run_id(day), shadow_run_id(day), production_run_id(day)
    )  # fmt: skip
    is_of_night = run_id in (*of_night, anchor_run_id(day))
    runs = of_night if is_of_night else (run_id,)
    paid = anchors_usd(lake, day) if is_of_night else 0.0
    paid += sum(_paid_for_answers(lake, day, run) + _paid_for_judgements(lake, day, run) for run in runs)
    if production_run_id(day) in runs:
        late = (one for one in lake.days("judgements") if day - timedelta(days=LATE_DAYS) <= one < day)
        paid += sum(_paid_for_judgements(lake, one, production_run_id(day)) for one in late)
    return paid


def anchors_usd(lake: Lake, day: date) -> float:
    """USD spent so far on grading the anchor set in the night of `day`."""
    run_id = anchor_run_id(day)
    landed = lake.batches("anchor_grades", day, (*ANCHOR_KEY, "cost_usd", "status"), run_id)
    return _total_usd(landed, read_journal(lake.journal(run_id)), lambda row: "/".join(str(row[k]) for k in ANCHOR_KEY))


def _paid_for_answers(lake: Lake, day: date, run_id: str) -> float:
    columns = (*KEY_COLUMNS, "cost_usd", "status", "reused_from")
    landed = lake.batches("completions", day, columns, run_id)
    own_answers = (rows.filter(pc.is_null(rows["reused_from"])) for rows in landed)
    journaled = (row for row in read_journal(lake.journal(run_id)) if row.get("reused_from") is None)
    return _total_usd(own_answers, journaled, lambda row: digest(key_of(row)))


def _paid_for_judgements(lake: Lake, day: date, run_id: str) -> float:
    landed = lake.batches("judgements", day, ("request_hash", "cost_usd", "status"), run_id)
    journaled = read_journal(judge_journal(lake, day, run_id))
    return _total_usd(landed, journaled, lambda row: row["request_hash"])


def _total_usd(landed: Iterator[pa.Table], journaled: Iterator[Row], key: Callable[[Row], str | bytes]) -> float:
    """The total cost in USD. After a kill while writing, an answer may be in both the file and the journal."""
    unlanded = {key(row): row["cost_usd"] or 0.0 for row in journaled if row["status"] == "ok"}
    paid = 0.0
    for rows in landed:
        paid += pc.sum(rows["cost_usd"]).as_py() or 0.0
        if unlanded:
            for row in rows.filter(pc.equal(rows["status"], "ok")).to_pylist():
                unlanded.pop(key(row), None)
    return paid + sum(unlanded.values())
