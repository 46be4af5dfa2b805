"""The page: what it says, what it links, and that nothing in it comes alive."""

import re
from pathlib import Path

import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.report.facts import read_facts
from flows.report.page import ReportResult, lay_out, write_report
from flows.report.tables import usage_rows
from tests.unit.report import incidents, people, synthetic, topics


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return synthetic.night(tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="module")
def result(night: Config) -> ReportResult:
    return write_report(night, synthetic.DAY)


@pytest.fixture(scope="module")
def html(result: ReportResult) -> str:
    return result.path.read_text()


def test_the_page_says_the_verdict_first_and_every_incident_after_it(result: ReportResult, html: str) -> None:
    assert result.status == "critical"
    assert result.headline.startswith("Broken: Another model seems to answer as gpt-4-0613: 39 % of its outputs")
    assert result.headline.endswith("Not reliable: the rest waits, 2 incidents and 1 failed check.")
    assert result.path.parts[-3:] == ("reports", "2024-05-14", "index.html")
    assert html.index("Broken") < html.index("Incidents") < html.index("Can a candidate replace the pinned model?")
    for breach in synthetic.breaches():
        assert breach["subject"] in html
    assert "More calls: <code>call-0203</code></p>" in html  # of the others the texts are known
    assert html.count("night 3, since 12 May") == 2  # in the verdict and on the card
    assert "Worse on triage/correct." in html
    assert "sim/small" in html
    assert "not scored" in html
    assert "7 quarantined" in html
    assert "<p>2 files, 1,299 records" in html
    assert "3 records with a value that could not be read" in html
    assert "1 file or folder could not be read.</b> logs/&lt;c&gt;.jsonl: no &lt;right&gt;</p>" in html
    assert "0.54% of 1,299 records" in html


def test_incidents_come_worst_first_then_what_is_over_then_what_is_information(html: str) -> None:
    section = html[html.index('id="incidents"') : html.index('id="topics"')]
    titles = re.findall(r"<h3>(.*?)</h3>", section)
    assert [title[:8] for title in titles] == ["Another ", "The crit", "Users as", "The cand"]
    over, info = section.index("Calls of reply took 3.1 s"), section.index("The candidate sim/small is worse")
    assert section.index(titles[2]) < over < section.index("3 notes: candidates") < info
    assert '<span class="tag">recovered</span> Calls of reply took 3.1 s instead of 0.7 s' in section
    assert '<span class="tag">settled</span> Half of the inputs of reply are German' in section
    assert "factual consistency" in section
    assert "<article" not in section[over : section.index("3 notes")]


def test_what_moved_is_a_table_whose_rows_open_the_history_of_their_series(html: str) -> None:
    begin = html.index('id="incident-1"')
    card = html[begin : html.index('id="incident-', begin + 1)]
    rows = re.findall(r'class="series">(.*?)</span>\s*</?(?:summary|p)>', card, re.DOTALL)
    assert len(rows) == 3
    assert "98.5% <span" in rows[0]
    assert "61.1%</span>" in rows[0]
    assert "outputs 42 % longer" in rows[1]
    assert "candidate worse than the pinned model <span" in html  # of what is no series, its kind
    assert '85.0% <span class="soft">→</span> 75.6%' in html
    assert '0.1% <span class="soft">→</span> 4.0%</span><span class="says">40 times more' in html
    drawn = card[card.index('class="moved"') : card.index("Causes that were tried")]
    assert drawn.count("<svg") == 2  # of the third there is no series
    assert "model under name gpt-4-0613: explains 97.0% of all that moved" in card


def test_each_card_says_what_to_do_next_and_a_name_in_it_is_text(html: str) -> None:
    assert html.count("<b>Next:</b>") == 4
    assert "Run <code>genchi evaluate</code> to see" in html


def test_hostile_text_stays_text(html: str) -> None:
    assert synthetic.HOSTILE not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") > 2
    assert "<script" not in html
    assert synthetic.HOSTILE_CALL not in html
    assert "&lt;/title&gt;&lt;/svg&gt;&lt;script&gt;alert(&#39;points&#39;)" in html[html.index('id="topics"') :]


def test_the_topics_that_moved_come_first_and_what_is_many_is_folded(html: str) -> None:
    section = html[html.index('id="topics"') : html.index('id="switch"')]
    assert section.index("<h3>triage</h3>") < section.index("<h3>reply</h3>")  # the busier one first
    labels = re.findall(r'<th scope="row">(.*?)</th>', section[: section.index("<h3>reply</h3>")])
    assert [label[:8] for label in labels[:4]] == ["label 13", "&lt;/tit", "fax", "label 01"]
    assert (len(labels), labels[-1], labels.index("label 09")) == (15, "label 12", 11)
    assert "<summary>3 more topics</summary>" in section
    assert section.count('<span class="word same">') == 3
    assert '0.1% <span class="soft">→</span> 4.0%' in section
    assert (
        '<p class="warn">34.0% of inputs belong to topics that the holdout does not cover; '
        "the holdout is 29 days old.</p>" in section
    )
    assert '<p class="muted">3.1% of inputs belong' in section


def test_topics_and_calls_by_day_are_drawn_and_what_has_no_days_is_not(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    named = {"route": "triage", "side": "input"}
    rows = synthetic.marts()
    rows["fct_breaches"] = [
        synthetic.breach("topic", "a", "warning", "It grew.", 3, {**named, "feature": "topic:9f0e-13"}),
        synthetic.breach("volume", "b", "warning", "It fell.", 1, {**named, "feature": "calls", "n_current": 800}),
        synthetic.breach("topic", "c", "warning", "It came.", 1, {**named, "feature": "topic:7a1c-15"}),
        synthetic.breach("new_topic", "d", "warning", "It came.", 1, {**named, "feature": "new_topic"}),
        synthetic.breach("two_sample", "e", "warning", "It moved.", 1, {**named, "feature": "two_sample"}),
    ]
    rows["fct_breaches"] = [{**row, "incident_id": row["subject"]} for row in rows["fct_breaches"]]
    rows["fct_incidents"] = [
        incidents.incident(synthetic.DAY, row["subject"], "warning", "It moved") for row in rows["fct_breaches"]
    ]
    synthetic.write_warehouse(config.warehouse, rows)
    html = write_report(config, synthetic.DAY).path.read_text()
    assert html.count("<article") == 5
    drawn = re.findall(r'<figure class="drawn">\s*<svg[^>]*><title>(.*?)</title>', html)
    assert drawn == ["a, share by day", "b, calls by day"]
    assert html.count('class="mark"') == 1 + 3


def test_without_the_topics_mart_there_is_no_section_and_without_topics_it_says_so(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    rows = synthetic.marts()
    del rows["fct_topic_drift_daily"]
    synthetic.write_warehouse(config.warehouse, rows)
    html = write_report(config, synthetic.DAY).path.read_text()
    assert "What people ask about" not in html
    assert "not on this page: fct_topic_drift_daily." in html
    config = synthetic.config(tmp_path / "none")
    rows |= {
        "fct_topic_drift_daily": [],
        "fct_holdout_freshness": [topics.freshness(synthetic.DAY, "triage", None, False)],
    }
    synthetic.write_warehouse(config.warehouse, rows)
    html = write_report(config, synthetic.DAY).path.read_text()
    assert "Not known: no topic was found in the calls of this day." in html
    assert "inputs belong" not in html


def test_the_same_marts_give_the_same_page(night: Config, html: str) -> None:
    assert write_report(night, synthetic.DAY).path.read_text() == html


def test_the_page_asks_for_nothing_outside_itself(html: str) -> None:
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?!#|data_docs/|evidently\.html|\.\./index\.html)", html)


def test_a_page_that_was_not_made_is_not_linked(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    html = write_report(config, synthetic.DAY).path.read_text()
    assert 'href="evidently.html"' not in html
    assert "No distributions by Evidently: no features in the warehouse." in html
    assert 'href="data_docs/index.html"' not in html
    docs = config.reports / "2024-05-14" / "data_docs" / "index.html"
    docs.parent.mkdir()
    docs.write_text("docs")
    assert 'href="data_docs/index.html"' in write_report(config, synthetic.DAY).path.read_text()


def test_without_a_warehouse_the_page_says_that_it_knows_nothing(tmp_path: Path) -> None:
    result = write_report(synthetic.config(tmp_path), synthetic.DAY)
    html = result.path.read_text()
    assert result.status == "unknown"
    assert result.headline == "Cannot tell: No calls were logged, and no model was evaluated."
    assert "Not known: the incidents of the night were not built." in html
    assert "Not known: no model was evaluated on this day." in html
    assert "No file was read for this day." in html
    assert "Incidents: <b>not known</b>" in html
    assert "<b>No</b> check ran" in html
    assert "fct_incidents" in html


def test_a_missing_mart_leaves_the_others_on_the_page(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    rows = synthetic.marts()
    del rows["fct_eval_scores"], rows["fct_model_comparisons"], rows["fct_slice_comparisons"]
    synthetic.write_warehouse(config.warehouse, rows)
    html = write_report(config, synthetic.DAY).path.read_text()
    assert "triage/output/json_is_object" in html
    assert "fct_eval_scores, fct_model_comparisons, fct_slice_comparisons" in html


def test_a_day_without_logs_says_so_though_other_days_have_them(night: Config) -> None:
    result = write_report(night, synthetic.DAY.replace(day=20))
    html = result.path.read_text()
    assert result.status == "unknown"
    assert "No calls were logged on this day." in html
    assert "Not known: no calls were logged on this day." in html


def test_what_compare_found_is_not_told_as_the_night(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    row = synthetic.comparison("sim/other", "triage", "correct", -0.5, 0.1, "worse")
    rows = {"fct_model_comparisons": [{**row, "run_id": "compare-0a1b"}]}
    synthetic.write_warehouse(config.warehouse, rows)
    assert "sim/other" not in write_report(config, synthetic.DAY).path.read_text()


def test_many_things_are_folded_after_the_twelfth(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    rows = [incidents.incident(synthetic.DAY, f"i-{n:02}", "warning", "It rose") for n in range(15)]
    synthetic.write_warehouse(config.warehouse, {"fct_breaches": [], "fct_incidents": rows})
    html = write_report(config, synthetic.DAY).path.read_text()
    assert "3 more incidents" in html
    assert html.count("<article") == 15


def test_an_older_drawing_is_taken_away_where_there_is_nothing_to_draw(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    stale = config.reports / "2024-05-14" / "evidently.html"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    write_report(config, synthetic.DAY)
    assert not stale.exists()
    assert [found.name for found in stale.parent.iterdir()] == ["index.html"]


def test_a_backfill_leaves_the_drawing_that_is_there_and_says_that_it_made_none(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    facts = read_facts(config, synthetic.DAY)
    assert "a backfill does not draw them" in lay_out(config, facts, draws=False).path.read_text()
    (config.reports / "2024-05-14" / "evidently.html").write_text("old")
    assert 'href="evidently.html"' in lay_out(config, facts, draws=False).path.read_text()


def test_evidently_draws_only_where_it_is_asked_to(tmp_path: Path) -> None:
    config = synthetic.night(tmp_path, with_features=True).model_copy(update={"evidently": False})
    html = write_report(config, synthetic.DAY).path.read_text()
    assert "No distributions by Evidently: they are drawn with `evidently: true` in genchi.yaml." in html
    assert [path.name for path in (config.reports / "2024-05-14").iterdir()] == ["index.html"]


def test_the_page_works_on_a_lake_that_was_only_just_made(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    Lake(config.lake).create()
    assert write_report(config, synthetic.DAY).status == "unknown"


def test_what_people_say_is_on_the_page_with_why_a_rate_is_not_known(tmp_path: Path) -> None:
    html = write_report(synthetic.night(tmp_path), synthetic.DAY).path.read_text()
    section = html.partition('<section id="people">')[2].partition("</section>")[0]
    assert "8.4% (6.1% to 11.3%)" in section
    assert "41 labels, 60 are needed" in section
    assert "9.8% (3.9% to 22.6%)" in section
    assert "81.0% (64.0% to 92.0%)" in section
    assert "sim/&lt;b&gt;judge&lt;/b&gt;" in section
    assert "reply/polite, 28 days: 8.4% (6.1% to 11.3%)" in section
    assert "reply/polite, 7 days: 9.8% (3.9% to 22.6%) by labels alone" in section
    assert "version v2" not in section  # there is no other
    assert "10 answers judged before were judged again, and 20.0% (5.7% to 51.0%) of the labels changed" in section


def test_a_judge_of_two_versions_of_a_criterion_has_their_names(tmp_path: Path) -> None:
    config, marts = synthetic.config(tmp_path), synthetic.marts()
    (judge,) = marts["fct_judge_alignment"]
    marts["fct_judge_alignment"] = [judge, judge | {"criterion_version": "v1"}]
    synthetic.write_warehouse(config.warehouse, marts)
    html = write_report(config, synthetic.DAY).path.read_text()
    assert [html.count(f"version {name}</span>") for name in ("v1", "v2")] == [1, 1]


def test_without_labels_there_is_no_section_about_people(tmp_path: Path) -> None:
    config = synthetic.config(tmp_path)
    rows = synthetic.marts() | {name: [] for name in people.TABLES}
    synthetic.write_warehouse(config.warehouse, rows)
    assert 'id="people"' not in write_report(config, synthetic.DAY).path.read_text()


def test_where_nobody_has_judged_one_line_says_how_to_begin(tmp_path: Path) -> None:
    config, marts = synthetic.config(tmp_path), synthetic.marts() | {name: [] for name in people.TABLES}
    (rate, *_) = people.rows(synthetic.DAY)["fct_label_rates"]
    marts["fct_label_rates"] = [rate | {"n_labels": 0, "failure_rate": None, "reason": "0 labels, 60 are needed"}]
    synthetic.write_warehouse(config.warehouse, marts)
    section = (
        write_report(config, synthetic.DAY).path.read_text().partition('id="people"')[2].partition("</section>")[0]
    )
    assert "No labels yet: <code>genchi review --day 2024-05-14</code>" in section
    assert "<table" not in section


def test_a_reason_without_a_rate_may_break_its_line(html: str) -> None:
    assert '<span class="soft">41 labels, 60 are needed</span>' in html
    assert ".num .soft { white-space: normal; }" in html
    assert re.search(r"max-width: 46rem.*\.forest \.num {[^}]*white-space: normal;", html, re.DOTALL)


@pytest.mark.parametrize(
    ("references", "words"),
    [
        (("trailing", "dev"), "the 28 days with calls before and the dev set."),
        (("trailing",), "the 28 days with calls before."),
        (("dev",), "the dev set."),
    ],
)
def test_a_night_without_incidents_says_what_it_was_compared_with(
    tmp_path: Path, references: tuple[str, ...], words: str
) -> None:
    config, marts = synthetic.config(tmp_path), synthetic.marts() | {"fct_incidents": []}
    skews = "fct_feature_skew_daily"
    marts[skews] = [row for row in marts[skews] if row["reference"] in references]
    synthetic.write_warehouse(config.warehouse, marts)
    assert f"None. 3 features compared with {words}" in write_report(config, synthetic.DAY).path.read_text()


def test_a_night_with_nothing_before_it_says_how_to_read_the_days_before(tmp_path: Path) -> None:
    config, marts = synthetic.config(tmp_path), {"fct_incidents": [], "fct_breaches": []}
    marts["fct_usage_daily"] = [row for row in synthetic.marts()["fct_usage_daily"] if row["day"] == synthetic.DAY]
    synthetic.write_warehouse(config.warehouse, marts)
    page = write_report(config, synthetic.DAY).path.read_text()
    assert "<code>genchi backfill --start 2024-04-16 --end 2024-05-13</code> reads the days before, if their" in page
    assert "<code>genchi nightly --day 2024-05-14</code> compares" in page


def test_a_night_that_was_compared_needs_no_backfill(html: str) -> None:
    assert "genchi backfill" not in html


def _json_cells(config: Config) -> dict[str, str]:
    rows = usage_rows(read_facts(config, synthetic.DAY))
    return {row.route: cell.text for row in rows for cell in row.cells if cell.name == "valid JSON"}


def test_a_route_of_which_nobody_asks_json_has_no_share_of_it(tmp_path: Path) -> None:
    night = synthetic.night(tmp_path)
    assert _json_cells(night) == {"triage": "61.0%", "reply": "\N{EN DASH}"}
    row = {"route": "reply", "criterion": "c", "criterion_version": "1", "definition_json": '{"kind": "json_valid"}'}
    Lake(night.lake).write("criteria", synthetic.DAYS[0], from_rows([row], "criteria"))
    assert _json_cells(night)["reply"] == "0.0%"


def test_a_short_past_is_told_beside_the_sentences_that_name_the_window(tmp_path: Path, html: str) -> None:
    config, marts = synthetic.config(tmp_path), synthetic.marts()
    marts["fct_usage_daily"] = [row for row in marts["fct_usage_daily"] if row["day"] > synthetic.DAYS[-6]]
    synthetic.write_warehouse(config.warehouse, marts)
    told = "Of the previous 28 days, 4 have calls: “previous 28 days” means only these."
    assert told in write_report(config, synthetic.DAY).path.read_text()
    assert "days, 28 have calls" not in html
