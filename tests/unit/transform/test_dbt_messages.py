"""What is told of a dbt node that failed: one line, without the SQL that DuckDB shows."""

from flows.transform.dbt_runner import Node, _failure

SHOWN = """Runtime Error in model mine (dbt/models/mine.sql)
  Binder Error: Referenced column "nosuch" not found in FROM clause!
  Candidate bindings: "day", "route"
  
  LINE 9: ...tioning = true, hive_types = {'day': date}, union_by_name = true)
                                                                        ^^^^^^"""  # noqa: W293 - as dbt writes it


def told(message: str) -> str:
    return _failure([Node("model", "mine", "dbt/models/mine.sql", "error", message)])


def test_of_the_sql_that_duckdb_shows_the_number_of_the_line_is_told() -> None:
    assert told(SHOWN) == (
        'dbt/models/mine.sql: the model mine failed: Binder Error: Referenced column "nosuch" not found in FROM clause!'
        ' Candidate bindings: "day", "route" (line 9 of the SQL that dbt ran)'
    )


def test_what_follows_the_shown_sql_stays() -> None:
    assert told(f"{SHOWN}\n  compiled code at target/mine.sql").endswith("dbt ran) compiled code at target/mine.sql")


def test_a_message_without_shown_sql_stays_whole() -> None:
    assert told("Database Error in model mine\n  Out of Memory:\n  LINE of business is full").endswith(
        "failed: Out of Memory: LINE of business is full"
    )
