"""SQL of the dbt project rendered without dbt: tests and benchmarks of single models and macros."""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from flows.project import DBT_PROJECT

TEXT_KEYS = ["day", "origin", "route", "model_served", "prompt_version", "release", "side", "subject_id", "cluster_key"]


@pass_context
def _dispatch(context: Context, name: str) -> Callable[..., str]:
    found: Any = context.resolve(f"{context.resolve('engine')}__{name}")
    return found


def render(sql: str, *files: str, engine: str = "duckdb", **names: object) -> str:
    """`sql` with the macros of these files, for an engine. A `ref` is the table of its name, and every day is built.

    `names` are what else it may use, and come on top.
    """
    macros = "".join((DBT_PROJECT / "macros" / f"{name}.sql").read_text(encoding="utf-8") for name in files)
    environment = Environment(autoescape=False, extensions=["jinja2.ext.do"])
    known = {
        "adapter": {"dispatch": _dispatch},
        "bool_or": lambda expression: f"bool_or({expression})",
        "config": lambda **_: "",
        "engine": engine,
        "hash": lambda field: f"md5({field})",
        "length": lambda expression: f"length({expression})",
        "is_day_to_build": lambda _: "true",
        "ref": lambda name: name,
        "return": lambda value: value,
        "source": lambda _, name: name,
        "split_part": lambda text, delimiter, part: f"split_part({text}, {delimiter}, {part})",
        "text_keys": lambda: TEXT_KEYS,
        "type_string": lambda: "varchar",
        "var": lambda _: [],
    }
    return environment.from_string(macros + sql).render({**known, **names})


def model(name: str) -> str:
    """The text of a model of the layer intermediate."""
    return (DBT_PROJECT / "models" / "intermediate" / f"{name}.sql").read_text(encoding="utf-8")


def text_features(texts: str, **names: object) -> str:
    """The model int_text_features as a query on a table `texts` of one column text_value, in its order.

    No text is held against the dictionary. `names` are as for `render`.
    """
    sql = render(model("int_text_features"), "text", "patterns", "own_features", **names)
    return (
        "with int_texts as (select date '2026-03-04' as day, 'production' as origin, 'r' as route, 'm' as model_served,"
        " 'v' as prompt_version, 'x' as release, 'output' as side, row_number() over () as subject_id,"
        f" 1 as cluster_key, text_value from {texts}),"
        " int_text_words as (select null::date as day, '' as origin, '' as route, '' as side, 0::bigint as subject_id,"
        " 0 as words_known, 0 as words_checked where false),"
        " int_repeated_outputs as (select null::date as day, '' as route, 0::ubigint as text_hash where false)"
        f" select * from ({sql}) order by subject_id"
    )
