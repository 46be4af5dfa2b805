{#- Newcombe's interval of a difference of two rates (1998, Statistics in Medicine 17:873, method 10): Wilson's limits
    of each, put together as variances. -#}
{%- set signals = (logged_signals() | list) + derived_signals() -%}
{%- set days_back = 7 -%}

with days as (
    select distinct day
    from {{ ref('int_call_signals') }}
    where {{ is_built_day() }}
),

signals as (
    select * from {{ ref('int_call_signals') }}
    where day between {{ window_start(window_start(first_day())) }} and {{ last_day() }}
),

rated as (
    select * from signals
    where negative_feedback is not null
),

-- Feedback that came on a later day than its call has a row of its own, without what was derived of the call's day.
joined as (
    select
        rated.day,
        rated.route,
        rated.subject_id,
        {% for signal in signals -%}
            max(cast(signals.{{ signal }} as integer)) as {{ signal }},
        {% endfor -%}
        max(cast(rated.negative_feedback as integer)) as is_negative
    from rated
    inner join signals
        on
            rated.subject_id = signals.subject_id
            and rated.route = signals.route
            and signals.day between cast({{ dateadd('day', -days_back, 'rated.day') }} as date) and rated.day
    group by rated.day, rated.route, rated.subject_id
),

turned as (
    {%- for signal in signals %}
        select
            day,
            route,
            '{{ signal }}' as feature,
            {{ signal }} as is_on,
            is_negative
        from joined
        where {{ signal }} is not null
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        days.day,
        turned.route,
        turned.feature,
        {{ count_if('is_on = 1') }} as n_with,
        {{ count_if('is_on = 0') }} as n_without,
        cast({{ count_if('is_on = 1 and is_negative = 1') }} as double) as negative_with,
        cast({{ count_if('is_on = 0 and is_negative = 1') }} as double) as negative_without
    from days
    inner join turned on turned.day between {{ window_start('days.day') }} and days.day
    group by days.day, turned.route, turned.feature
),

rates as (
    select
        *,
        negative_with / nullif(n_with, 0) as rate_with,
        negative_without / nullif(n_without, 0) as rate_without
    from counted
),

limits as (
    select
        *,
        {{ wilson('rate_with', 'n_with', '-') }} as low_with,
        {{ wilson('rate_with', 'n_with', '+') }} as high_with,
        {{ wilson('rate_without', 'n_without', '-') }} as low_without,
        {{ wilson('rate_without', 'n_without', '+') }} as high_without
    from rates
)

select
    day,
    route,
    feature,
    n_with,
    n_without,
    rate_with,
    rate_without,
    rate_with - rate_without as lift,
    rate_with - rate_without - sqrt(power(rate_with - low_with, 2) + power(high_without - rate_without, 2)) as ci_low,
    rate_with - rate_without + sqrt(power(high_with - rate_with, 2) + power(rate_without - low_without, 2)) as ci_high
from limits
