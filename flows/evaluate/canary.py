"""The canary of the pinned model: a few prompts, sent again each night, whose answers are compared with past ones.

A provider may put another model behind the same name. A night on which the canary shows this starts a new stable
period. Later canaries are compared only with answers of the current stable period, and only these answers are reused
instead of sending the holdout again.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow.compute as pc

from flows.config import Config, risk_on, sizes_by_risk
from flows.evaluate.generate import EvalRun, GenerationResult, Row, RunBudget, canary_run_id, generate_answers
from flows.evaluate.setup import EvalTask
from flows.lake import Lake, from_rows, nightly_run_id
from flows.llm import ClientFactory
from flows.stats.answer_change import AnswerChange, compare_answers
from flows.stats.sample import rank

_NIGHTS = 7  # of the stable period, at most, that tonight is compared with
_COLUMNS = (
    *("model", "request_hash", "output_text", "output_json", "model_served", "system_fingerprint", "status"),
    "reused_from",
)


@dataclass(frozen=True)
class Canary:
    """The result of a canary. `since` is the first night of the stable period; None if the model may have changed."""

    generation: GenerationResult
    since: date | None = None


@dataclass(frozen=True)
class CanaryAnswers:
    """The answers of one canary by request_hash, with the model names and fingerprints that the provider reported."""

    answers: Mapping[str, Sequence[str]]
    served_names: tuple[str, ...]
    fingerprints: tuple[str, ...]


@dataclass(frozen=True)
class PastAnswers:
    """Past answers of `model` to `request_hashes`, by night, newest first. `stable_days` is the whole stable period."""

    model: str
    request_hashes: frozenset[str]
    stable_days: Sequence[date]
    nights: Sequence[CanaryAnswers]


def ask_canary(run: EvalRun, budget: RunBudget, clients: ClientFactory | None = None) -> Canary:
    """Run the canary of a night; write its answers to `completions` and the test result to `canaries`.

    The answers have a separate file, `canary-<day>`, because they are not repeats of the holdout's. The canary is
    skipped if the holdout is no larger, or if there are no past answers to compare with. The holdout is then sent in
    full, and `canary_from_holdout` uses its answers instead.
    """
    config, day = run.config, run.day
    assert config.models is not None
    settings = config.models.canary
    canary_run = _canary_run(run)
    if not canary_run.tasks or _n_requests(canary_run.tasks) >= _n_requests(run.tasks):
        return Canary(GenerationResult())
    past = _past_answers(run, canary_run)
    if not any(one.answers for one in past.nights):
        return Canary(GenerationResult())
    asked = generate_answers(canary_run, budget, clients)
    tonight = _read_answers(config.open_lake(), day, past.model, past.request_hashes)
    found = _land_canary(run, past, tonight)
    known = {name for one in past.nights for name in one.served_names}
    alike = found.p_value is not None and found.p_value > _max_p_value(config)
    unchanged = alike and not _is_renamed(tonight.served_names, known)
    return Canary(asked, past.stable_days[-1] if unchanged and settings.reuse else None)


def canary_from_holdout(run: EvalRun) -> None:
    """On a night without a canary run, test the pinned model's holdout answers to the canary prompts instead."""
    config, lake = run.config, run.config.open_lake()
    if (
        config.models is None
        or not any(sizes_by_risk(config, "canary_prompts").values())
        or lake.exists("completions", run.day, canary_run_id(run.day))
    ):
        return
    past = _past_answers(run, _canary_run(run))
    tonight = _read_answers(lake, run.day, past.model, past.request_hashes, with_holdout=True)
    if tonight.answers:
        _land_canary(run, past, tonight)


def _canary_run(run: EvalRun) -> EvalRun:
    config = run.config
    assert config.models is not None
    # Of each route as many as if all had its risk.
    chosen = {
        risk: {task.name: task for task in choose(run.tasks, prompts, config.models.canary.answers)}
        for risk, prompts in sizes_by_risk(config, "canary_prompts").items()
    }
    found = [chosen[risk_on(config, task.name)].get(task.name) for task in run.tasks]
    tasks = [task for task in found if task]
    return EvalRun(config, run.day, canary_run_id(run.day), tasks, arms=("pinned",))


def _n_requests(tasks: Sequence[EvalTask]) -> int:
    """The number of requests that the tasks make for one model."""
    return sum(len(task.examples) * task.route.repeats for task in tasks)


def _past_answers(run: EvalRun, canary_run: EvalRun) -> PastAnswers:
    assert run.config.models is not None
    lake, model = run.config.open_lake(), run.config.models.pinned.name
    request_hashes = frozenset(request.request_hash for request in canary_run)
    stable_days = _stable_days(lake, run.day, model, _max_p_value(run.config))
    nights = [_read_answers(lake, one, model, request_hashes, with_holdout=True) for one in stable_days[:_NIGHTS]]
    return PastAnswers(model, request_hashes, stable_days, nights)


def _land_canary(run: EvalRun, past: PastAnswers, tonight: CanaryAnswers) -> AnswerChange:
    found = compare_answers(*_side_by_side(past.nights, tonight))
    row = {
        "run_id": run.run_id,
        "model": past.model,
        "served_names": tonight.served_names,
        "fingerprints": tonight.fingerprints,
        "n_prompts": found.n_prompts,
        "n_answers": found.n_answers,
        "statistic": found.statistic,
        "p_value": found.p_value,
    }
    run.config.open_lake().write("canaries", run.day, from_rows([row], "canaries"), run.run_id)
    return found


def choose(tasks: Sequence[EvalTask], prompts: int, answers: int) -> list[EvalTask]:
    """The tasks reduced to `prompts` examples in total, each with `answers` repeats.

    The examples with the smallest ranks of (route, example_id) are chosen, so that every night uses the same ones as
    long as the holdout has them.
    """
    places = (
        (rank(task.name, one.example_id), n, index)
        for n, task in enumerate(tasks)
        for index, one in enumerate(task.examples)
    )
    chosen = defaultdict(list)
    for _, n, index in heapq.nsmallest(prompts, places):
        chosen[n].append(index)
    return [
        replace(
            tasks[n],
            route=tasks[n].route.model_copy(update={"repeats": answers}),
            examples=[tasks[n].examples[index] for index in sorted(chosen[n])],
        )
        for n in sorted(chosen)
    ]


def _read_answers(
    lake: Lake, day: date, model: str, request_hashes: Collection[str], *, with_holdout: bool = False
) -> CanaryAnswers:
    """A model's answers to `request_hashes` in a night's canary; with `with_holdout` also in that night's evaluation.

    Reused answers do not count: they say nothing about the model of that night.
    """
    answers: dict[str, list[str]] = defaultdict(list)
    names, fingerprints = set[str](), set[str]()
    for file in (canary_run_id(day), nightly_run_id(day)) if with_holdout else (canary_run_id(day),):
        for batch in lake.batches("completions", day, _COLUMNS, file):
            asked = pc.and_(pc.equal(batch["model"], model), pc.is_null(batch["reused_from"]))
            rows = batch.filter(pc.and_(asked, pc.equal(batch["status"], "ok"))).to_pylist()
            for row in rows:
                if row["request_hash"] in request_hashes:
                    answers[row["request_hash"]].append(row["output_text"] or row["output_json"] or "")
            names |= {row["model_served"] for row in rows if row["model_served"]}
            fingerprints |= {row["system_fingerprint"] for row in rows if row["system_fingerprint"]}
    return CanaryAnswers(answers, tuple(sorted(names)), tuple(sorted(fingerprints)))


def _side_by_side(past: Sequence[CanaryAnswers], tonight: CanaryAnswers) -> tuple[list[list[str]], list[list[str]]]:
    """Past answers and tonight's answers, each a list per request, in the same order of requests."""
    requests = sorted(tonight.answers)
    before = [[text for one in past for text in one.answers.get(request, ())] for request in requests]
    return before, [list(tonight.answers[request]) for request in requests]


def _max_p_value(config: Config) -> float:
    return config.limits["max_canary_p_value"]


def _stable_days(lake: Lake, day: date, model: str, max_p_value: float) -> list[date]:
    """The nights before `day` back to the last one that showed a change (included), newest first."""
    nights: list[date] = []
    later: Row | None = None
    for night in (one for one in reversed(lake.days("canaries")) if one < day):
        row = next((row for row in lake.read("canaries", night).to_pylist() if row["model"] == model), None)
        if row is None:
            continue
        if later is not None and _shows_a_change(later, row, max_p_value):
            break
        nights.append(night)
        later = row
    return nights


def _shows_a_change(row: Row, before: Row, max_p_value: float) -> bool:
    """Whether a night's canary shows a different model from the night before."""
    answers_differ = row["p_value"] is not None and row["p_value"] <= max_p_value
    return answers_differ or _is_renamed(row["served_names"], before["served_names"])


def _is_renamed(names: Iterable[str], before: Collection[str]) -> bool:
    """Whether a served name is new. False if no name is known from before."""
    return bool(before) and not set(names) <= set(before)
