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
        units.subject_id,
        max(case when breaches.feature = units.kind || units.member then 1 else 0 end) as value
    from breaches
    inner join {{ ref('int_mix_units') }} as units
        on
            breaches.day = units.day
            and breaches.route = units.route
            and breaches.side = units.side
            and {{ seed_feature('breaches.feature') }} = units.kind
            -- A text always has a language, so there is no unit without one.
            and (
                units.member is null
                or units.kind = 'language:'
                or breaches.feature = units.kind || units.member
            )
    where
        units.day between {{ first_day() }} and {{ last_day() }}
        and units.kind in ('error:', 'tool:', 'language:', 'field:', 'field_type:')
    group by
        breaches.day, breaches.route, breaches.side, breaches.feature, breaches.has_risen, units.subject_id
    union all
    {% for relation, value in [(ref('int_field_numbers'), 'value'), (ref('int_scored_calls'), 'is_passed')] -%}
        select
            breaches.day,
            breaches.route,
            breaches.side,
            breaches.feature,
            breaches.has_risen,
            found.subject_id,
            cast(found.{{ value }} as double) as value
        from breaches
        inner join {{ relation }} as found
            on
                breaches.day = found.day
                and breaches.route = found.route
                and breaches.side = found.side
                and breaches.feature = found.feature
        where found.day between {{ first_day() }} and {{ last_day() }}
        {{ 'union all' if not loop.last }}
    {% endfor -%}
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
