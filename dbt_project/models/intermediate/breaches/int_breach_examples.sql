{{ config(materialized='incremental', incremental_strategy='replace_days', tags=['evidence']) }}

{#- Calls of the day that show a change: with the flag where its share rose and without it where it fell; for a number
    the largest or the smallest values. Ties are resolved by the hash of the ids. -#}
{%- set features = features_of(ref('int_text_features')) -%}
{%- set pair_features = features_of(ref('int_pair_features')) -%}
{%- set examples = 3 -%}
-- depends_on: {{ ref('features') }}

with breaches as (
    select
        day,
        route,
        side,
        feature,
        {{ bool_or('coalesce(effect > 0, value_current > value_reference)') }} as has_risen
    from {{ ref('fct_feature_skew_daily') }}
    where model_served = '*' and prompt_version = '*' and (is_breach or is_ongoing) and {{ is_built_day() }}
    group by day, route, side, feature
),

measured as (
    {% for relation, columns in [(ref('int_text_features'), features), (ref('int_pair_features'), pair_features)] -%}
        select
            breaches.day,
            breaches.route,
            breaches.side,
            breaches.feature,
            breaches.has_risen,
            texts.subject_id,
            {{ value_of(columns, 'breaches.feature', 'texts') }} as value
        from breaches
        inner join {{ relation }} as texts
            on
                breaches.day = texts.day
                and breaches.route = texts.route
                and breaches.side = texts.side
                and texts.origin = 'production'
        where texts.day between {{ first_day() }} and {{ last_day() }}
        union all
    {% endfor -%}
    select
        breaches.day,
        breaches.route,
        breaches.side,
        breaches.feature,
        breaches.has_risen,
        scores.subject_id,
        cast(scores.is_passed as integer) as value
    from breaches
    inner join {{ ref('int_scored_calls') }} as scores
        on
            breaches.day = scores.day
            and breaches.route = scores.route
            and breaches.side = scores.side
            and breaches.feature = scores.feature
    where scores.day between {{ first_day() }} and {{ last_day() }}
),

ordered as (
    select
        *,
        row_number() over (
            partition by day, route, side, feature
            order by case when has_risen then -value else value end, {{ sample_rank('subject_id') }}
        ) as place
    from measured
    where value is not null
)

select
    day,
    route,
    side,
    feature,
    {{ gathered('subject_id', 'place') }} as example_call_ids
from ordered
where place <= {{ examples }}
group by day, route, side, feature
