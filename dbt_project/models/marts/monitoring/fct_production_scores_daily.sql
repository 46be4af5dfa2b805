with scores as (
    select * from {{ ref('int_scored_calls') }}
    where {{ is_day_to_build(ref('stg_scores')) }}
),

counted as (
    select
        day,
        route,
        model_served,
        criterion,
        count(is_passed) as n,
        count(*) - count(is_passed) as n_unscored,
        {{ count_if('is_passed') }} / nullif(cast(count(is_passed) as double), 0) as pass_rate
    from scores
    group by day, route, model_served, criterion
)

select
    day,
    route,
    model_served,
    criterion,
    n,
    n_unscored,
    cast(pass_rate as double) as pass_rate,
    {{ wilson('pass_rate', 'n', '-') }} as ci_low,
    {{ wilson('pass_rate', 'n', '+') }} as ci_high,
    {{ is_judge_changed('counted') }} as is_judge_changed
from counted
