"""One budget for a night, whoever asks in it, on whatever day's answers, and however often it is run."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.config import load as configuration
from flows.config.load import Config
from flows.config.model_sections import Model
from flows.evaluate.generate.budget import spent_usd
from flows.evaluate.generate.journal import append_answer, open_for_append
from flows.evaluate.production.production_scores import score_days
from flows.evaluate.setup import load_setup
from flows.lake.lake import from_rows
from flows.llm.client import Answer, FakeClient
from tests.evaluating import evaluate_night, judge_night, shadow_day

DAY, RUN = date(2026, 5, 4), "nightly-2026-05-04"
CENT = 0.01


class Paid(FakeClient):
    """Answers each question in its own words, and every judgement with yes, for a cent; says who was paid."""

    def __init__(self, name: str, paid: Counter[str]) -> None:
        super().__init__(cost_usd=CENT)
        self.name, self.paid = name, paid

    async def ask(self, messages: Any, params: Any) -> Answer:
        self.paid[self.name] += 1
        said = json.dumps({"reason": "so", "verdict": "yes"}) if "judge" in self.name else f"{self.name} {messages}"
        self.queue.append(said)
        return await super().ask(messages, params)


class Night:
    """A workspace whose night has three stages that pay; `paid` counts the cents by model."""

    def __init__(self, folder: Path, budget: str) -> None:
        (folder / "h.jsonl").touch()
        (folder / "c.yaml").write_text(
            "- {name: polite, kind: judge, question: 'Is it polite?', samples_per_day: 10}\n"
        )
        (folder / "genchi.yaml").write_text(
            f"app: a\nlake: lake\nbudget: {{usd: {budget}}}\nshadow: {{samples_per_day: 10}}\n"
            "routes:\n  r: {holdout: h.jsonl, criteria: c.yaml}\n"
            "models:\n  pinned: {model: openai/old}\n  candidates: [{model: openai/new}]\n"
            "  judge: {model: openai/judge}\n  canary: {prompts: 0}\n"
        )
        self.config: Config = configuration.load_config(folder / "genchi.yaml")
        self.lake, self.paid = self.config.open_lake(), Counter[str]()
        self.lake.write("examples", DAY, from_rows([self.asked(f"q{n}") for n in range(10)], "examples"))

    @staticmethod
    def asked(text: str) -> dict[str, Any]:
        messages = json.dumps([{"role": "user", "content": text}])
        return {"set": "holdout", "route": "r", "example_id": text, "version": "v", "messages_json": messages}

    def produce(self, day: date) -> None:
        """Ten production answers, which nobody has judged."""
        calls = [
            {"call_id": f"{day} {n}", "route": "r", "model_served": "m", "status": "success", "input_text": f"p{n}"}
            | {"output_text": f"said on {day}: {n}", "messages_json": self.asked(f"p{n}")["messages_json"]}
            for n in range(10)
        ]
        self.lake.write("interactions", day, from_rows(calls, "interactions"))

    def client(self, model: Model) -> Paid:
        return Paid(model.name, self.paid)

    def structure(self, first: date = DAY) -> None:
        score_days(load_setup(self.config), first, DAY, self.client, ask=True)

    def run(self) -> int:
        """Structure, evaluation and shadow in their order; how many cents they cost."""
        before = self.paid.total()
        self.structure()
        evaluate_night(self.config, DAY, RUN, self.client)
        shadow_day(self.config, DAY, self.client)
        return self.paid.total() - before


@pytest.mark.parametrize("cents", [5, 25, 37, 55, 65])
def test_all_that_asks_in_a_night_shares_its_budget_and_a_rerun_has_no_fresh_one(tmp_path: Path, cents: int) -> None:
    night = Night(tmp_path, str(cents * CENT))
    night.produce(DAY)
    assert night.run() == cents
    assert night.run() == 0


def test_the_days_that_late_rows_reached_are_paid_from_the_budget_of_the_night(tmp_path: Path) -> None:
    night = Night(tmp_path, "0.25")
    for late in (2, 1, 0):
        night.produce(DAY - timedelta(days=late))
    night.structure(DAY - timedelta(days=2))
    assert night.paid == {"openai/judge": 25}
    night.structure(DAY - timedelta(days=2))
    assert night.run() == 0
    yesterday = DAY - timedelta(days=1)
    assert spent_usd(night.config, yesterday, f"nightly-{yesterday}") == 0  # it was this night that paid


def test_what_a_killed_run_had_noted_is_spent_and_counts_once(tmp_path: Path) -> None:
    night = Night(tmp_path, "9")
    night.produce(DAY)
    night.run()
    before = spent_usd(night.config, DAY, RUN)
    assert before == pytest.approx(night.paid.total() * CENT)
    landed = night.lake.read("completions", DAY, RUN).drop_columns(["latency_ms"]).to_pylist()
    with open_for_append(night.lake.journal(RUN)) as journal:
        append_answer(journal, landed[0])
        append_answer(journal, {**landed[0], "example_id": "dropped", "cost_usd": 0.5})
        append_answer(journal, {**landed[0], "example_id": "copied", "reused_from": "nightly-2026-05-03"})
    assert spent_usd(night.config, DAY, RUN) == pytest.approx(before + 0.5)
    assert spent_usd(night.config, DAY, f"production-{DAY}") == pytest.approx(before + 0.5)


def test_a_judge_that_was_killed_goes_on_with_what_was_left(tmp_path: Path) -> None:
    night = Night(tmp_path, "0.25")

    class Dies(Paid):
        async def ask(self, messages: Any, params: Any) -> Answer:
            if self.name == "openai/judge" and self.paid[self.name] == 3:
                raise RuntimeError
            return await super().ask(messages, params)

    with pytest.raises(ExceptionGroup):
        evaluate_night(night.config, DAY, RUN, lambda model: Dies(model.name, night.paid))
    assert night.lake.names("judgements", DAY) == []
    judge_night(night.config, DAY, RUN, clients=night.client)
    assert night.paid["openai/judge"] == 5


def test_a_run_by_hand_has_a_budget_of_its_own_and_takes_nothing_from_the_nights(tmp_path: Path) -> None:
    night = Night(tmp_path, "0.25")
    night.produce(DAY)
    night.run()
    evaluate_night(night.config, DAY, "compare-1", night.client)
    assert night.paid.total() == 25 + 20 + 5
    assert spent_usd(night.config, DAY, RUN) == pytest.approx(0.25)


def test_without_a_budget_nothing_is_read(tmp_path: Path) -> None:
    night = Night(tmp_path, "null")
    place = Path(night.lake.partition("completions", DAY, RUN))
    place.parent.mkdir(parents=True)
    place.write_bytes(b"no Parquet")
    assert spent_usd(night.config, DAY, RUN) == 0
