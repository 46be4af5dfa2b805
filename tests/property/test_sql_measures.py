"""The statistics of the dbt project against NumPy and SciPy, rendered without dbt and run by DuckDB."""

import warnings
from collections.abc import Iterator
from typing import Any

import duckdb
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import special, stats
from scipy.spatial.distance import jensenshannon

from tests import rendering

MEASURES = rendering.model("int_feature_measures")
COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=30).filter(
    lambda counts: sum(c for c, _ in counts) > 0 and sum(r for _, r in counts) > 0
)
SAMPLES = st.lists(
    st.one_of(st.integers(-5, 20).map(float), st.floats(-5, 20, allow_subnormal=False)), min_size=1, max_size=40
)


def render(sql: str) -> str:
    """SQL with the macros of statistics, a `ref` being the table of its name."""
    return rendering.render(sql, "statistics", "counting")


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def values_of(database: duckdb.DuckDBPyConnection, expression: str, x: np.ndarray) -> np.ndarray:
    """A macro's expression of the column x, for each x."""
    found = database.execute(f"select {render(expression)} from (select unnest(?) as x)", [x.tolist()]).fetchall()
    return np.array([row[0] for row in found])


def measures_of(
    database: duckdb.DuckDBPyConnection, counts: list[tuple[int, int]], values: np.ndarray
) -> dict[str, Any]:
    """The model int_feature_measures on one series of bins whose texts have all the bin's value."""
    database.execute(
        "create or replace table int_feature_bins as select date '2026-03-04' as day, 'r' as route, 'output' as side,"
        " 'f' as feature, 'trailing' as reference, '*' as model_served, '*' as prompt_version, *,"
        " n_current * value as total_current, n_reference * value as total_reference,"
        " n_reference * value * value as squares_reference from"
        " (select unnest(?) as bin, unnest(?) as n_current, unnest(?) as n_reference, unnest(?) as value)"
        " where n_current + n_reference > 0",
        [list(range(len(counts))), [c for c, _ in counts], [r for _, r in counts], values.tolist()],
    )
    result = database.execute(render(MEASURES))
    names = [column[0] for column in result.description or ()]
    return dict(zip(names, result.fetchall()[0], strict=True))


@settings(max_examples=60, deadline=None)
@given(counts=COUNTS)
def test_the_measures_of_two_histograms_are_those_of_numpy_and_scipy(
    database: duckdb.DuckDBPyConnection, counts: list[tuple[int, int]]
) -> None:
    values = np.cumsum(np.arange(1.0, len(counts) + 1))
    found = measures_of(database, counts, values)
    current, reference = np.array(counts, dtype=float).T
    p, q = current / current.sum(), reference / reference.sum()
    kept = current + reference > 0
    floored_p, floored_q = np.maximum(p[kept], 1e-4), np.maximum(q[kept], 1e-4)
    assert found["psi"] == pytest.approx(np.sum((floored_p - floored_q) * np.log(floored_p / floored_q)), abs=1e-9)
    # The root makes the last digits of a divergence near 0 large.
    assert found["js_distance"] ** 2 == pytest.approx(np.nan_to_num(jensenshannon(p, q, base=2)) ** 2, abs=1e-9)
    assert found["ks"] == pytest.approx(np.abs(np.cumsum(p - q)).max(), abs=1e-9)
    deviation = np.sqrt(q @ values**2 - (q @ values) ** 2)
    if deviation > 1e-6:
        expected = stats.wasserstein_distance(values, values, p, q) / deviation
        assert found["wasserstein"] == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert found["value_current"] == pytest.approx(p @ values)
    assert found["value_reference"] == pytest.approx(q @ values)


@settings(max_examples=20, deadline=None)
@given(counts=st.lists(st.integers(1, 500), min_size=2, max_size=30))
def test_a_histogram_does_not_differ_from_itself(database: duckdb.DuckDBPyConnection, counts: list[int]) -> None:
    found = measures_of(database, [(n, n) for n in counts], np.arange(1.0, len(counts) + 1))
    assert [found[name] for name in ("psi", "js_distance", "ks", "wasserstein")] == pytest.approx([0] * 4, abs=1e-7)


def distances_of(database: duckdb.DuckDBPyConnection, current: list[float], reference: list[float]) -> tuple[Any, Any]:
    """The exact KS and Wasserstein distances of two samples, values as they come."""
    database.execute(
        "create or replace table samples as select 1 as series, value, n_current, 1 - n_current as n_reference from"
        " (select unnest($1::double[]) as value, 1 as n_current union all select unnest($2::double[]), 0)",
        [current, reference],
    )
    database.execute(render("create or replace table cells as {{ value_cells('samples', ['series']) }}"))
    row = database.execute(render("{{ exact_distances('samples', 'cells', ['series']) }}")).fetchone()
    assert row is not None
    return row[1], row[2]


@settings(max_examples=80, deadline=None)
@given(current=SAMPLES, reference=SAMPLES)
def test_the_exact_distances_of_two_samples_are_scipys_and_bins_miss_ks_by_at_most_the_fullest(
    database: duckdb.DuckDBPyConnection, current: list[float], reference: list[float]
) -> None:
    ks, wasserstein = distances_of(database, current, reference)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the p-value, which few values do not have
        expected = stats.ks_2samp(current, reference, method="asymp").statistic
    assert ks == pytest.approx(expected, abs=1e-12)
    assert wasserstein == pytest.approx(stats.wasserstein_distance(current, reference), rel=1e-9, abs=1e-9)
    edges = np.append(np.unique(np.floor([*current, *reference])), np.inf)
    counts = [np.histogram(sample, edges)[0] for sample in (current, reference)]
    binned = measures_of(database, list(zip(*map(np.ndarray.tolist, counts), strict=True)), edges[:-1] + 0.5)
    fullest = max((count / count.sum()).max() for count in counts)
    assert binned["ks"] - 1e-12 <= ks <= binned["ks"] + fullest + 1e-12


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_exact_distances_of_unrounded_floats_with_ties_are_scipys_to_nine_digits(
    database: duckdb.DuckDBPyConnection, scale: float
) -> None:
    rng = np.random.default_rng(7)
    current = np.concatenate([rng.lognormal(0.1, 1, 4000), np.round(rng.lognormal(0, 1, 3000), 1)]) * scale
    reference = np.concatenate([rng.lognormal(0, 1, 5000), np.round(rng.lognormal(0, 1, 1000), 1)]) * scale
    ks, wasserstein = distances_of(database, current.tolist(), reference.tolist())
    assert ks == pytest.approx(stats.ks_2samp(current, reference, method="asymp").statistic, abs=1e-9)
    assert wasserstein == pytest.approx(stats.wasserstein_distance(current, reference), rel=1e-9)


def test_an_empty_sample_has_no_distance(database: duckdb.DuckDBPyConnection) -> None:
    assert distances_of(database, [1.0, 2.0], []) == (None, None)


def test_the_normal_tail_is_scipys_to_seven_digits(database: duckdb.DuckDBPyConnection) -> None:
    z = np.linspace(-12, 12, 4801)
    found = values_of(database, "{{ normal_two_sided('x') }}", z)
    np.testing.assert_allclose(found, 2 * stats.norm.sf(np.abs(z)), rtol=1.3e-7)


def test_a_very_large_z_has_no_tail_and_is_no_error(database: duckdb.DuckDBPyConnection) -> None:
    assert values_of(database, "{{ normal_two_sided('x') }}", np.array([60.0, 1e6])).tolist() == [0, 0]


def test_the_kolmogorov_tail_is_scipys(database: duckdb.DuckDBPyConnection) -> None:
    x = np.concatenate([[0.0, 0.01], np.linspace(0.04, 6, 1500)])
    found = values_of(database, "{{ kolmogorov_tail('x') }}", x)
    np.testing.assert_allclose(found, special.kolmogorov(x), rtol=1e-9, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    passed=st.integers(0, 200),
    failed=st.integers(0, 200),
    passed_before=st.integers(0, 200),
    failed_before=st.integers(0, 200),
)
def test_the_two_proportion_test_is_the_chi_square_test_of_its_table(
    database: duckdb.DuckDBPyConnection, passed: int, failed: int, passed_before: int, failed_before: int
) -> None:
    n, m = passed + failed, passed_before + failed_before
    share, share_before = (passed / n if n else None), (passed_before / m if m else None)
    sql = render("select {{ two_proportion_z('$share', '$n', '$share_before', '$m') }}")
    row = database.execute(sql, {"share": share, "n": n, "share_before": share_before, "m": m}).fetchone()
    assert row is not None
    if not n or not m:
        assert row[0] is None
    elif 0 < passed + passed_before < n + m:
        table = [[passed, failed], [passed_before, failed_before]]
        assert row[0] ** 2 == pytest.approx(stats.chi2_contingency(table, correction=False).statistic, abs=1e-9)
    else:
        assert row[0] == 0


@settings(max_examples=60, deadline=None)
@given(p=st.lists(st.one_of(st.none(), st.sampled_from([0.0, 0.01, 1.0]), st.floats(0, 1)), min_size=1, max_size=40))
def test_adjusted_p_values_are_those_of_scipy_and_skip_nulls(
    database: duckdb.DuckDBPyConnection, p: list[float | None]
) -> None:
    sql = render(
        "with numbered as (select generate_subscripts(?, 1) as i, unnest(?::double[]) as p),"
        " ranked as (select i, p, 1 as family, count(p) over () as size,"
        " row_number() over (order by p nulls last) as place from numbered)"
        " select {{ benjamini_hochberg('p', 'place', 'size', ['family']) }} from ranked order by i"
    )
    found = [row[0] for row in database.execute(sql, [p, p]).fetchall()]
    kept = [value for value in p if value is not None]
    expected = iter(stats.false_discovery_control(kept) if kept else [])
    assert found == [None if value is None else pytest.approx(next(expected), abs=1e-12) for value in p]


def test_the_interval_of_a_share_is_wilsons(database: duckdb.DuckDBPyConnection) -> None:
    for n in (1, 2, 7, 50, 1000):
        for passed in {0, 1, n // 2, n}:
            expression = "{{ wilson('($passed / $n)', '$n', '-') }}, {{ wilson('($passed / $n)', '$n', '+') }}"
            found = database.execute(
                render(f"select {expression}"), {"passed": float(passed), "n": float(n)}
            ).fetchone()
            assert found == pytest.approx(tuple(stats.binomtest(passed, n).proportion_ci(method="wilson")), abs=1e-12)


def test_a_share_of_nothing_has_no_interval(database: duckdb.DuckDBPyConnection) -> None:
    assert database.execute(render("select {{ wilson('null', '0', '-') }}")).fetchone() == (None,)
