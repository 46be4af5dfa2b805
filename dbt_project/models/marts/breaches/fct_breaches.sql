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

-- What is still open begins with a day on which it was beyond doubt; days before that are none of its nights.
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
)

select
    day,
    kind,
    subject,
    severity,
    summary
    || case
        when nights > 1 then ' Night ' || cast(nights as varchar) || ', since ' || cast(first_seen as varchar) || '.'
        else ''
    end
    || explanation as summary,
    evidence_json,
    first_seen,
    nights
from counted
