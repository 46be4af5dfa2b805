"""What the marts say of labels, each column compared with plain Python on the labels as they were made."""

from collections.abc import Sequence
from datetime import timedelta
from math import sqrt

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import beta, norm
from sklearn.metrics import cohen_kappa_score

from flows.config.load import Config
from flows.review.labels import import_labels
from flows.transform.build import REVIEW, build
from flows.warehouse import query
from tests.unit.transform.labelled_lake import DAYS, FOREIGN, JUDGE, LAST, SIZES, Row, Written, written

Z = float(norm.ppf(0.975))
# A stratum with fewer than 60 labels is one with the plain one of its verdict: in 7 days all, in 28 days some.
ALL = [["plain:fail", "incident:fail"], ["plain:pass", "incident:pass"]]
LARGE = [["plain:fail"], ["incident:fail"], ["plain:pass", "incident:pass"]]


@pytest.fixture(scope="module")
def lake() -> Written:
    return written()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, lake: Written) -> Config:
    root = tmp_path_factory.mktemp("labelled")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    lake.write(config.open_lake())
    table = root / "foreign.csv"
    rows = [f"{call},right,{'yes' if passed else 'no'},ann\n" for call, passed in FOREIGN.items()]
    table.write_text("call_id,criterion,passed,annotator\n" + "".join(rows), encoding="utf-8")
    with config.open_lake().lock("test"):
        assert import_labels(config, table).added == len(FOREIGN)
    build(config, LAST - timedelta(days=1), LAST, REVIEW)
    return config


def rate_of(config: Config, route: str, window_days: int) -> Row:
    sql = "select * from marts.fct_label_rates where day = ? and route = ? and window_days = ?"
    (row,) = query(config.warehouse, sql, [LAST, route, window_days])
    return row


def alignment_of(config: Config, route: str) -> Row:
    sql = """
        select * from marts.fct_judge_alignment where day = ? and route = ? and criterion_version = 'v2' and judge = ?
    """
    (row,) = query(config.warehouse, sql, [LAST, route, JUDGE])
    return row


def held_out(lake: Written) -> list[Row]:
    """The labels by which triage's judge is measured: those made before the judge's verdict was seen."""
    return [row for row in window(lake, "triage", 28) if row.get("blind", True)]


def mid_p(hits: float, n: float) -> tuple[float, float]:
    def above(proportion: float) -> float:
        more = beta.cdf(proportion, hits + 1, n - hits) if hits < n else 0.0
        return float(((beta.cdf(proportion, hits, n - hits + 1) if hits > 0 else 1.0) + more) / 2)

    low = brentq(lambda p: above(p) - 0.025, 0, 1) if hits > 0 else 0.0
    return low, brentq(lambda p: above(p) - 0.975, 0, 1) if hits < n else 1.0


def cells(labels: Sequence[Row], groups: Sequence[Sequence[str]]) -> list[tuple[float, float, float, bool]]:
    """Of each group of strata its share of calls, effective labels and failure rate, and whether the judge fails it."""
    found = []
    for names in groups:
        part = [(1 / row["inclusion_probability"], not row["passed"]) for row in labels if row["stratum"] in names]
        total, squares = sum(w for w, _ in part), sum(w * w for w, _ in part)
        rate = sum(w for w, is_failed in part if is_failed) / total
        share = sum(SIZES[name] for name in names) / sum(SIZES.values())
        found.append((share, total**2 / squares, rate, names[0].endswith("fail")))
    return found


def window(lake: Written, route: str, days: int) -> list[Row]:
    return [row for row in lake.counted[route] if row["queue_day"] > LAST - timedelta(days=days)]


@pytest.mark.parametrize(("days", "groups"), [(7, ALL), (28, LARGE)])
def test_a_windows_rate_is_that_of_its_strata_with_an_interval_from_their_mid_p_limits(
    config: Config, lake: Written, days: int, groups: list[list[str]]
) -> None:
    row, labels = rate_of(config, "triage", days), window(lake, "triage", days)
    assert (row["n_labels"], row["n_judged"]) == (len(labels), days * sum(SIZES.values()))
    assert (row["method"], row["criterion_version"], row["n_calibration"]) == ("stratified_mover", "v2", None)
    parts = cells(labels, groups)
    rate = sum(share * p for share, _, p, _ in parts)
    limits = [mid_p(p * n, n) for _, n, p, _ in parts]
    between = Z**2 * sum(share * (p - rate) ** 2 for share, _, p, _ in parts) / row["n_judged"]
    down = sum((share * (p - low)) ** 2 for (share, _, p, _), (low, _) in zip(parts, limits, strict=True))
    up = sum((share * (high - p)) ** 2 for (share, _, p, _), (_, high) in zip(parts, limits, strict=True))
    expected = (rate, rate - sqrt(down + between), rate + sqrt(up + between))
    assert (row["failure_rate"], row["ci_low"], row["ci_high"]) == pytest.approx(expected, abs=1e-7)
    assert row["reason"] is None


@pytest.mark.parametrize("days", [7, 28])
def test_beside_it_stand_the_labels_alone_by_their_probabilities(config: Config, lake: Written, days: int) -> None:
    row, labels = rate_of(config, "triage", days), window(lake, "triage", days)
    w = np.array([1 / label["inclusion_probability"] for label in labels])
    failed = np.array([not label["passed"] for label in labels])
    rate, n = (w * failed).sum() / w.sum(), w.sum() ** 2 / (w**2).sum()
    centre, half = (rate + Z**2 / 2 / n) / (1 + Z**2 / n), Z * sqrt(rate * (1 - rate) / n + Z**2 / 4 / n**2)
    expected = (rate, centre - half / (1 + Z**2 / n), centre + half / (1 + Z**2 / n))
    assert (row["of_labels_alone"], row["ci_low_alone"], row["ci_high_alone"]) == pytest.approx(expected)


def accuracy(labels: Sequence[Row]) -> dict[str, float]:
    """TPR and TNR, and the effective labels of each."""
    parts = cells(labels, LARGE)
    found = {}
    for name, of in (("tpr", lambda p: p), ("tnr", lambda p: 1 - p)):
        total = sum(share * of(p) for share, _, p, _ in parts)
        right = sum(share * of(p) for share, _, p, is_failed in parts if is_failed is (name == "tpr"))
        found[name] = right / total
        found[f"n_{name}"] = total**2 / sum(share**2 * of(p) / n for share, n, p, _ in parts)
    return found


def test_the_days_own_rate_corrects_its_verdicts_by_how_right_the_judge_was(config: Config, lake: Written) -> None:
    row, labels = rate_of(config, "triage", 1), held_out(lake)
    assert (row["n_labels"], row["n_judged"], row["n_calibration"]) == (0, 500, len(labels))
    assert (row["method"], row["of_labels_alone"], row["reason"]) == ("rogan_gladen", None, None)
    known = accuracy(labels)
    seen, n = 46 / 500, 500
    assert row["failure_rate"] == pytest.approx((seen + known["tnr"] - 1) / (known["tpr"] + known["tnr"] - 1))
    hit, miss = ((known[f"n_{x}"] * known[x] + 1) / (known[f"n_{x}"] + 2) for x in ("tpr", "tnr"))
    p, noise = (n * seen + Z**2 / 2) / (n + Z**2), [hit * (1 - hit) / (known["n_tpr"] + 2)]
    noise.append(miss * (1 - miss) / (known["n_tnr"] + 2))
    rate, youden = (p + miss - 1) / (hit + miss - 1), hit + miss - 1
    half = Z / youden * sqrt(p * (1 - p) / (n + Z**2) + rate**2 * noise[0] + (1 - rate) ** 2 * noise[1])
    middle = rate + 2 * Z**2 * (rate * noise[0] - (1 - rate) * noise[1])
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((max(middle - half, 0), middle + half))
    aligned = alignment_of(config, "triage")
    same = ("failure_rate", "ci_low", "ci_high")
    assert [aligned[x] for x in ("corrected_failure_rate", *same[1:])] == [row[x] for x in same]


def test_alignment_is_that_of_weighted_labels(config: Config, lake: Written) -> None:
    row, labels = alignment_of(config, "triage"), held_out(lake)
    assert (row["judge"], row["n_labels"], row["is_weighted"]) == (JUDGE, len(labels), True)
    assert row["n_failures"] == sum(not label["passed"] for label in labels)
    known, parts = accuracy(labels), cells(labels, LARGE)
    assert (row["tpr"], row["tnr"]) == pytest.approx((known["tpr"], known["tnr"]))
    first = [True, True, False, False]
    second = [True, False, True, False]
    table = [sum(s * (p if person else 1 - p) for s, _, p, judge in parts if judge is judged)
             for judged, person in zip(first, second, strict=True)]  # fmt: skip
    assert row["agreement"] == pytest.approx(table[0] + table[3])
    assert row["kappa"] == pytest.approx(cohen_kappa_score(first, second, sample_weight=table))
    middle = (2 * table[0] + table[1] + table[2]) / 2
    chance = 2 * middle * (1 - middle)
    assert row["ac1"] == pytest.approx((table[0] + table[3] - chance) / (1 - chance))
    for name in ("tpr", "tnr", "agreement", "ac1", "kappa", "people_agreement", "people_ac1", "people_kappa"):
        assert -1 <= row[f"{name}_low"] < row[name] < row[f"{name}_high"] <= 1
    assert row["alignment_reason"] is None


def test_people_agree_with_each_other_on_what_two_of_them_judged(config: Config, lake: Written) -> None:
    row = alignment_of(config, "triage")
    passed = {(r["subject_id"], r["annotator"]): r["passed"] for days in lake.rows["annotations"].values() for r in days
              if r["route"] == "triage" and r["draw"] in ("random", "targeted") and r["criterion_version"] == "v2"
              and r["queue_day"] > LAST - timedelta(days=28)}  # fmt: skip
    both = [answer for answer, annotator in passed if annotator == "bob"]
    ann, bob = ([passed[answer, who] for answer in both] for who in ("ann", "bob"))
    assert (row["n_double"], row["people_reason"]) == (len(both), None)
    assert row["people_agreement"] == pytest.approx(np.mean(np.equal(ann, bob)))
    assert row["people_kappa"] == pytest.approx(cohen_kappa_score(ann, bob))


def test_imported_labels_count_for_alignment_only_and_unweighted(config: Config, lake: Written) -> None:
    row = alignment_of(config, "imported")
    assert (row["n_labels"], row["is_weighted"], row["alignment_reason"]) == (81, False, None)
    scores = {r["subject_id"]: r["passed"] for days in lake.rows["scores"].values() for r in days}
    labels = {r["subject_id"]: r["passed"] for days in lake.rows["annotations"].values() for r in days
              if r["route"] == "imported"}  # fmt: skip
    good = [answer for answer, passed in labels.items() if passed]
    assert row["tpr"] == 1
    assert row["tnr"] == pytest.approx(np.mean([scores[answer] for answer in good]))
    assert row["reason"] == "0 labels in 28 days, 210 are needed"
    assert (rate_of(config, "imported", 28)["n_labels"], rate_of(config, "imported", 28)["of_labels_alone"]) == (
        0,
        None,
    )


def test_a_file_of_another_tool_counts_for_the_alignment_of_the_newest_judge(config: Config) -> None:
    row = alignment_of(config, "foreign")
    assert (row["n_labels"], row["is_weighted"], row["alignment_reason"]) == (90, False, None)
    good = [n % 9 > 1 for n, passed in enumerate(FOREIGN.values()) if passed]
    assert (row["tpr"], row["tnr"]) == (1, pytest.approx(np.mean(good)))


@pytest.mark.parametrize(
    ("route", "window_days", "reason"),
    [
        ("unjudged", 7, "18 labels, 60 are needed"),
        ("unjudged", 1, "the strata of this day have no verdicts of a judge"),
        ("few", 28, "0 labels of answers that the judge fails, 20 or all 1288 are needed"),
        ("few", 1, "9 labelled failures in 28 days, 20 are needed"),
        ("changed", 1, "90 labels in 28 days, 210 are needed; the criterion and the judge changed on 2026-03-26"),
        ("renewed", 7, "36 labels, 60 are needed; the criterion changed on 2026-03-29"),
        ("suggested", 1, "162 labels in 28 days, 210 are needed"),
    ],
)
def test_a_rate_without_enough_labels_is_null_and_says_why(
    config: Config, route: str, window_days: int, reason: str
) -> None:
    row = rate_of(config, route, window_days)
    assert (row["reason"], row["failure_rate"], row["ci_low"], row["ci_high"]) == (reason, None, None, None)


def test_a_judge_that_is_hardly_better_than_chance_corrects_nothing(config: Config) -> None:
    row = rate_of(config, "weak", 1)
    assert row["failure_rate"] is None
    assert row["reason"].startswith("the judge's TPR + TNR - 1 may be as low as")
    assert rate_of(config, "weak", 28)["failure_rate"] is not None


def test_labels_by_which_a_criterion_was_made_count_for_rates_and_not_for_alignment(config: Config) -> None:
    rates, aligned = rate_of(config, "suggested", 28), alignment_of(config, "suggested")
    assert (rates["n_labels"], aligned["n_labels"]) == (27 * 18, 9 * 18)
    assert aligned["tpr"] is not None


def test_a_persons_median_time_is_that_of_all_answers_on_any_route(config: Config, lake: Written) -> None:
    day = DAYS[3]
    mine = [
        r
        for days in lake.rows["annotations"].values()
        for r in days
        if (r["queue_day"], r["annotator"]) == (day, "ann")
    ]
    sql = "select * from marts.fct_reviewers_daily where day = ? and annotator = 'ann'"
    rows = query(config.warehouse, sql, [day])
    assert len({row["seconds_median"] for row in rows}) > 1
    for row in rows:
        of_route = [r["seconds"] for r in mine if r["route"] == row["route"]]
        assert row["seconds_median"] == np.median(of_route)
        assert row["seconds_median_of_routes"] == np.median([r["seconds"] for r in mine])


def test_every_day_that_was_asked_for_has_its_rows_and_no_other(config: Config) -> None:
    rows = query(config.warehouse, "select day, route, count(*) as n from marts.fct_label_rates group by all")
    assert {row["day"] for row in rows} == {DAYS[-2], LAST}
    assert {row["n"] for row in rows} == {3}
    judged = query(config.warehouse, "select distinct route, judge from marts.fct_judge_alignment order by all")
    assert ("changed", "judge-0") in {(row["route"], row["judge"]) for row in judged}
    assert "unjudged" not in {row["route"] for row in judged}
