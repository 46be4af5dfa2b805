"""What models say by macros that dispatch, Spark can say too; its expressions are read by sqlglot, without a server."""

import re
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
import sqlglot

from flows.project import DBT_PROJECT

MACRO = re.compile(r"{%-?\s*macro\s+(\w+)\(([^)]*)\)")
MATERIALIZATION = re.compile(r"{%-?\s*materialization\b.*?\bendmaterialization\s*-?%}", re.DOTALL)  # a tag of dbt's own
DISPATCHED = re.compile(r"adapter\.dispatch\('(\w+)'\)\(([^)]*)\)")
TEXTS = {path: path.read_text("utf-8") for path in sorted((DBT_PROJECT / "macros").glob("*.sql"))}
MACROS = {name: arguments for text in TEXTS.values() for name, arguments in MACRO.findall(text)}
GIVEN = {
    "keys": ["day", "route"],
    "names": ["n", "total", "total_squares"],
    "features": [{"name": "words", "grid": "log"}, {"name": "empty", "grid": "flag"}],
    "feature": {"feature": "shouts", "side": "output", "columns": ["text_value", "n_words"]},
    "pairs": [("route", "route"), ("n", "n_calls")],
    "pattern": "(?i)\\bit's\\s",
    "class": "\\p{Latin}",
    "part": "other",
    "character": "\n",
    "text": "said",
    "share": 0.5,
    "n": 2000,
    "missing": "unknown",
}
NO_SQL = {"relations_of"}  # a list of names


def test_each_macro_that_dispatches_is_written_for_both_engines() -> None:
    dispatched = {name for text in TEXTS.values() for name, _ in DISPATCHED.findall(text)}
    assert dispatched
    assert {f"{engine}__{name}" for name in dispatched for engine in ("duckdb", "spark")} - set(MACROS) == set()


def test_twins_take_the_same_arguments() -> None:
    twins = {name: arguments for name, arguments in MACROS.items() if name.startswith("duckdb__")}
    helpers = {"duckdb__without_surrogates", "duckdb__says_error"}
    unlike = {
        name
        for name, arguments in twins.items()
        if name not in helpers and MACROS.get(name.replace("duckdb__", "spark__")) != arguments
    }
    assert unlike == set()


def test_what_adds_rows_to_days_that_were_built_before_says_so() -> None:
    """Spark replaces whole days, and would lose the other rows of them."""
    models = {path.stem: path.read_text("utf-8") for path in (DBT_PROJECT / "models").rglob("*.sql")}
    adding = {name for name, text in models.items() if "is_incremental()" in text}
    assert adding == {name for name, text in models.items() if "'adds_to_built_days': true" in text}
    assert len(adding) == 2


def rendered(call: str) -> str:
    """What a macro writes on Spark, with dbt's own context as far as macros here use it."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    context: dict[str, Any] = {
        "type_string": lambda: "string",
        "length": lambda text: f"length({text})",
        "hash": lambda text: f"md5({text})",
        "env_var": lambda _, default="": default,
        "config": {},
        "return": lambda value: value,
    }
    context["adapter"] = SimpleNamespace(dispatch=lambda name: getattr(context["module"], f"spark__{name}"))
    template = environment.from_string(MATERIALIZATION.sub("", "".join(TEXTS.values())), globals=context)
    context["module"] = template.make_module(context)
    name, arguments = call, [argument.partition("=")[0].strip() for argument in MACROS[call].split(",")]
    return str(getattr(context["module"], name)(*(GIVEN.get(argument, argument) for argument in arguments)))


@pytest.mark.parametrize("name", sorted({name for t in TEXTS.values() for name, _ in DISPATCHED.findall(t)} - NO_SQL))
def test_what_is_written_for_spark_is_read_as_spark(name: str) -> None:
    said = rendered(f"spark__{name}")
    assert sqlglot.parse_one(said if said.lstrip().startswith("select") else f"select {said}", read="spark")


def test_a_pattern_means_to_java_what_it_means_to_re2() -> None:
    said = rendered("spark__matches")
    assert "(?iu)" in said
    assert "(?i)" not in said
    assert re.search(r"\\{1,2}b", said) is None
    assert said.endswith("(?-iu:[iI](?<![0-9A-Za-z_].))t\\'s[\\\\t\\\\n\\\\f\\\\r ]'")
