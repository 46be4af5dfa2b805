{{ config(materialized='table') }}

{#- Every kind of breach comes from one of these models, which have the same columns. -#}
{%- set authors = ['features', 'traffic', 'candidates', 'production', 'pass_rates', 'pins', 'judges', 'lifetimes'] -%}

with breaches as (
    {% for author in authors -%}
        select
            day,
            kind,
            subject,
            severity,
            is_start,
            summary,
            explanation,
            evidence_json
        from {{ ref('int_breaches_of_' ~ author) }}
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

kinds as (
    select * from {{ ref('breach_kinds') }}
),

features as (
    select * from {{ ref('features') }}
),

criteria as (
    select * from {{ ref('int_pinned_criteria') }}
),

muted as (
    select
        *,
        {{ json_text('evidence_json', 'route') }} as route,
        {{ json_text('evidence_json', 'feature') }} as feature,
        {{ json_text('evidence_json', 'criterion') }} as criterion,
        {{ mute_words('day', 'subject', json_text('evidence_json', 'cause')) }} as mute
    from breaches
)

select
    muted.day,
    muted.kind,
    muted.subject,
    case when muted.mute is null then coalesce(muted.severity, kinds.severity) else 'info' end as severity,
    coalesce(criteria.need, features.need, kinds.need) as need,
    kinds.about,
    kinds.rank,
    muted.is_start,
    muted.summary,
    muted.explanation,
    muted.mute,
    muted.evidence_json
from muted
left join kinds on muted.kind = kinds.kind
left join features on {{ seed_feature('muted.feature') }} = features.feature
left join criteria
    on
        muted.route = criteria.route
        and (muted.criterion = criteria.criterion or muted.feature = 'criterion:' || criteria.criterion)
        and muted.day >= criteria.day
        and (muted.day < criteria.next_day or criteria.next_day is null)
