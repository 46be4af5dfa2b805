"""Criteria are suggested from labels, notes and the prompt, and measured where there are enough labels."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.errors import ConfigError
from flows.evaluate.criteria import Response, criterion_of, score, scorers
from flows.evaluate.examples import Example
from flows.evaluate.setup import read_setup
from flows.evaluate.suggest import labelled_answers as labelled_answers_of
from flows.evaluate.suggest import read_suggestions, reject, suggest_criteria, suggest_for_mode, suggestions
from flows.evaluate.suggest.criterion_candidates import CandidateFamily, always, name_of, never, text_families
from flows.evaluate.suggest.failure_modes import modes_of
from flows.evaluate.suggest.labelled_answers import LabelledAnswer, labelled_answers
from flows.evaluate.suggest.measuring import verdicts_of_code
from flows.evaluate.suggest.prompt_rules import prompt_families
from flows.lake.lake import Lake, from_rows
from flows.llm.client import FakeClient
from tests.unit.evaluate.labelling import CRITERIA, DAY, HOSTILE, PROMPT, label, land, workspace

JUDGE = "  judge: {model: openai/judge}\n"


def suggested(folder: Path, n: int = 150, share_bad: float = 0.4) -> list[dict[str, Any]]:
    config = workspace(folder)
    land(config, n, share_bad)
    return list(suggest_criteria(read_setup(config), DAY).rows)


def test_rules_of_the_prompt_and_words_of_bad_answers_are_chosen_and_measured(tmp_path: Path) -> None:
    rows = suggested(tmp_path)
    chosen = [json.loads(row["definition_json"]) for row in rows if row["is_chosen"]]
    assert {"kind": "regex", "pattern": never("Acme")} in [
        {key: one[key] for key in ("kind", "pattern")} for one in chosen if one["kind"] == "regex"
    ]
    assert any(one.get("max_words") for one in chosen)
    assert all(row["is_measured"] for row in rows if row["kind"] != "judge")
    first = rows[0]
    assert first["set_coverage"] > 0.8
    assert first["set_false_failure_rate"] <= first["set_false_failure_high"]
    assert first["set_false_failure_rate"] < 0.1
    assert first["n_labels"] == 150
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert len({row["criterion"] for row in rows}) == len(rows)


def test_every_suggestion_is_a_valid_criterion_whatever_the_notes_say(tmp_path: Path) -> None:
    rows = suggested(tmp_path)
    for row in rows:
        definition = json.loads(row["definition_json"])
        criterion_of(definition)
        assert definition["kind"] in {"regex", "length", "judge", "json_valid", "json_schema"}
        assert definition["name"].isascii()
    assert read_suggestions(Lake(tmp_path / "lake")) == sorted(
        Lake(tmp_path / "lake").read("criterion_suggestions", DAY).to_pylist(), key=lambda row: row["rank"]
    )


@pytest.mark.parametrize(("n", "share_bad"), [(40, 0.5), (150, 0.03)])
def test_with_too_few_labels_or_failures_nothing_is_measured(tmp_path: Path, n: int, share_bad: float) -> None:
    rows = suggested(tmp_path, n, share_bad)
    assert rows
    assert not any(row["is_measured"] or row["is_chosen"] for row in rows)
    assert {row["coverage"] for row in rows} == {None}


def test_without_labels_nothing_is_suggested(tmp_path: Path) -> None:
    assert suggest_criteria(read_setup(workspace(tmp_path)), DAY).rows == ()


def test_what_somebody_suggests_while_a_night_suggests_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = workspace(tmp_path)
    land(config)
    rows_of_route, found = suggestions._rows_of_route, list[dict[str, Any]]()

    def meanwhile(*given: Any, **more: Any) -> list[dict[str, Any]]:
        rows = rows_of_route(*given, **more)
        if not found:
            found.append(suggest_for_mode(config, "r", "competitor", DAY) | {"suggestion_id": "of a person"})
            Lake(config.lake).write("criterion_suggestions", DAY, from_rows(found, "criterion_suggestions"))
        return rows

    monkeypatch.setattr(suggestions, "_rows_of_route", meanwhile)
    night = {row["suggestion_id"] for row in suggest_criteria(read_setup(config), DAY).rows}
    assert {"of a person"} < night
    assert {row["suggestion_id"] for row in read_suggestions(Lake(config.lake))} == night


def test_what_was_rejected_is_not_suggested_again(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    land(config)
    first = suggest_criteria(read_setup(config), DAY).rows[0]
    assert "is not suggested again" in reject(config, first["suggestion_id"], "ada")
    again = suggest_criteria(read_setup(config), DAY).rows
    assert first["suggestion_id"] not in {
        row["suggestion_id"] for row in [*again, *read_suggestions(Lake(config.lake))]
    }


def test_a_criterion_that_the_route_has_is_not_suggested(tmp_path: Path) -> None:
    config = workspace(tmp_path, CRITERIA + "- {name: brief, kind: length, max_words: 60}\n")
    land(config)
    definitions = [json.loads(row["definition_json"]) for row in suggest_criteria(read_setup(config), DAY).rows]
    assert not [one for one in definitions if one.get("max_words") == 60]


class Judge(FakeClient):
    """Finds the fault that it is asked about in answers that name Acme or do not greet."""

    async def ask(self, messages, params):
        judged = messages[-1]["content"].rpartition('"answer": ')[2]
        word = "yes" if "Acme" in judged or "Bye" in judged else "no"
        self.queue.append(json.dumps({"reason": "so", "verdict": word}))
        return await super().ask(messages, params)


def test_a_judges_question_is_measured_where_a_judge_may_be_asked(tmp_path: Path) -> None:
    config = workspace(tmp_path, judge=JUDGE)
    land(config)
    silent = suggest_criteria(read_setup(config), DAY).rows
    assert {row["is_measured"] for row in silent if row["kind"] == "judge"} == {False}
    judge = Judge()
    rows = suggest_criteria(read_setup(config), DAY, lambda _: judge, ask=True).rows
    measured = [row for row in rows if row["kind"] == "judge" and row["is_measured"]]
    assert len(measured) == 1  # of several questions with the same verdicts the first is kept
    assert measured[0]["false_failure_rate"] == 0
    assert 0.3 < measured[0]["coverage"] < 0.7
    night = suggest_criteria(read_setup(config), DAY + timedelta(days=1)).rows
    assert [row for row in night if row["kind"] == "judge"] == [
        row for row in read_suggestions(Lake(config.lake)) if row["kind"] == "judge"
    ]
    assert sum(row["is_measured"] for row in night if row["kind"] == "judge") == 1  # what was paid for stays


def test_typed_modes_are_one_in_any_case_and_notes_are_clustered(tmp_path: Path) -> None:
    def bad(n: int, mode: str = "", note: str = "") -> LabelledAnswer:
        return LabelledAnswer(f"c{n}", "x", True, 1.0, (mode,) if mode else (), (note,) if note else ())

    answers = [
        bad(0, "Too Long"), bad(1, "too long"), bad(2, "too long"),
        *(bad(10 + n, note=f"invented an order number {n}") for n in range(4)),
        *(bad(20 + n, note=f"rude tone towards customer {n}") for n in range(3)),
        bad(30, note="..."),
    ]  # fmt: skip
    modes = modes_of(answers)
    assert modes["too long"] == {"c0", "c1", "c2"}
    assert sorted(len(ids) for ids in modes.values()) == [3, 3, 4]


def test_the_rules_of_a_prompt_are_found_and_vague_ones_are_not() -> None:
    found = [family.variants[0].definition for family in prompt_families(PROMPT, has_schema=False)]
    assert found == [
        {"kind": "length", "max_words": 60},
        {"kind": "regex", "pattern": never("Acme")},
        {"kind": "regex", "pattern": never("synergy")},
        {"kind": "regex", "pattern": always("Kind regards")},
    ]
    assert list(prompt_families("Be kind. Never mention any of this.", has_schema=False)) == []
    (json_only,) = prompt_families("Reply only in valid JSON.", has_schema=False)
    assert json_only.variants[0].definition == {"kind": "json_valid"}


@pytest.mark.parametrize("text", ["Acme", "a.b(c", "two  words", "it's"])
def test_a_pattern_of_what_must_not_be_said_is_of_whole_words(text: str) -> None:
    def passes(pattern: str, answer: str) -> bool | None:
        criterion = criterion_of({"name": "n", "kind": "regex", "pattern": pattern})
        return score(criterion, Example("", "", ()), Response(answer)).passed

    assert passes(never(text), "nothing\nof it") is True
    assert passes(never(text), f"so\n{text.upper()}, yes") is False
    assert passes(never(text), f"x{text}x") is True
    assert passes(always(text), f"so {text}.") is True


def test_a_candidate_that_forbids_words_is_measured_by_a_plain_search(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["so\nACME  inc, yes", "acmes inc", "Acme", "", "I am sorry, but I can't help", "as an AI model, acme\ninc"]
    answers = [LabelledAnswer(f"c{n}", text, True, 1.0) for n, text in enumerate(texts)]
    families = [*prompt_families('Never mention "Acme inc".', has_schema=False), *text_families(answers, {})]
    families = [one for one in families if one.variants[0].definition.get("pattern", "").startswith("(?is)")]
    assert len(families) == 3

    def passed(one: CandidateFamily, text: str) -> bool | None:
        criterion = criterion_of({"name": "n", **one.variants[0].definition})
        return score(criterion, Example("", "", ()), Response(text)).passed

    expected = [[passed(one, text) is False for text in texts] for one in families]
    searched: list[str] = []
    real = scorers.search
    monkeypatch.setattr(scorers, "search", lambda pattern, text: searched.append(pattern) or real(pattern, text))
    found = verdicts_of_code(families, answers, None)
    assert [flags[:, 0].tolist() for flags in found] == expected
    assert expected[0] == [True, False, False, True, False, True]  # an empty answer passes nothing
    assert not [pattern for pattern in searched if "(?!.*" in pattern]


def test_suggestions_stay_until_labels_criteria_or_decisions_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, lake = workspace(tmp_path), Lake(tmp_path / "lake")
    land(config, 30, 0.4)
    nights = iter(DAY + timedelta(days=n) for n in range(1, 9))
    made: list[str] = []
    real = suggestions.labelled_answers
    monkeypatch.setattr(suggestions, "labelled_answers", lambda *given: made.append(given[1]) or real(*given))

    def is_made() -> bool:
        made.clear()
        rows = suggest_criteria(read_setup(config), next(nights)).rows
        assert (
            {row["suggestion_id"] for row in rows} == {row["suggestion_id"] for row in read_suggestions(lake)} != set()
        )
        return bool(made)

    assert [is_made(), is_made()] == [True, False]
    assert lake.days("criterion_suggestions") == [DAY + timedelta(days=1)]
    lake.write("annotations", DAY + timedelta(days=1), from_rows([label(40, None)], "annotations"))
    assert [is_made(), is_made()] == [True, False]
    reject(config, read_suggestions(lake)[0]["suggestion_id"], "ada")
    assert [is_made(), is_made()] == [True, False]
    (tmp_path / "c.yaml").write_text(CRITERIA.replace("900", "800"))
    assert [is_made(), is_made()] == [True, False]


def test_the_newest_labels_count_and_few_days_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, lake = workspace(tmp_path), Lake(tmp_path / "lake")
    land(config, 40, 0.4)
    labels = [label(k, "rare" if k == 2 else None) for k in range(40)]
    lake.write("annotations", DAY, from_rows(labels, "annotations"))
    monkeypatch.setattr(labelled_answers_of, "MOST", 10)
    newest = {f"c{k}" for k in range(30, 40)}
    assert {one.call_id for one in labelled_answers(lake, "r")} == newest
    assert {one.call_id for one in labelled_answers(lake, "r", first="rare")} == {"c2", *newest} - {"c30"}
    for n in range(1, 100):
        lake.write("interactions", DAY - timedelta(days=n), from_rows([{"call_id": f"x{n}"}], "interactions"))
    lake.write("annotations", DAY, from_rows([label(77, None)], "annotations"))
    searched: list[date] = []
    real = labelled_answers_of.rows_with
    monkeypatch.setattr(
        labelled_answers_of, "rows_with", lambda *given, **named: searched.append(given[2]) or real(*given, **named)
    )
    assert labelled_answers(lake, "r") == []
    assert searched == [DAY - timedelta(days=n) for n in range(30)]


def test_a_label_that_was_taken_back_or_replaced_does_not_count(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    land(config, 3, 0.0)
    rows = [
        label(0, "wrong"), label(1, "wrong"), label(2, "wrong", inclusion_probability=None),
        {"label_id": "back", "retracts": "l1"}, label(0, None, label_id="later", at=label(59, None)["at"]),
    ]  # fmt: skip
    Lake(config.lake).write("annotations", DAY, from_rows(rows, "annotations"))
    found = labelled_answers(Lake(config.lake), "r")
    assert [(one.call_id, one.is_bad, one.weight) for one in found] == [("c0", False, 2.0), ("c2", True, 2.0)]


def test_names_are_plain_and_never_taken_twice() -> None:
    assert name_of(HOSTILE, set()).isascii()
    assert name_of("no Acme", {"no_acme"}) == "no_acme_2"
    assert name_of("不", set()) == "suggested"


def test_an_unknown_route_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no route 'x'; `routes` has r"):
        suggest_criteria(read_setup(workspace(tmp_path)), DAY, routes=["x"])
