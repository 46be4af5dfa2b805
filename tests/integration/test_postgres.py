"""litellm's spend logs out of a real PostgreSQL: every row of the day; one line where it fails."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pyarrow as pa
import pytest

from flows.cli import doctor
from flows.config import load
from flows.errors import RunError
from flows.ingest.find import postgres
from tests.integration.postgres import PASSWORD, running
from tests.reading import mapped_rows

pytestmark = pytest.mark.long

DAY = date(2026, 3, 2)
GOLDEN = Path(__file__).parents[1] / "golden" / "litellm_spendlogs" / "input.jsonl"
# litellm 1.106's proxy/schema.prisma, as Prisma makes a table of it.
TABLE = """
create table "LiteLLM_SpendLogs" (
    request_id text primary key, call_type text not null, api_key text not null default '',
    spend double precision not null default 0, total_tokens int not null default 0,
    prompt_tokens int not null default 0, completion_tokens int not null default 0,
    "startTime" timestamp(3) not null, "endTime" timestamp(3) not null, request_duration_ms int,
    "completionStartTime" timestamp(3), model text not null default '', model_id text default '',
    model_group text default '', custom_llm_provider text default '', api_base text default '', "user" text default '',
    metadata jsonb default '{}', cache_hit text default '', cache_key text default '', request_tags jsonb default '[]',
    team_id text, organization_id text, end_user text, requester_ip_address text, messages jsonb default '{}',
    response jsonb default '{}', session_id text, status text, mcp_namespaced_tool_name text, billing_agent_id text,
    agent_id text, proxy_server_request jsonb default '{}', litellm_call_id text,
    created_at timestamp(3) not null default now(), updated_at timestamp(3) not null default now()
)
"""


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with running() as found:
        with psycopg.connect(found) as connection:
            connection.execute(TABLE)
            connection.execute("create table odd (at date, body json)")
            connection.execute("insert into odd values ('2026-03-02', %s)", ['{"a": "\\u0000 \\ud800 %s 100%"}'])
            for row in logged():
                names = ", ".join(f'"{name}"' for name in row)
                values = [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()]
                marks = ", ".join(["%s"] * len(row))
                connection.execute(f'insert into "LiteLLM_SpendLogs" ({names}) values ({marks})'.encode(), values)
        yield found


def logged() -> list[dict[str, Any]]:
    """The golden rows, and one of the day before and after."""
    rows = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    rows = [row if row["endTime"] else {**row, "endTime": row["startTime"]} for row in rows]
    before = {**rows[0], "request_id": "before", "startTime": "2026-03-01T23:59:59.999"}
    return [*rows, before, {**rows[0], "request_id": "after", "startTime": "2026-03-03T00:00:00"}]


def test_the_days_rows_are_read_and_mapped(dsn: str) -> None:
    found = pa.concat_tables(postgres.postgres_rows(dsn, None, DAY))
    ids = sorted(row["request_id"] for row in logged()[:-2])
    assert [json.loads(raw)["request_id"] for raw in found.column("raw").to_pylist()] == ids
    assert found.column("line").to_pylist() == list(range(1, len(ids) + 1))
    mapped = mapped_rows("litellm", [found])
    assert (len(mapped.interactions), len(mapped.other), len(mapped.refused)) == (5, 2, 0)
    row = next(row for row in mapped.interactions.to_pylist() if row["call_id"] == "chatcmpl-a")
    assert row["input_text"] == "Where is my order?"
    assert row["started_at"].isoformat() == "2026-03-02T10:00:00+00:00"
    assert (row["input_tokens"], row["cached_tokens"], row["cost_usd"], row["ttft_ms"]) == (120, 100, 0.0031, 750.0)


def test_many_rows_come_in_batches_and_in_order(dsn: str) -> None:
    query = "select n, repeat('x', 20000) as text from generate_series(1, 3000) as n -- '{day}'"
    tables = list(postgres.postgres_rows(dsn, query, DAY))
    assert len(tables) > 1
    assert max(table.nbytes for table in tables) < 32 << 20
    assert [json.loads(raw)["n"] for table in tables for raw in table.column("raw").to_pylist()] == [*range(1, 3001)]


def test_a_query_may_hold_percents_and_what_is_no_text_in_json_does_not_stop_it(dsn: str) -> None:
    query = "select * from odd where at >= '{day}' and at < '{next_day}' and body::text like '%100%%';"
    (table,) = postgres.postgres_rows(dsn, query, DAY)
    assert table.column("raw").to_pylist()[0].endswith('"body":{"a": "\\u0000 \\ud800 %s 100%"}}')
    refused = mapped_rows("genchi", [table]).refused
    assert len(refused) == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select * from nowhere", 'relation "nowhere" does not exist'),
        ("delete from odd returning *", "syntax error"),
        ("select * from odd) as x; delete from odd; select * from (select 1", "cannot insert multiple commands"),
        ("select pg_sleep(30)", "canceling statement due to statement timeout"),
    ],
)
def test_what_cannot_be_asked_is_one_line(dsn: str, query: str, said: str) -> None:
    with pytest.raises(RunError) as failed:
        list(postgres.postgres_rows(dsn, query, DAY, timeout_seconds=1))
    assert said in str(failed.value)
    assert str(failed.value).startswith(postgres.shown_dsn(dsn))
    assert "\n" not in str(failed.value)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select count(*) from odd").fetchone() == (1,)


def test_no_error_and_no_name_shows_the_password(dsn: str) -> None:
    wrong = dsn.replace(quote(PASSWORD, safe=""), "wr0ng%2Fpass")
    with pytest.raises(RunError, match="password authentication failed") as failed:
        list(postgres.postgres_rows(wrong, None, DAY))
    assert "wr0ng" not in str(failed.value)
    with pytest.raises(RunError) as echoed:
        list(postgres.postgres_rows(dsn, f"select '{PASSWORD}'::int", DAY))
    assert PASSWORD not in str(echoed.value)
    for broken in (f"postgres//u:{PASSWORD}@h/db", f"host=h password={PASSWORD} nonsense=1"):
        with pytest.raises(RunError) as refused:
            list(postgres.postgres_rows(broken, None, DAY))
        assert PASSWORD not in str(refused.value)
    assert re.fullmatch(r"postgresql://127\.0\.0\.1:\d+/postgres", postgres.shown_dsn(dsn))


def test_doctor_says_how_many_rows_the_day_has(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "genchi.yaml"
    source = 'sources: [{name: spend, format: litellm, dsn: "${DATABASE_URL}"}]'
    path.write_text(f"app: x\nlake: lake\n{source}\n", encoding="utf-8")
    found = list(doctor.examine(load.load_config(path, {"DATABASE_URL": dsn}), DAY))
    assert doctor.Finding("ok", f"source spend: 7 rows for {DAY} at {postgres.shown_dsn(dsn)}") in found
    gone = doctor.examine(load.load_config(path, {"DATABASE_URL": dsn.replace("/postgres", "/nowhere")}), DAY)
    assert [finding.text for finding in gone if not finding.fine and "nowhere" in finding.text]
    assert PASSWORD not in repr(load.load_config(path, {"DATABASE_URL": dsn}))
