"""The texts behind the findings: the calls of the night, and a typical one from before."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.report.facts import read_facts
from flows.report.page import Links, render
from tests.unit.report import synthetic
from tests.unit.report.synthetic import DAY

BEFORE = DAY - timedelta(days=5)  # the finding began two days before DAY


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Config:
    config = synthetic.night(tmp_path_factory.mktemp("evidence"))
    samples = [
        (BEFORE, "output", "usual", True, 2),
        (BEFORE, "output", "odd", False, 1),
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
    usual = {"call_id": "usual", "route": "triage", "input_text": "And parcel 4?", "output_text": '{"place": "Linz"}'}
    Lake(config.lake).write("interactions", BEFORE, from_rows([usual], "interactions"))
    return config


def test_a_finding_has_the_texts_of_its_calls_and_a_typical_call_from_before_it_began(night: Config) -> None:
    facts = read_facts(night, DAY)
    assert set(facts.texts) == {"call-0017", synthetic.HOSTILE_CALL}
    assert facts.texts["call-0017"].output_text == "Sure! It is in Graz."
    typical = facts.typical["drift triage/output/json_is_object"]
    assert (typical.call_id, typical.day, typical.output_text) == ("usual", BEFORE, '{"place": "Linz"}')
    assert list(facts.typical) == ["drift triage/output/json_is_object"]


def test_the_page_shows_them_escaped_and_cut(night: Config) -> None:
    html = render(read_facts(night, DAY), Links())
    card = html[html.index('id="finding-1"') : html.index('id="finding-2"')]
    assert card.index("Sure! It is in Graz.") < card.index("{&#34;place&#34;: &#34;Linz&#34;}")
    assert "A typical call before, 9 May," in card
    assert "1 more example call" in card
    assert "not shown" not in html
    assert synthetic.HOSTILE not in html
    assert len(card) < 20_000  # an output of 5,600 characters is cut


def test_with_evidence_ids_no_text_is_read_or_shown(night: Config) -> None:
    facts = read_facts(night.model_copy(update={"evidence": "ids"}), DAY)
    assert (facts.texts, facts.typical) == ({}, {})
    html = render(facts, Links())
    assert "Example calls: <code>call-0017</code>" in html
    assert "Sure!" not in html


def test_a_call_whose_text_retention_has_removed_is_left_out(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    synthetic.write_warehouse(config.warehouse, {"fct_breaches": synthetic.breaches()})
    assert read_facts(config, DAY).texts == {}
