"""The texts behind the page: calls of the night and from before, regressed examples, and rejected records."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.report.evidence import examples_of, read_texts
from flows.report.facts import read_facts
from flows.report.page import Links, render
from tests.unit.report import synthetic
from tests.unit.report.synthetic import DAY

BEFORE = DAY - timedelta(days=5)  # the incident began two days before DAY


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Config:
    config = synthetic.night(tmp_path_factory.mktemp("evidence"))
    samples = [
        (BEFORE, "output", "usual", True, 2),
        (BEFORE, "output", "odd", False, 1),
        (BEFORE, "output", "as-usual-of-another-kind", True, 1),
        (BEFORE - timedelta(days=60), "output", "too-old", True, 1),
        (DAY, "output", "after-it-began", True, 1),
        (DAY, "input", "other-side", True, 1),
    ]
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute(
            "create table marts.fct_text_samples (day date, route text, side text, subject_id text,"
            " json_is_object boolean, sample_place bigint)"
        )
        for day, side, subject_id, is_object, place in samples:
            row = [day, "triage", side, subject_id, is_object, place]
            connection.execute("insert into marts.fct_text_samples values (?, ?, ?, ?, ?, ?)", row)
    usual = {"call_id": "usual", "route": "triage", "input_text": "And parcel 4?", "output_text": "It is in Linz.",
             "error_message": "x" * 100_000}  # fmt: skip
    other = usual | {"call_id": "as-usual-of-another-kind", "input_text": "Thanks!", "output_text": "You are welcome."}
    lake = Lake(config.lake)
    lake.write("interactions", BEFORE, from_rows([usual, other], "interactions"))
    _write_flips(config, lake)
    rejected = [
        {"source": "gateway", "file": "logs/a.jsonl", "line": line, "reason": "no JSON", "raw": raw}
        for line, raw in ((9, "the later one"), (4, f"{synthetic.HOSTILE}{'x' * 5000}"))
    ]
    lake.write("quarantine", DAY, from_rows(rejected, "quarantine"))
    return config


def _write_flips(config: Config, lake: Lake) -> None:
    """One example that a candidate answers worse than the pinned model."""
    example = {"set": "holdout", "route": "triage", "example_id": "e1", "input_text": "Is parcel 9 lost?"}
    lake.write("examples", DAY, from_rows([example], "examples"))
    flip = {
        "day": DAY, "run_id": f"nightly-{DAY}", "model": "sim/small", "arm": "candidate", "route": "triage",
        "criterion": "correct", "example_id": "e1", "passes": 0, "repeats": 3, "state": "fail", "flip": "regressed",
        "answer": "It is surely lost.", "failing_reason": "expected 'found'", "pinned_answer": "It is surely found.",
    }  # fmt: skip
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.register("found", pa.Table.from_pylist([flip]))
        connection.execute("insert into marts.fct_example_flips by name select * from found")


def test_an_incident_has_the_texts_of_its_calls_and_a_typical_call_from_before_it_began(night: Config) -> None:
    facts = read_facts(night, DAY)
    assert set(facts.texts) == {"call-0017", synthetic.HOSTILE_CALL}
    assert facts.texts["call-0017"].output_text == "Sure! It is in Graz."
    typical = facts.typical["drift triage/output/json_is_object"]
    assert (typical.call_id, typical.day, typical.output_text) == ("usual", BEFORE, "It is in Linz.")
    assert (
        len(typical.error_message or "") == 2000
    )  # a night reads many texts, of any length, and shows a little of each
    assert list(facts.typical) == ["drift triage/output/json_is_object"]


def test_a_typical_call_is_from_before_the_nights_over_which_a_change_was_seen(night: Config) -> None:
    facts = read_facts(night, DAY)
    seen = [replace(breach, evidence={**breach.evidence, "window_nights": 7}) for breach in facts.breaches]
    assert read_texts(night, night.open_lake(), DAY, facts.incidents, seen) == (facts.texts, {})


def test_where_no_feature_of_texts_moved_any_call_from_before_with_a_like_question_is_shown(night: Config) -> None:
    renamed = "alter table marts.fct_text_samples rename column {} to {}"
    with duckdb.connect(str(night.warehouse)) as connection:
        connection.execute(renamed.format("json_is_object", "another"))
    facts = read_facts(night, DAY)
    with duckdb.connect(str(night.warehouse)) as connection:
        connection.execute(renamed.format("another", "json_is_object"))
    typical = facts.typical["drift triage/output/json_is_object"]
    assert (typical.call_id, typical.day) == ("usual", BEFORE)


def test_the_page_shows_them_escaped_and_cut(night: Config) -> None:
    html = render(read_facts(night, DAY), Links())
    begin = html.index('id="incident-1"')
    card = html[begin : html.index('id="incident-', begin + 1)]
    assert card.index("It is in Linz.") < card.index("<mark>Sure!</mark> It is in <mark>Graz</mark>.")
    assert "Before, typical: 9 May <code>usual</code>" in card
    assert "This night <code>call-0017</code>" in card
    assert "not shown" not in html
    assert synthetic.HOSTILE not in html
    assert len(card) < 30_000  # an output of 5,600 characters is cut


def test_a_candidate_that_is_worse_has_the_examples_with_their_questions(night: Config) -> None:
    html = render(read_facts(night, DAY), Links())
    card = html[html.index("The candidate sim/small is worse on triage") :]
    card = card[: card.index("</article>")]
    assert card.index("Is parcel 9 lost?") < card.index("It is surely found.") < card.index("<mark>lost</mark>")
    switch = html[html.index('id="switch"') :]
    assert "1 example regressed" in switch
    assert "Is parcel 9 lost?" in switch


def test_each_reason_for_quarantine_has_its_first_record(night: Config) -> None:
    facts = read_facts(night, DAY)
    assert [(found.reason, found.n, found.file, found.line) for found in facts.quarantined] == [
        ("no JSON", 2, "logs/a.jsonl", 4)
    ]
    assert (facts.quarantined[0].text or "").startswith(synthetic.HOSTILE)
    html = render(facts, Links())
    landed = html[html.index('id="landed"') :]
    assert "logs/a.jsonl, line 4" in landed
    assert len(landed) < 10_000  # a record of 5,000 characters is cut
    assert synthetic.HOSTILE not in html


def test_with_evidence_ids_no_text_is_read_or_shown(night: Config) -> None:
    facts = read_facts(night.model_copy(update={"evidence": "ids"}), DAY)
    assert (facts.texts, facts.typical) == ({}, {})
    html = render(facts, Links())
    assert "Example calls: <code>call-0017</code>" in html
    assert "Sure!" not in html
    assert "Where is parcel 17?" not in html
    assert "parcel 9" not in html
    assert "surely" not in html
    assert "1 example regressed" in html
    assert "logs/a.jsonl, line 4" in html
    assert "xxxx" not in html


def test_a_call_whose_text_retention_has_removed_is_left_out(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    synthetic.write_warehouse(
        config.warehouse, {name: synthetic.marts()[name] for name in ("fct_breaches", "fct_incidents")}
    )
    assert read_facts(config, DAY).texts == {}


def test_of_calls_that_ask_the_same_one_is_shown_unless_there_are_no_others(night: Config) -> None:
    facts = read_facts(night, DAY)
    (incident, *_), call = facts.incidents, facts.texts["call-0017"]
    asked = {
        "a": "Can't log in",
        "b": "can t  log in!",
        "c": "Can't log in",
        "d": "Where is it?",
        "e": None,
        "f": "And?",
    }
    texts = {name: replace(call, call_id=name, input_text=text) for name, text in asked.items()}
    shown = examples_of(replace(incident, calls=tuple(asked)), texts)
    assert [one.call_id for one in shown] == ["a", "d", "e"]
    assert [one.call_id for one in examples_of(replace(incident, calls=tuple("abcd")), texts)] == ["a", "b", "d"]
    assert [one.call_id for one in examples_of(replace(incident, calls=("gone", "c")), texts)] == ["c"]
