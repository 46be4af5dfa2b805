"""The models' answers to the holdouts. One row per configured model and evaluated route."""

from datetime import date

import great_expectations as gx
import pandas as pd
import pyarrow as pa

from expectations import frames
from expectations.vocabulary import Words, at_most, none
from flows.config import Config, Severity
from flows.lake import nightly_run_id

NAME = "eval_outputs"

# The unscored share is that of the worst criterion: one that could never be scored must not be averaged away.
_SQL = """
with frozen as (
    select distinct route, example_id from examples where "set" = 'holdout'
),

sizes as (
    select route, count(*) as examples from frozen group by route
),

answers as (
    select
        model,
        route,
        count(distinct (example_id, repeat)) as asked,
        count(*) filter (status = 'ok') as answered,
        count(*) filter (status = 'ok' and coalesce(trim(output_text), '') = '') as empty,
        count(*) filter (error_class = 'refused_request') as refused,
        min(error_message) filter (error_class = 'refused_request') as refusal,
        count(response_id) filter (status = 'ok') as with_id,
        count(distinct response_id) filter (status = 'ok') as distinct_ids
    from completions
    semi join frozen using (route, example_id)
    group by model, route
),

failures as (
    select model, route, error_class, count(*) as n, min(error_message) as told
    from completions
    semi join frozen using (route, example_id)
    where status <> 'ok'
    group by model, route, error_class
),

reasons as (
    select
        model,
        route,
        string_agg(
            case
                when error_class = 'not_sent' then n || ' ' || coalesce(told, 'not sent')
                else coalesce(error_class, 'unknown') || ' ' || n
            end,
            ', ' order by n desc, error_class
        ) as no_answers
    from failures
    group by model, route
),

unscored as (
    select
        model,
        route,
        criterion,
        count(*) filter (score is null) / count(*) as share,
        min(reason) filter (score is null) as reason
    from scores
    where subject = 'completion'
    group by model, route, criterion
),

worst as (
    select
        model,
        route,
        max(share) as share,
        arg_max(criterion, (share, criterion)) as criterion,
        arg_max(reason, (share, criterion)) as reason
    from unscored
    group by model, route
)

select
    expected.route || '/' || expected.model as subject,
    expected.arm,
    least(coalesce(examples, 0), coalesce(expected."limit", examples, 0)) * repeats as due,
    coalesce(asked, 0) as asked,
    case when asked is null then greatest(due, 1) else due - asked end as unasked,
    coalesce(answered, 0) as answered,
    case when asked > 0 then coalesce(worst.share, 1.0) end as unscored_share,
    coalesce(worst.criterion, 'every criterion') as unscored_criterion,
    coalesce(empty, 0) as empty,
    empty / nullif(answered, 0) as empty_share,
    coalesce(refused, 0) as refused,
    coalesce(refusal, '') as refusal,
    coalesce(' (requests without an answer: ' || no_answers || ')', ' (' || worst.reason || ')', '') as no_answers,
    coalesce(with_id - distinct_ids, 0) as repeated_ids
from expected
left join sizes on sizes.route = expected.route
left join answers on answers.route = expected.route and answers.model = expected.model
left join reasons on reasons.route = expected.route and reasons.model = expected.model
left join worst on worst.route = expected.route and worst.model = expected.model
order by expected.arm desc, subject
"""


def frame(config: Config, day: date) -> pd.DataFrame:
    """Counts and shares of each model's answers in the night's run; no answers give a row of zeros."""
    lake = config.open_lake()
    files = frames.of_day(lake, day, "examples") | frames.of_run(
        lake, day, nightly_run_id(day), "completions", "scores"
    )
    expected = [
        {
            "model": model.name,
            "arm": model.arm,
            "route": name,
            "repeats": route.repeats,
            "limit": route.limit,
        }
        for name, route in config.evaluated_routes().items()
        for model in config.models_on(name)
    ]
    columns = [(name, pa.string()) for name in ("model", "arm", "route")]
    columns += [(name, pa.int64()) for name in ("repeats", "limit")]
    return frames.select(lake, files, _SQL, expected=pa.Table.from_pylist(expected, schema=pa.schema(columns)))


def suite(config: Config) -> gx.ExpectationSuite:
    """The expectations on each model's answers: stricter for the pinned model, which users depend on."""
    limits = config.limits
    arms: list[tuple[str, Severity]] = [("pinned", "critical"), ("candidate", "warning")]
    return gx.ExpectationSuite(
        name=NAME,
        expectations=[
            *(
                none(
                    "unasked",
                    severity,
                    Words(
                        f"{arm}_examples_asked",
                        "every example of the holdout requested, with all its repeats",
                        "{asked:,} of {due:,} requested",
                        arm=arm,
                    ),
                )
                for arm, severity in arms
            ),
            *(
                at_most(
                    "unscored_share",
                    limits["max_unscored_share"],
                    severity,
                    Words(
                        f"{arm}_answers_scored",
                        "at most {limit} unscored",
                        "{unscored_share:.1%} unscored by {unscored_criterion}{no_answers}",
                        arm=arm,
                    ),
                )
                for arm, severity in arms
            ),
            none(
                "refused",
                "warning",
                Words(
                    "requests_accepted",
                    "no request refused",
                    "{refused:,} of {asked:,} requests refused, which counts as failed answers: {refusal}",
                ),
            ),
            none(
                "repeated_ids",
                "warning",
                Words(
                    "response_ids_distinct",
                    "no duplicate response id",
                    "{repeated_ids:,} of {answered:,} answers with a duplicate response id",
                ),
            ),
            at_most(
                "empty_share",
                limits["max_empty_share"],
                "warning",
                Words(
                    "answers_not_empty",
                    "at most {limit} of the answers empty",
                    "{empty:,} of {answered:,} answers empty ({empty_share:.1%})",
                ),
            ),
        ],
    )
