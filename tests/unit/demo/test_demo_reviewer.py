"""The simulated judge errs at its planted rates, and the simulated reviewer is right and says that it is simulated."""

import json
from datetime import date
from random import Random
from typing import Any

from flows.demo import customer_texts, desk, reviewer
from flows.evaluate.criteria import judge_prompt
from flows.review.queue.item_texts import item_json

DAY = date(2026, 3, 10)


def answered(count: int) -> list[tuple[str, str]]:
    """Texts of customers with the pinned model's answers."""
    rng = Random("texts")
    intents = list(customer_texts.CATEGORIES)
    texts = [customer_texts.written(rng, "en", rng.choice(intents), False) for _ in range(count)]
    return [(text, desk.model_answer(desk.PINNED, text, 0)) for text in texts]


def test_the_judge_reads_genchis_own_request_and_errs_at_the_planted_rates() -> None:
    verdicts: dict[bool, list[bool]] = {True: [], False: []}
    rng = Random("wrong")
    for text, answer in answered(1500):
        for said in {answer, json.dumps(desk.answer(rng, "en", "praise", right=False))}:
            messages = judge_prompt.messages_for("binary", "Does it fit?", desk.messages(text), [said])
            found = judge_prompt.read_verdict("binary", reviewer.verdict_reply(messages[-1]["content"]))
            assert found is not None
            verdicts[not reviewer.problem_of(text, said)].append(found.verdict == "yes")
    right, wrong = verdicts[True], verdicts[False]
    assert min(len(right), len(wrong)) > 500
    assert abs(sum(right) / len(right) - reviewer.PASSES) < 0.04
    assert abs(1 - sum(wrong) / len(wrong) - reviewer.FINDS) < 0.05


def test_the_reviewer_finds_each_defect_and_labels_each_answer_once() -> None:
    (text, _), *_ = answered(1)
    good = json.dumps({"category": desk.category_of(customer_texts.classify(text)[1])})
    said = [good, '{"category": "nothing"}', f"[{good}]", good[:9], "I'm sorry, but I can't help with that request."]
    problems = ["", "wrong category", "wrapped in a list", "not JSON", "refused"]
    assert [reviewer.problem_of(text, one) for one in said] == problems
    queue = [row(number, text, one) for number, one in enumerate(said)]
    labels = list(reviewer.labels([*queue, queue[0] | {"is_second": True}], DAY))
    assert [label["failure_mode"] for label in labels] == [problem or None for problem in problems]
    assert [label["passed"] for label in labels] == [True, False, False, False, False]
    assert len({label["label_id"] for label in labels}) == 5
    assert {(label["annotator"], label["annotator_kind"]) for label in labels} == {("simulated-reviewer", "simulated")}
    assert {label["at"].date() for label in labels} == {date(2026, 3, 11)}


def row(number: int, text: str, answer: str) -> dict[str, Any]:
    """A row of the queue."""
    call = {"call_id": str(number), "messages_json": json.dumps(desk.messages(text)), "output_text": answer}
    known = dict.fromkeys(("route", "criterion", "criterion_version", "draw", "stratum", "judge"), "x")
    numbers = dict.fromkeys(("inclusion_probability", "stratum_size", "sample_size"), 1)
    own = {"subject": "interaction", "subject_id": str(number), "judge_verdict": True, "is_second": False}
    return known | numbers | own | {"item_json": item_json(call, context={})}
