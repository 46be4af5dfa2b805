"""Outside macros that dispatch, the models say nothing that only DuckDB knows: another engine needs only macros."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from flows.config import Config
from flows.lake import Lake, from_rows
from flows.project import DBT_PROJECT
from flows.transform import dbt_runner, ephemeral_models
from flows.transform.build import variables
from tests import dialects
from tests.unit.transform.test_ephemeral_models import DBTS_OWN

pytestmark = pytest.mark.long  # builds warehouses

DAY = date(2026, 3, 4)
DAYS = {"GENCHI_FIRST_DAY": DAY.isoformat(), "GENCHI_LAST_DAY": DAY.isoformat()}


@pytest.fixture(scope="module")
def injected() -> Iterator[list[tuple[str, Any, str]]]:
    """The SQL of every model that a build compiles, the ephemeral models that it reads, and both in one text."""
    inject, found = ephemeral_models.inject, list[tuple[str, Any, str]]()

    def noted(sql: str, ctes: Any) -> str:
        found.append((sql, ctes, inject(sql, ctes)))
        return found[-1][-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ephemeral_models, "inject", noted)
        yield found
    ephemeral_models.install()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, injected: list[tuple[str, Any, str]]) -> dict[str, Any]:
    """dbt's nodes of all SQL models, compiled on a warehouse that has them all, with marks where macros dispatch."""
    root = tmp_path_factory.mktemp("dialects")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    call = {
        "call_id": "c",
        "route": "r",
        "input_text": "Where is my refund?",
        "output_text": "On its way.",
        "started_at": datetime(2026, 3, 4, 12, tzinfo=UTC),
        "status": "success",
    }
    example = {"set": "dev", "route": "r", "example_id": "e", "input_text": "Who are you?"}
    Lake(config.lake).write("interactions", DAY, from_rows([call], "interactions"))
    Lake(config.lake).write("examples", DAY, from_rows([example], "examples"))
    Lake(config.lake).create()
    told = variables(config)
    dbt_runner.run_dbt(config, ["build", "--exclude-resource-type", "unit_test", "test"], told, DAYS)
    for_spark = sql_models(compiled_after(dialects.say_to_spark, config, told))
    marked = sql_models(compiled_after(dialects.mark, config, told))
    for name, node in marked.items():
        node.for_spark = for_spark[name].compiled_code
    return marked


def sql_models(manifest: Any) -> dict[str, Any]:
    return {
        node.name: node for node in manifest.nodes.values() if node.resource_type == "model" and node.language == "sql"
    }


def compiled_after(change: Callable[[dict[str, Any]], None], config: Config, told: dict[str, object]) -> Any:
    """dbt's manifest of the project, whose models are compiled after this change of its macros."""
    from dbt.cli.main import dbtRunner

    kept = config.state / "_dbt"
    arguments = [
        *("--quiet", "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--vars", json.dumps(told)),
        *("--target-path", str(kept / "target"), "--log-path", str(kept / "logs")),
    ]
    with dbt_runner.opened_for_dbt(config, DAYS):
        manifest = dbtRunner().invoke(["parse", *arguments]).result
    change(manifest.macros)
    with dbt_runner.opened_for_dbt(config, DAYS):
        compiled = dbtRunner(manifest=manifest).invoke(["compile", *arguments])
    assert compiled.success, compiled.exception
    return manifest


def test_the_ephemeral_models_are_where_dbt_itself_would_put_them(
    models: dict[str, Any], injected: list[tuple[str, Any, str]]
) -> None:
    both = [(sql, ctes, text) for sql, ctes, text in injected if ctes]
    assert len(both) > 35
    assert [sql for sql, ctes, text in both if text != DBTS_OWN(sql, ctes)] == []


def test_every_model_can_be_said_to_spark_clickhouse_and_snowflake(models: dict[str, Any]) -> None:
    found = {
        name: dialects.complaints(dialects.without_dispatched(node.compiled_code)) for name, node in models.items()
    }
    assert {name: said for name, said in found.items() if said} == {}


def test_every_model_can_be_read_as_what_it_says_to_spark(models: dict[str, Any]) -> None:
    found = {name: dialects.unread_by_spark(node.for_spark) for name, node in models.items()}
    assert {name: said for name, said in found.items() if said} == {}
    said = models["int_text_features"].for_spark
    assert "rlike" in said
    assert "regexp_matches" not in said


def test_models_hide_nothing_of_duckdb_in_what_they_give_to_macros(models: dict[str, Any]) -> None:
    found = {name: dialects.complaints_in_macros(node.raw_code) for name, node in models.items()}
    assert {name: said for name, said in found.items() if said} == {}


def test_the_same_words_that_a_dispatched_macro_may_write_are_refused_in_a_model(models: dict[str, Any]) -> None:
    compiled = models["int_text_features"].compiled_code
    portable = dialects.without_dispatched(compiled)
    assert dialects.complaints(portable) == []
    assert {"`json_valid`", "`strlen`", "`hamming`"} <= {one.split(" ")[0] for one in dialects.complaints(compiled)}
    written_in = portable.replace("coalesce(json_kind", "json_valid(json_kind")
    assert written_in != portable
    assert [one.split(" ")[0] for one in dialects.complaints(written_in)] == ["`json_valid`"]


def test_the_models_are_compiled_as_on_a_second_night(
    models: dict[str, Any],
) -> None:
    incremental = [node for node in models.values() if "is_incremental()" in node.raw_code]
    assert incremental
    assert all('"intermediate"."' + node.name + '"' in node.compiled_code for node in incremental)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select json_valid(x) as y from t", "`json_valid`"),
        ("select x -> 'a' as y from t", "`json_extract`"),
        ("select hash(x) as y from t", "`hash`"),
        ("select strlen(x) as y from t", "`strlen`"),
        ("select list_sort(x) as y from t", "`array_sort`"),
        ("select unnest(x) as y from t", "`explode`"),
        ("select regexp_matches(x, 'a') as y from t", "`regexp_like`"),
        ("select arg_max(x, y) as y from t", "`arg_max`"),
        ("select try_cast(x as date) as y from t", "`try_cast`"),
        ("select x::varchar as y from t", "type_string()"),
        ("select cast(x as varchar[]) as y from t", "type_string()"),
        ("select [1, 2] as y from t", "`array`"),
        ("select x[1] as y from t", "`bracket`"),
        ("select {'a': 1} as y from t", "`struct`"),
        ("select list_transform(x, lambda a: a + 1) as y from t", "`lambda`"),
        ("select * exclude (x) from t", "write the columns out"),
        ("select columns('a.*') from t", "`columns`"),
        ("select sum(x) filter (where y) as y from t", "`filter`"),
        ("select sum(x) over (rows unbounded preceding) as y from t", "order the window"),
        ("select lead(x) over () as y from t", "order the window"),
        ("select x from t qualify row_number() over (order by x) = 1", "`qualify`"),
        ("select x from t where (a, b) not in (select (c, d) from u)", "use exists"),
        ("select a from t group by grouping sets ((a), ()) having grouping(a) = 1", "grouping()"),
        ("select x // 2 as y from t", "`intdiv`"),
        ("select 1.0 * n / m as y from t", "cast to double"),
        ("select day - min(first_day) as y from t", "datediff()"),
        ("select day + interval 1 day as y from t", "`interval`"),
        ("select t.x from t asof join u on t.day >= u.day", "asof"),
        ("select t.x from t semi join u using (x)", "semi"),
        ("select distinct on (x) x, y from t", "`distinct on`"),
        ("select x, count(*) as n from t group by all", "`group by all`"),
        ("select x from t union by name select x from u", "`union by name`"),
        ("select x from t using sample 10", "sample"),
        ("select x from t limit 3", "`limit`"),
        ("select bool_or(x) as y from t", "`logical_or`"),
        ("select percentile_cont(0.5) within group (order by x) as y from t", "`percentile_cont`"),
        ("select from where", "cannot be parsed"),
    ],
)
def test_what_only_some_engines_know_is_refused(sql: str, word: str) -> None:
    assert word.lower() in " ".join(dialects.complaints(sql)).lower()


def test_a_function_within_a_macros_argument_is_refused_and_a_pattern_is_not() -> None:
    assert dialects.complaints_in_macros("select {{ matches('json_extract(x)', '^(a|b) (c)$') }} as y") == [
        "`json_extract` is not known to every engine: write it in a macro that dispatches"
    ]
    assert dialects.complaints_in_macros("select {{ count_if('coalesce(x, y) over (z)') }}, list_sort(x) from t") == []


def test_what_a_dispatched_macro_wrote_is_a_value_or_a_query_and_may_hold_another() -> None:
    inner = f"{dialects._BEGIN}strlen(x){dialects._END}"
    assert dialects.without_dispatched(f"a + {dialects._BEGIN} hash({inner}) {dialects._END}") == "a +  dispatched "
    assert dialects.without_dispatched(f"({dialects._BEGIN}\n select 1{dialects._END})") == "(select * from dispatched)"
