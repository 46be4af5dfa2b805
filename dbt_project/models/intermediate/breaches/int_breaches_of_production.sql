{#- Production below the minimum pass rate of a criterion, by the whole interval. -#}
with daily as (
    select
        day,
        route,
        criterion,
        sum(n) as n,
        sum(n_unscored) as n_unscored,
        sum(n * pass_rate) / nullif(cast(sum(n) as double), 0) as pass_rate
    from {{ ref('fct_production_scores_daily') }}
    group by day, route, criterion
),

rates as (
    select
        *,
        {{ wilson('pass_rate', 'n', '-') }} as ci_low,
        {{ wilson('pass_rate', 'n', '+') }} as ci_high
    from daily
),

minimums as (
    select * from {{ ref('int_pinned_criteria') }}
),

below as (
    select
        rates.*,
        minimums.severity,
        minimums.min_pass_rate
    from rates
    inner join minimums
        on
            rates.route = minimums.route
            and rates.criterion = minimums.criterion
            and rates.day >= minimums.day
            and (rates.day < minimums.next_day or minimums.next_day is null)
    where rates.ci_high < minimums.min_pass_rate and rates.n >= {{ threshold('min_calls', 'rates.route') }}
)

select
    day,
    'below_minimum' as kind,
    {{ subject_part('route') }} || '/output/' || {{ subject_part("'criterion:' || criterion") }} as subject,
    severity,
    true as is_start,
    {{ below_minimum_sentence() }} as summary,
    '' as explanation,
    {{ json_object([
        ('route', 'route'),
        ('side', "'output'"),
        ('feature', "'criterion:' || criterion"),
        ('criterion', 'criterion'),
        ('value_current', 'pass_rate'),
        ('min_pass_rate', 'min_pass_rate'),
        ('ci_low', 'ci_low'),
        ('ci_high', 'ci_high'),
        ('n_current', 'n'),
        ('n_unscored', 'n_unscored'),
    ]) }} as evidence_json
from below
