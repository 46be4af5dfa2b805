{#- A pinned model that its provider is about to end, or has ended. -#}
with pinned as (
    select
        day,
        model,
        min(ends_on) as ends_on
    from {{ ref('fct_model_frontier') }}
    where arm = 'pinned' and run_id = 'nightly-' || cast(day as varchar)
    group by day, model
),

counted as (
    select
        *,
        {{ datediff('day', 'ends_on', 'day') }} as days_left
    from pinned
)

select
    day,
    'end_of_life' as kind,
    {{ subject_part('model') }} as subject,
    'warning' as severity,
    true as is_start,
    model || ', which is pinned, '
    || case when days_left > 0 then 'ends' else 'ended' end || ' on ' || cast(ends_on as varchar)
    || case
        when days_left > 0 then ', ' || cast(days_left as varchar) || ' days from ' || cast(day as varchar)
        else ''
    end
    || ', as its provider has announced.' as summary,
    '' as explanation,
    {{ json_object([
        ('model', 'model'),
        ('ends_on', 'cast(ends_on as varchar)'),
        ('days_left', 'days_left'),
    ]) }} as evidence_json
from counted
where days_left <= {{ threshold('end_of_life_days') }}
