{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='sync_all_columns',
    tags=['evidence']
) }}

{#- The tests of a night that have no row among the features of texts, with that night's labels of their topics and
    groups. The labels are kept because breaches are written again each night, when the lake may have removed them.
    A topic's examples are the day's inputs nearest to its centre; those of its catalog on a day without any. -#}
{%- set examples = 5 -%}

with night as (
    select * from {{ ref('int_night_tests') }}
    where kind in ('volume', 'group') or feature like 'topic:%'
),

groups as (
    select * from {{ ref('stg_topic_tests') }}
    where {{ is_built_day() }}
),

topics as (
    select
        *,
        added_day is not null as is_added
    from {{ ref('stg_topic_catalog') }}
    where side = 'input' and {{ is_built_day() }}
),

inputs as (
    select
        texts.day,
        texts.route,
        texts.topic_series,
        texts.subject_id,
        row_number() over (
            partition by texts.day, texts.route, texts.topic_series
            order by texts.distance, {{ sample_rank('texts.subject_id') }}
        ) as place
    from {{ ref('stg_topics') }} as texts
    inner join night
        on
            texts.day = night.day
            and texts.route = night.route
            and night.feature = 'topic:' || texts.topic_series
    where
        texts.side = 'input'
        and texts.origin = 'production'
        and {{ is_built_day('texts.day') }}
        and (night.is_breach or night.is_ongoing)
),

inputs_of_topics as (
    select
        day,
        route,
        topic_series,
        {{ gathered('subject_id', 'place') }} as example_call_ids
    from inputs
    where place <= {{ examples }}
    group by day, route, topic_series
)

select
    night.day,
    night.route,
    night.side,
    night.feature,
    night.kind,
    night.observed,
    night.expected,
    night.effect,
    night.n,
    night.window_nights,
    night.moved,
    night.p_value,
    night.q_value,
    night.is_breach,
    night.is_ongoing,
    groups.n as n_group,
    coalesce(groups.label, topics.label) as topic_label,
    coalesce(groups.example_call_ids, inputs_of_topics.example_call_ids, topics.example_call_ids) as example_call_ids,
    coalesce(topics.is_added, false) as is_added
from night
left join groups
    on
        night.day = groups.day
        and night.route = groups.route
        and night.side = groups.side
        and night.feature = groups.test || coalesce(':' || groups.topic_id, '')
left join topics
    on
        night.day = topics.day
        and night.route = topics.route
        and night.feature = 'topic:' || topics.topic_series
left join inputs_of_topics
    on
        night.day = inputs_of_topics.day
        and night.route = inputs_of_topics.route
        and night.feature = 'topic:' || inputs_of_topics.topic_series
