"""The calls of a day from which a queue is drawn, in DuckDB: few columns of all of them, and no texts.

A call is of the first kind that it has: it is named by an open incident, or has the release, prompt version or model
that one is about; it is of a topic that is new; a user was not content with it; it is among the slowest or dearest of
its route. Its verdict is that of the judge.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flows.errors import RunError, in_one_line
from flows.lake import SCHEMAS, Lake
from flows.review.queue.questions import Question
from flows.review.queue.strata import name_of

NEW_FOR_DAYS = 7
"""So long is a topic new."""
_LEAST_SHARE = 0.01  # of the day's calls; a route that is not configured and has less is a stray one
_TABLES = ("interactions", "feedback", "topic_catalog", "topics", "scores")
_CALLS = """
create temp table calls as
select
    call_id, coalesce(nullif(route, ''), 'default') as route, nullif(session_id, '') as session,
    coalesce(nullif(model_served, ''), 'unknown') as model, prompt_version, release, latency_ms, cost_usd
from lake_interactions
where status = 'success' and not coalesce(is_shadow, false) and call_id is not null
"""
# A rating of 1 or 2 is taken as one of five; 0, -1 and `false` are a thumb down.
_NOT_CONTENT = """
select distinct call_id
from lake_feedback
where
    coalesce(origin, 'explicit') = 'explicit'
    and (
        try_cast(value as double) <= 0
        or (regexp_matches(lower(kind), 'rating|star|csat') and try_cast(value as double) <= 2)
        or regexp_matches(lower(trim(value)), '^"?(thumbs?[ _-]?down|down|dislike|negative|bad|false|no|-)"?$')
        or regexp_matches(lower(kind), '^(thumbs?[ _-]?down|dislike)$')
    )
"""
_NEW_TOPICS = """
select distinct topic_id, topic_version, route
from lake_topic_catalog
where added_day between $first and $day
"""
_OF_NEW_TOPICS = """
select distinct call_id
from lake_topics
where
    origin = 'production'
    and (route, topic_id, topic_version) in (select (route, topic_id, topic_version) from new_topics)
"""
# What most calls have tells none of them apart.
_SUSPECT = """
insert into of_incidents
select call_id
from calls
where {column} = $value and (select avg(({column} is not distinct from $value)::int) from calls) <= 0.5
"""
_KINDS = """
create temp table pool as
with limits as (
    select
        route,
        quantile_cont(latency_ms, 0.99) as slow,
        quantile_cont(cost_usd, 0.99) as dear
    from calls
    group by route
)

select
    calls.*,
    case
        when calls.call_id in (select call_id from of_incidents) then 0
        when calls.call_id in (select call_id from of_new_topics) then 1
        when calls.call_id in (select call_id from not_content) then 2
        when calls.latency_ms > limits.slow or calls.cost_usd > limits.dear then 3
        else 4
    end as kind,
    coalesce(calls.latency_ms > limits.slow, false) as is_slow
from calls
inner join limits using (route)
"""
_JUDGED = """
create temp table judged as
select route, criterion, criterion_version, subject_id as call_id, any_value(passed) as passed
from lake_scores
where subject = 'interaction' and criterion in (select unnest(cast($criteria as varchar[])))
group by all
"""
_OF_QUESTION = """
from pool
left join judged
    on
        pool.call_id = judged.call_id
        and judged.route = $route
        and judged.criterion = $criterion
        and judged.criterion_version = $version
where
    pool.route = $route
    and (not $is_judged or judged.call_id is not null)
    and pool.call_id not in (select call_id from seen where route = $route and criterion = $criterion)
"""
_STRATUM = "pool.kind * 3 + case judged.passed when false then 0 when true then 1 else 2 end"
_UNITS = f"""
select
    pool.rowid as place,
    {_STRATUM} as stratum,
    md5_number_lower(concat_ws(chr(31), $seed, coalesce('s' || pool.session, 'c' || pool.call_id))) as cluster
{_OF_QUESTION}
"""
_SIZES = f"""
select {_STRATUM} as stratum, count(*), count(distinct coalesce('s' || pool.session, 'c' || pool.call_id))
{_OF_QUESTION}
group by stratum
"""


@dataclass(frozen=True)
class Units:
    """The calls of a question's pool, as arrays of the shape (n,): the place in the pool, and what the draw needs."""

    places: NDArray[np.int64]
    strata: NDArray[np.int64]
    clusters: NDArray[np.uint64]


@dataclass(frozen=True)
class Suspects:
    """What open incidents name: calls by their ids, and values of a column of calls (`release`, `model`, ...)."""

    call_ids: Sequence[str] = ()
    values: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class DayPool:
    """The calls of a day with their kinds, and the verdicts of the judge; in the memory of one connection."""

    connection: duckdb.DuckDBPyConnection

    def routes(self, configured: Mapping[str, object]) -> list[str]:
        """The routes to draw from: those that are configured, and others with a hundredth of the calls or more."""
        found = self.connection.execute("select route, count(*) from calls group by route order by route").fetchall()
        total = sum(count for _, count in found)
        return [route for route, count in found if route in configured or count >= _LEAST_SHARE * total]

    def is_judged(self, question: Question) -> bool:
        """Whether the judge scored any call of the day by it."""
        sql = "select count(*) from judged where route = $route and criterion = $criterion" \
            " and criterion_version = $version"  # fmt: skip
        return bool(self._one(sql, _of(question)))

    def sizes(self, question: Question) -> dict[str, int]:
        """The number of calls in each stratum."""
        found = self.connection.execute(_SIZES, self._given(question)).fetchall()
        return {name_of(code): size for code, size, _ in sorted(found)}

    def sessions(self, question: Question) -> int:
        """The number of sessions; a call without one counts as its own."""
        sql = f"select count(distinct coalesce('s' || pool.session, 'c' || pool.call_id)) {_OF_QUESTION}"
        return self._one(sql, self._given(question))

    def units(self, question: Question, seed: str) -> Units:
        """All calls of the pool."""
        found = self.connection.execute(_UNITS, self._given(question) | {"seed": seed}).fetchnumpy()
        return Units(
            np.asarray(found["place"], np.int64),
            np.asarray(found["stratum"], np.int64),
            np.asarray(found["cluster"], np.uint64),
        )

    def calls(self, places: NDArray[np.int64]) -> list[tuple[str, bool]]:
        """The id of each of the calls at these places, and whether it is among the slowest."""
        sql = "select rowid, call_id, is_slow from pool where rowid in (select unnest(cast($places as bigint[])))"
        found = {row[0]: row[1:] for row in self.connection.execute(sql, {"places": places.tolist()}).fetchall()}
        return [found[place] for place in places.tolist()]

    def outside(self, question: Question, seed: str, count: int) -> list[tuple[str, int]]:
        """At most `count` calls that the judge has not seen and that are of no plain kind; each with its kind."""
        sql = """
            with beside as (
                select
                    call_id,
                    kind,
                    row_number() over (
                        partition by kind order by md5_number_lower(concat_ws(chr(31), $seed, call_id))
                    ) as place
                from pool
                where
                    route = $route
                    and kind < 3
                    and call_id not in (
                        select call_id from judged where route = $route and criterion = $criterion
                    )
                    and call_id not in (select call_id from seen where route = $route and criterion = $criterion)
            )

            select call_id, kind from beside order by place, kind limit $count
        """
        given = {"route": question.route, "criterion": question.criterion, "seed": seed, "count": count}
        return self.connection.execute(sql, given).fetchall()

    def _given(self, question: Question) -> dict[str, object]:
        return _of(question) | {"is_judged": self.is_judged(question)}

    def _one(self, sql: str, given: Mapping[str, object]) -> int:
        (found,) = self.connection.execute(sql, given).fetchone() or (0,)
        return int(found)


def _of(question: Question) -> dict[str, object]:
    return {"route": question.route, "criterion": question.criterion, "version": question.version}


@contextmanager
def open_pool(
    lake: Lake, day: date, criteria: Sequence[str], suspects: Suspects, seen: Collection[tuple[str, str, str]]
) -> Iterator[DayPool]:
    """The pool of a day, for as long as the block takes. `criteria` are the names of those that a judge scores.

    `seen` are (route, criterion, call_id) that were in a queue before. Raises RunError where a file cannot be read.
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        lake.open_to(connection)
        try:
            _fill(connection, lake, day, criteria, suspects)
            columns = zip(*seen, strict=True) if seen else ((), (), ())
            names = ("route", "criterion", "call_id")
            arrays = (pa.array(column, pa.string()) for column in columns)
            connection.register("seen", pa.table(dict(zip(names, arrays, strict=True))))
            yield DayPool(connection)
        except duckdb.Error as error:
            raise RunError(f"the calls of {day} for the queue: {in_one_line(error)}") from None


def _fill(
    connection: duckdb.DuckDBPyConnection, lake: Lake, day: date, criteria: Sequence[str], suspects: Suspects
) -> None:
    for table in _TABLES:
        _show(connection, lake, day, table)
    connection.execute(_CALLS)
    connection.execute("create temp table of_incidents as select unnest(cast($ids as varchar[])) as call_id",
                       {"ids": list(suspects.call_ids)})  # fmt: skip
    for column, value in suspects.values:
        connection.execute(_SUSPECT.format(column=column), {"value": value})
    connection.execute(f"create temp table not_content as {_NOT_CONTENT}")
    days = {"day": day, "first": day - timedelta(days=NEW_FOR_DAYS - 1)}
    connection.execute(f"create temp table new_topics as {_NEW_TOPICS}", days)
    connection.execute(f"create temp table of_new_topics as {_OF_NEW_TOPICS}")
    connection.execute(_KINDS)
    connection.execute(_JUDGED, {"criteria": list(criteria)})


def _show(connection: duckdb.DuckDBPyConnection, lake: Lake, day: date, table: str) -> None:
    """A view `lake_<table>` of one day, with all columns of its schema, also where older files lack some."""
    connection.register(f"none_of_{table}", SCHEMAS[table].empty_table())
    rows = f"select * from none_of_{table}"
    if files := [str(place) for place in lake.files(table, day)]:
        connection.read_parquet(files, union_by_name=True, hive_partitioning=False).create_view(f"files_of_{table}")
        rows = f"select * from files_of_{table} union all by name {rows}"
    connection.execute(f"create temp view lake_{table} as {rows}")
