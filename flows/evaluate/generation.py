"""Generation: run the canary, then send the holdouts to every model, and write the answers to `completions`.

And, without sending anything, how much a day's would be.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa

from flows.config import Config
from flows.evaluate.canary import ask_canary, canary_from_holdout
from flows.evaluate.generate import EvalRun, Forecast, GenerationResult, budget_of, forecast, generate_answers
from flows.evaluate.setup import EvalSetup, EvalTask, read_tasks
from flows.lake import Lake, nightly_run_id
from flows.llm import ClientFactory

__all__ = ["Forecast", "GenerationResult", "forecast_day", "generate_night"]


def generate_night(
    config: Config,
    day: date,
    run_id: str,
    tasks: Sequence[EvalTask],
    clients: ClientFactory | None = None,
    *,
    other_nights: bool = False,
) -> GenerationResult:
    """Send the requests that have no answer yet, and write all answers to `completions`.

    With `other_nights`, answers of any run are reused, so that a backfill does not query live models about the past.
    Otherwise the candidates are queried again, because a model may change behind its name; so is the pinned model,
    unless its canary shows no change.
    """
    budget = budget_of(config, day, run_id)
    run = EvalRun(config, day, run_id, tasks)
    if other_nights:
        return generate_answers(replace(run, reusable=run.arms), budget, clients)
    canary = ask_canary(run, budget, clients)
    if canary.since is not None:
        run = replace(run, reusable=("pinned",), since=canary.since)
    asked = generate_answers(run, budget, clients)
    canary_from_holdout(run)
    return replace(asked, canary=canary.generation.asked, spent_usd=asked.spent_usd + canary.generation.spent_usd)


def forecast_day(setup: EvalSetup, day: date, examples: pa.Table, clients: ClientFactory | None = None) -> Forecast:
    """What `generate_night` with `other_nights` would send for a day on which these examples are frozen.

    `examples` are rows of the lake's table. Sends and writes nothing. Raises ConfigError if the setup is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="genchi-forecast-") as folder:
        Lake(Path(folder)).write("examples", day, examples)
        config = setup.config.model_copy(update={"lake": Path(folder)})
        elsewhere = EvalSetup(config, setup.criteria, setup.output_schemas, setup.variants)
        tasks = read_tasks(elsewhere, day)
    run = EvalRun(setup.config, day, nightly_run_id(day), tasks)
    return forecast(replace(run, reusable=run.arms), clients)
