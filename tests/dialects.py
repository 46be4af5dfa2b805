"""What a SQL model may say outside `adapter.dispatch`: only what Spark, ClickHouse and Snowflake can say too.

A model is judged as dbt compiles it, without what dispatched macros wrote, for that has another text on another engine.
What is left is parsed, compared with a list of what is known to be portable, and translated to each engine. This cannot
tell whether an engine means the same: by a regular expression, by a null in `greatest`, or by the type of a quotient.
"""

import re
from collections.abc import Iterator
from typing import Any

import sqlglot
from sqlglot import exp

ENGINES = ("spark", "clickhouse", "snowflake")

# Names of SQL, and of sqlglot's expressions without their underscores. A word is added here where all three engines
# have it with the same meaning; what only some have is a macro that dispatches.
_FUNCTION_WORDS = (
    "abs avg ceil coalesce count exp extract floor greatest grouping lag lead least left ln lower max min nullif pi pow"
    " replace right round row_number sqrt substring sum trim upper"
)
_SYNTAX_WORDS = (
    "add alias and between boolean case cast column cte datatype datatypeparam distinct div dpipe eq exists from group"
    " grouping_sets gt gte having identifier if in is join like literal lt lte mul neg neq not null nullsafe_eq"
    " nullsafe_neq or order ordered paren select star sub subquery table table_alias tuple union var where window"
    " window_spec with"
)
_FUNCTIONS = set(_FUNCTION_WORDS.split())
_PORTABLE = {word.replace("_", "") for word in _FUNCTIONS | set(_SYNTAX_WORDS.split())}
_KEYWORDS = {"and", "as", "by", "case", "else", "in", "not", "on", "or", "over", "then", "when"}

_BEGIN, _END = "/*dispatched*/", "/*end of dispatched*/"
_INNERMOST = re.compile(f"{re.escape(_BEGIN)}((?:(?!{re.escape(_BEGIN)}).)*?){re.escape(_END)}", re.DOTALL)
_MACRO = re.compile(r"^(.*?{%-?\s*macro\s.*?%})(.*)({%-?\s*endmacro\s*-?%}.*)$", re.DOTALL)
_STRING = "string_of_the_engine"
_TYPES = {"bigint", "boolean", "date", "decimal", "double", "int", _STRING}


def mark(macros: dict[str, Any]) -> None:
    """Change the macros of dbt's manifest so that those that dispatch leads to mark what they write.

    They are the project's own and dbt's. What they write can still be run, but for the name of the type of texts.
    """
    for macro in macros.values():
        if macro.name == "default__type_string":
            macro.macro_sql = "{% macro default__type_string() %}{{ return('" + _STRING + "') }}{% endmacro %}"
        elif macro.name.startswith("duckdb__") or (
            macro.name.startswith("default__") and "/utils/" in f"/{macro.original_file_path}"
        ):
            macro.macro_sql = _MACRO.sub(lambda found: f"{found[1]}{_BEGIN}{found[2]}{_END}{found[3]}", macro.macro_sql)


def say_to_spark(macros: dict[str, Any]) -> None:
    """Change the macros of dbt's manifest so that those of this project that dispatch write what they do for Spark."""
    twins = {macro.name: macro for macro in macros.values() if macro.package_name == "genchi"}
    for name, macro in twins.items():
        twin = twins.get(name.replace("duckdb__", "spark__"))
        if name.startswith("duckdb__") and twin is not None and name != "duckdb__relations_of":
            macro.macro_sql = twin.macro_sql.replace(f"macro {twin.name}(", f"macro {name}(", 1)


def unread_by_spark(compiled: str) -> str:
    """Why a model that was compiled after `say_to_spark` cannot be read as Spark's SQL; empty where it can."""
    sql = re.sub(r"read_parquet\((?:'[^']*'|\([^()]*\)|[^()'])*\)", "source", compiled)
    sql = re.sub(r'"\w+"\."(\w+)"\."(\w+)"', r"\1.\2", sql).replace('"at"', "`at`")
    try:
        sqlglot.parse_one(sql, read="spark")
    except (sqlglot.ParseError, sqlglot.TokenError) as error:
        return _first_line(error)
    return ""


def without_dispatched(compiled: str) -> str:
    """A compiled model in which a word stands for all that dispatched macros wrote; a query where they wrote one."""
    found = 1
    while found:
        compiled, found = _INNERMOST.subn(_stand_in, compiled)
    return compiled


def _stand_in(found: re.Match[str]) -> str:
    return "select * from dispatched" if found[1].lstrip().lower().startswith("select") else " dispatched "


def complaints(compiled: str) -> list[str]:
    """What of a compiled model, without its dispatched parts, is not portable, as sentences.

    The ephemeral models within it are left out: each is judged as itself.
    """
    try:
        tree = sqlglot.parse_one(compiled, read="duckdb")
    except sqlglot.ParseError as error:
        return [f"cannot be parsed: {_first_line(error)}"]
    _drop_ephemeral(tree)
    for source in list(tree.find_all(exp.ReadParquet)):  # where dbt-duckdb finds a source; others have a table there
        source.replace(exp.to_table("source"))
    return sorted({said for node in tree.walk() for said in _said_of(node)}) or list(_untranslatable(tree))


def complaints_in_macros(model: str) -> list[str]:
    """Functions that are not portable in the strings that a model gives to macros, where no parser sees them."""
    inside = " ".join(re.findall(r"{[{%].*?[%}]}", model, re.DOTALL))
    strings = [found.group() for found in re.finditer(r"'[^']*'|\"[^\"]*\"", inside)]
    names = {name.lower() for text in strings for name in re.findall(r"\b([A-Za-z]\w*[A-Za-z0-9])\s*\(", text)}
    return [_unknown(name) for name in sorted(names - _FUNCTIONS - _KEYWORDS - {"cast"})]


def _drop_ephemeral(tree: exp.Expr) -> None:
    for cte in [cte for cte in tree.find_all(exp.CTE) if cte.alias.startswith("__dbt__cte__")]:
        cte.pop()
    for clause in list(tree.find_all(exp.With)):
        if not clause.expressions:
            clause.pop()


def _unknown(name: str) -> str:
    return f"`{name}` is not known to every engine: write it in a macro that dispatches"


def _said_of(node: exp.Expr) -> Iterator[str]:
    if isinstance(node, exp.Anonymous):
        yield _unknown(node.name.lower())
    elif node.key not in _PORTABLE:
        yield _unknown(node.sql_name().lower() if isinstance(node, exp.Func) else node.key)
    yield from _said_of_clause(node)
    yield from _said_of_value(node)


def _said_of_clause(node: exp.Expr) -> Iterator[str]:
    match node:
        case exp.Star() if any(node.args.values()):
            yield "`* exclude` and `* replace` are not known to every engine: write the columns out"
        case exp.In() if isinstance(node.this, exp.Tuple):
            yield "a tuple cannot be looked for in a list everywhere: use exists or a join"
        case exp.Having() if node.find(exp.Grouping):
            yield "grouping() in having may mean a column or its alias: name it in a subquery"
        case exp.Join() if node.method or node.kind.upper() not in ("", "INNER", "CROSS", "OUTER"):
            yield f"a {node.method or node.kind} join is not known to every engine"
        case exp.Distinct() if node.args.get("on"):
            yield "`distinct on` is not known to every engine: use row_number()"
        case exp.Group() if node.args.get("all"):
            yield "`group by all` is not known to every engine: write the columns out"
        case exp.Union() if node.args.get("by_name"):
            yield "`union by name` is not known to every engine: write the columns out"


def _said_of_value(node: exp.Expr) -> Iterator[str]:
    match node:
        case exp.DataType() if node.sql("duckdb").lower().partition("(")[0] not in _TYPES:
            yield f"the type {node.sql('duckdb')} has other names elsewhere: write type_string() for texts"
        case exp.Window() if not node.args.get("order") and (
            node.args.get("spec") or isinstance(node.this, exp.Lead | exp.Lag | exp.RowNumber)
        ):
            yield "the order of rows is known to DuckDB alone: order the window"
        case exp.Mul() | exp.Div() if "1.0" in (node.left.sql(), node.right.sql()):
            yield "1.0 is a decimal of few digits elsewhere: cast to double"
        case exp.Sub() if _is_date(node.left) and _is_date(node.right):
            yield "a date less a date is no number elsewhere: use datediff()"


def _is_date(node: exp.Expr) -> bool:
    """Whether an expression is a date, by the names that the project's dates have."""
    if isinstance(node, exp.Min | exp.Max | exp.Paren):
        return _is_date(node.this)
    if isinstance(node, exp.Cast):
        return bool(node.is_type("date"))
    return isinstance(node, exp.Column) and bool(re.fullmatch(r"day|(?:\w+_)?(?:on|day|seen)", node.name))


def _untranslatable(tree: exp.Expr) -> Iterator[str]:
    for kind in list(tree.find_all(exp.DataType)):
        if kind.sql("duckdb") == _STRING:
            kind.replace(exp.DataType.build("text"))
    for engine in ENGINES:
        try:
            sqlglot.parse_one(tree.sql(dialect=engine, unsupported_level=sqlglot.ErrorLevel.RAISE), read=engine)
        except (sqlglot.ParseError, sqlglot.UnsupportedError) as error:
            yield f"{engine}: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
