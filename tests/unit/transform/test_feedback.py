"""What users say and do: planted signals are found, what is no signal is not, and each kind stays apart."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.transform.build import build
from flows.warehouse import query

DAY = date(2026, 3, 20)
NOON = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)
WORDS = tuple(
    f"{one}{other}"
    for one in ("re", "or", "par", "in", "de", "ac", "pass", "ad")
    for other in ("fund", "der", "cel", "voice", "livery", "count", "word")
)
ASKS = (
    "How do I change the {} of my {} when the {} is late",
    "Please tell me about {} and {} for a {}",
    "My {} does not work with the {} after the {} was done",
    "What does the {} cost with {} and without {}",
)
SESSIONS, PLANTED = 600, 100
SIGNALS = ("asked_again", "asked_otherwise", "abandoned")


def question(rng: random.Random) -> str:
    return rng.choice(ASKS).format(*rng.sample(WORDS, 3))


def otherwise(text: str, rng: random.Random) -> str:
    """The same question with a typo, without a word, or with a word of politeness."""
    place = rng.randrange(5, len(text) - 5)
    words = text.split()
    return rng.choice([
        text[:place] + rng.choice("abcdefghij") + text[place + 1 :],
        " ".join(words[:2] + words[3:]),
        f"{text}, please",
    ])  # fmt: skip


def calls_of(session: int, kind: str | None, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Three turns on different things a few minutes apart; the signal is planted on the second, or on the last."""
    asked = [question(rng) for _ in range(3)]
    if kind == "asked_again":
        asked[2] = f" {asked[1].upper()}  "
    if kind == "asked_otherwise":
        asked[2] = otherwise(asked[1], rng)
    for n, text in enumerate(asked):
        is_bad = kind == "abandoned" and n == 2
        yield {
            "call_id": f"{session}-{n}", "session_id": f"s{session}", "route": "r", "model_served": "m",
            "input_text": text, "output_text": "I'm sorry, but I can't help with that." if is_bad else "Here it is.",
            "started_at": NOON + timedelta(minutes=3 * n, seconds=session), "status": "success",
            "trace_id": f"t{session}-{n}",
        }  # fmt: skip


def planted() -> dict[int, str]:
    return {n: SIGNALS[n % 3] for n in range(PLANTED * 3)}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root: Path = tmp_path_factory.mktemp("feedback")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    lake, rng, kinds = Lake(config.lake), random.Random(7), planted()
    calls = [call for n in range(SESSIONS) for call in calls_of(n, kinds.get(n), rng)]
    alone = [call | {"call_id": f"x{n}", "session_id": None, "route": "q"} for n, call in enumerate(calls[:60])]
    tools = calls[0] | {"call_id": "0-0b", "output_text": None, "started_at": NOON - timedelta(seconds=1)}
    lake.write("interactions", DAY, from_rows([*calls, *alone, tools], "interactions"))
    for ago in range(1, 16):
        usual = [
            calls[3 * n] | {"call_id": f"before {ago}-{n}", "started_at": NOON - timedelta(days=ago)}
            for n in range(1, 120)
        ]
        early = [calls[0] | {"call_id": "early", "session_id": None, "started_at": NOON - timedelta(days=2)}]
        lake.write("interactions", DAY - timedelta(days=ago), from_rows(usual + early * (ago == 2), "interactions"))
        thumbs = [
            {"call_id": call["call_id"], "kind": "thumb", "value": "1" if n % 15 else "-1", "origin": "explicit",
             "at": call["started_at"]}
            for n, call in enumerate(usual)
        ]  # fmt: skip
        lake.write("feedback", DAY - timedelta(days=ago), from_rows(thumbs, "feedback"))

    def said(call_id: str, kind: str, value: str | None, origin: str, **more: Any) -> dict[str, Any]:
        return {"call_id": call_id, "kind": kind, "value": value, "origin": origin, "at": NOON} | more

    signals = [
        *(said(f"{n}-1", "thumb", "-1" if n % 3 < 2 and n % 2 else "1", "explicit") for n in range(240)),
        *(said(f"{n}-1", "thumb", "-1" if n % 20 == 0 else "1", "explicit") for n in range(300, 500)),
        *(said(f"{n}-0", "copied", "1", "implicit") for n in range(0, SESSIONS, 4)),
        said("5-0", "edited", None, "implicit", edited_output="Here it was."),
        said("6-0", "stars", "5", "explicit"), said("7-0", "stars", "3", "explicit"),
        said("8-0", "quality", "bad", "explicit"), said("9-0", "toxicity", "0", "implicit"),
        said("early", "thumb", "-1", "explicit"), said("nobody", "thumb", "-1", "explicit"),
    ]  # fmt: skip
    lake.write("feedback", DAY, from_rows(signals, "feedback"))
    build(config, DAY, DAY)
    return config


def found(config: Config, signal: str) -> dict[str, bool | None]:
    rows = query(
        config.warehouse, f"select subject_id, {signal} as it from intermediate.int_call_signals where day = ?", [DAY]
    )
    return {row["subject_id"]: row["it"] for row in rows}


@pytest.mark.long
@pytest.mark.parametrize("signal", SIGNALS)
def test_planted_signals_are_found_and_others_are_not(config: Config, signal: str) -> None:
    there = {f"{n}-{2 if kind == 'abandoned' else 1}" for n, kind in planted().items() if kind == signal}
    shown = {call for call, is_on in found(config, signal).items() if is_on}
    others = SESSIONS * 3 - len(there)
    assert len(shown & there) >= 0.95 * len(there)
    assert len(shown - there) <= 0.02 * others


@pytest.mark.long
def test_without_a_session_nothing_is_derived(config: Config) -> None:
    rows = query(
        config.warehouse, "select * from marts.fct_feedback_daily where route = 'q' or (day = ? and route = 'r')", [DAY]
    )
    assert {(row["route"], row["topic_id"]) for row in rows} == {("r", "*")}
    assert found(config, "asked_again")["early"] is None
    assert "0-0b" not in {call for call, it in found(config, "asked_again").items() if it is not None}  # one turn


@pytest.mark.long
def test_each_kind_of_signal_is_counted_apart(config: Config) -> None:
    (row,) = query(config.warehouse, "select * from marts.fct_feedback_daily where day = ? and topic_id = '*'", [DAY])
    assert (row["of_negative_feedback"], row["n_negative_feedback"]) == (240 + 200 + 2 + 1, 80 + 10 + 1 + 1)
    assert (row["n_answer_copied"], row["of_answer_copied"]) == (SESSIONS / 4, SESSIONS * 3 + 1)
    assert row["answer_copied_low"] < row["answer_copied_rate"] < row["answer_copied_high"]
    assert (row["n_answer_edited"], row["edit_likeness"]) == (1, pytest.approx(1 - 2 / 12))
    assert (row["of_answer_accepted"], row["n_answer_accepted"], row["answer_accepted_rate"]) == (0, None, None)


@pytest.mark.long
def test_a_signal_is_shown_with_what_it_is_worth_here(config: Config) -> None:
    rows = query(config.warehouse, "select * from marts.fct_feedback_lift where day = ?", [DAY])
    lifts = {row["feature"]: row for row in rows}
    again = lifts["asked_again"]
    assert (again["n_with"], again["rate_with"]) == (80, 0.5)
    assert again["ci_low"] > 0
    assert again["ci_low"] < again["lift"] < again["ci_high"]
    assert lifts["answer_edited"]["n_with"] == 0
    assert lifts["answer_edited"]["lift"] is None


@pytest.mark.long
def test_what_users_say_and_do_more_of_is_a_breach_that_reads_well(config: Config) -> None:
    rows = query(
        config.warehouse, "select subject, summary from marts.fct_breaches where kind = 'drift' and day = ?", [DAY]
    )
    said = {row["subject"]: row["summary"] for row in rows}
    words = {
        "negative_feedback": "calls with negative feedback among rated ones rose from ",
        "asked_again": "calls that are asked again in the same words rose from 0.0 %",
        "asked_otherwise": "calls that are asked again in other words rose from 0.0 %",
    }
    for feature, start in words.items():
        assert said[f"r/pair/{feature}"].startswith(f"On route r, {start}")
    rows = query(config.warehouse, "select evidence_json as found from marts.fct_incidents where day = ?", [DAY])
    assert any("calls that are asked again in other words rose from 0 %" in row["found"] for row in rows)
