{#- Every kind of breach comes from one of these models, which have the same columns. -#}
{%- set authors = ['features', 'traffic', 'candidates', 'pass_rates', 'pins', 'lifetimes'] -%}

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

preceded as (
    select
        *,
        lag(day) over (partition by kind, subject order by day) as preceding_day
    from breaches
),

grouped as (
    select
        *,
        sum(case when preceding_day = {{ day_before('day') }} then 0 else 1 end) over (
            partition by kind, subject order by day rows between unbounded preceding and current row
        ) as island
    from preceded
),

-- An open breach begins on a day on which it met all thresholds; the days before do not count.
begun as (
    select
        *,
        min(case when is_start then day end) over (partition by kind, subject, island) as first_seen
    from grouped
),

counted as (
    select
        *,
        row_number() over (partition by kind, subject, island order by day) as nights
    from begun
    where day >= first_seen
),

muted as (
    select
        *,
        {{ mute_words('day', 'subject', json_text('evidence_json', 'cause')) }} as mute
    from counted
)

select
    muted.day,
    muted.kind,
    muted.subject,
    case when muted.mute is null then coalesce(muted.severity, kinds.severity) else 'info' end as severity,
    muted.summary || {{ since_words() }} || muted.explanation || coalesce(' ' || muted.mute || '.', '') as summary,
    muted.evidence_json,
    muted.first_seen,
    muted.nights
from muted
left join kinds on muted.kind = kinds.kind
