"""The canary of the pinned model: a few prompts, asked anew each night, their answers held against those of its past.

A provider may put another model behind the same name. The night on which the canary shows it begins an era: only
answers of the era are the past of later canaries, and only they are reused in place of asking the holdout anew.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow.compute as pc

from flows.config import Config, thresholds
from flows.evaluate.generate import EvalRun, GenerationResult, Row, RunBudget, canary_run_id, generate_answers
from flows.evaluate.setup import EvalTask
from flows.lake import Lake, from_rows, nightly_run_id
from flows.llm import ClientFactory
from flows.stats.answer_change import Swap, compare_answers
from flows.stats.sample import rank

_NIGHTS = 7  # so many nights of the era are the past
_COLUMNS = (
    *("model", "request_hash", "output_text", "output_json", "model_served", "system_fingerprint", "status"),
    "reused_from",
)


@dataclass(frozen=True)
class Canary:
    """What the canary came to. Since the night `since` the pinned model is unchanged; None where that is not known."""

    asked: GenerationResult
    since: date | None = None


@dataclass(frozen=True)
class CanaryAnswers:
    """The answers of one canary by request, and who the provider says gave them."""

    answers: Mapping[str, Sequence[str]]
    served_names: tuple[str, ...]
    fingerprints: tuple[str, ...]


@dataclass(frozen=True)
class Past:
    """What tonight's answers of `model` to the `wanted` requests are held against: the last nights of its era."""

    model: str
    wanted: frozenset[str]
    era: Sequence[date]
    nights: Sequence[CanaryAnswers]


def ask_canary(night: EvalRun, purse: RunBudget, clients: ClientFactory | None = None) -> Canary:
    """Ask the canary of a night, and land its answers in `completions` and what they show in `canaries`.

    Its answers have a file of their own, `canary-<day>`: they are no repeats of the holdout's. It is not asked where
    the pinned model's part of the holdout is no larger, or where nothing of the past can be held against it: then the
    holdout is asked, and `hear_holdout` takes its answers for the canary's.
    """
    config, day = night.config, night.day
    assert config.models is not None
    settings = config.models.canary
    sheet = _sheet(night)
    if not settings.prompts or _size(sheet.papers) >= _size(night.papers):
        return Canary(GenerationResult())
    past = _past(night, sheet)
    if not any(one.answers for one in past.nights):
        return Canary(GenerationResult())
    asked = generate_answers(sheet, purse, clients)
    tonight = _read_answers(config.open_lake(), day, past.model, past.wanted)
    found = _land(night, past, tonight)
    known = {name for one in past.nights for name in one.served_names}
    alike = found.p_value is not None and found.p_value > _alarm_p(config)
    unchanged = alike and not _is_renamed(tonight.served_names, known)
    return Canary(asked, past.era[-1] if unchanged and settings.reuse else None)


def canary_from_holdout(night: EvalRun) -> None:
    """Where a night had no canary of its own, hold what the pinned model answered to its prompts against the past."""
    config, lake = night.config, night.config.open_lake()
    if (
        config.models is None
        or not config.models.canary.prompts
        or lake.exists("completions", night.day, canary_run_id(night.day))
    ):
        return
    past = _past(night, _sheet(night))
    tonight = _read_answers(lake, night.day, past.model, past.wanted, with_holdout=True)
    if tonight.answers:
        _land(night, past, tonight)


def _sheet(night: EvalRun) -> EvalRun:
    assert night.config.models is not None
    settings = night.config.models.canary
    papers = choose(night.papers, settings.prompts, settings.answers)
    return EvalRun(night.config, night.day, canary_run_id(night.day), papers, arms=("pinned",))


def _size(papers: Sequence[EvalTask]) -> int:
    """How many questions the papers are for one model."""
    return sum(len(paper.examples) * paper.route.repeats for paper in papers)


def _past(night: EvalRun, sheet: EvalRun) -> Past:
    assert night.config.models is not None
    lake, model = night.config.open_lake(), night.config.models.pinned.name
    wanted = frozenset(question.request_hash for question in sheet)
    era = _era(lake, night.day, model, _alarm_p(night.config))
    nights = [_read_answers(lake, one, model, wanted, with_holdout=True) for one in era[:_NIGHTS]]
    return Past(model, wanted, era, nights)


def _land(night: EvalRun, past: Past, tonight: CanaryAnswers) -> Swap:
    found = compare_answers(*_side_by_side(past.nights, tonight))
    row = {
        "run_id": night.run_id,
        "model": past.model,
        "served_names": tonight.served_names,
        "fingerprints": tonight.fingerprints,
        "n_prompts": found.n_prompts,
        "n_answers": found.n_answers,
        "statistic": found.statistic,
        "p_value": found.p_value,
    }
    night.config.open_lake().write("canaries", night.day, from_rows([row], "canaries"), night.run_id)
    return found


def choose(papers: Sequence[EvalTask], prompts: int, answers: int) -> list[EvalTask]:
    """The papers with so many examples in all, each asked `answers` times.

    They are those of the smallest ranks of route and example_id, so that every night has the same ones wherever
    the holdout still has them.
    """
    places = (
        (rank(paper.name, one.example_id), n, at)
        for n, paper in enumerate(papers)
        for at, one in enumerate(paper.examples)
    )
    chosen = defaultdict(list)
    for _, n, at in heapq.nsmallest(prompts, places):
        chosen[n].append(at)
    return [
        replace(
            papers[n],
            route=papers[n].route.model_copy(update={"repeats": answers}),
            examples=[papers[n].examples[at] for at in sorted(chosen[n])],
        )
        for n in sorted(chosen)
    ]


def _read_answers(
    lake: Lake, day: date, model: str, wanted: Collection[str], *, with_holdout: bool = False
) -> CanaryAnswers:
    """What a model answered to the `wanted` requests in a night's canary, and in its holdout too.

    Of the holdout those answers count that were asked that night.
    """
    answers: dict[str, list[str]] = defaultdict(list)
    names, fingerprints = set[str](), set[str]()
    for file in (canary_run_id(day), nightly_run_id(day)) if with_holdout else (canary_run_id(day),):
        for batch in lake.batches("completions", day, _COLUMNS, file):
            asked = pc.and_(pc.equal(batch["model"], model), pc.is_null(batch["reused_from"]))
            rows = batch.filter(pc.and_(asked, pc.equal(batch["status"], "ok"))).to_pylist()
            for row in rows:
                if row["request_hash"] in wanted:
                    answers[row["request_hash"]].append(row["output_text"] or row["output_json"] or "")
            names |= {row["model_served"] for row in rows if row["model_served"]}
            fingerprints |= {row["system_fingerprint"] for row in rows if row["system_fingerprint"]}
    return CanaryAnswers(answers, tuple(sorted(names)), tuple(sorted(fingerprints)))


def _side_by_side(past: Sequence[CanaryAnswers], tonight: CanaryAnswers) -> tuple[list[list[str]], list[list[str]]]:
    """The answers of the past and of tonight to tonight's requests, in one order."""
    requests = sorted(tonight.answers)
    before = [[text for one in past for text in one.answers.get(request, ())] for request in requests]
    return before, [list(tonight.answers[request]) for request in requests]


def _alarm_p(config: Config) -> float:
    return thresholds(config.risk)["max_canary_p_value"]


def _era(lake: Lake, day: date, model: str, alarm_p: float) -> list[date]:
    """The nights before `day` since the model was last found changed, the newest first; that night is one of them."""
    nights: list[date] = []
    later: Row | None = None
    for night in (one for one in reversed(lake.days("canaries")) if one < day):
        row = next((row for row in lake.read("canaries", night).to_pylist() if row["model"] == model), None)
        if row is None:
            continue
        if later is not None and _began_an_era(later, row, alarm_p):
            break
        nights.append(night)
        later = row
    return nights


def _began_an_era(row: Row, before: Row, alarm_p: float) -> bool:
    """Whether a night's canary shows another model than that of the night before."""
    answers_differ = row["p_value"] is not None and row["p_value"] <= alarm_p
    return answers_differ or _is_renamed(row["served_names"], before["served_names"])


def _is_renamed(names: Iterable[str], before: Collection[str]) -> bool:
    """Whether a name is new. Where nobody answered before, or no provider says who answers, nothing is known."""
    return bool(before) and not set(names) <= set(before)
