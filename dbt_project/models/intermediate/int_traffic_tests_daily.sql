{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='sync_all_columns',
    tags=['evidence']
) }}

{#- The tests of a night that have no row among the features of texts, with that night's labels of their topics and
    groups. The labels are kept because breaches are written again each night, when the lake may have removed them. -#}
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
    coalesce(groups.example_call_ids, topics.example_call_ids) as example_call_ids,
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
