{#- A pinned model that its provider is about to end, or has ended. -#}
with pinned as (
    select
        day,
        model,
        min(ends_on) as ends_on
    from {{ ref('fct_model_frontier') }}
    where arm = 'pinned' and run_id = {{ nightly_run_id('day') }}
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
    || case when days_left > 0 then 'ends' else 'ended' end || ' on ' || {{ as_text('ends_on') }}
    || case
        when days_left > 0 then ', ' || {{ as_text('days_left') }} || ' days from ' || {{ as_text('day') }}
        else ''
    end
    || ', as its provider has announced.' as summary,
    '' as explanation,
    {{ json_object([
        ('model', 'model'),
        ('ends_on', as_text('ends_on')),
        ('days_left', 'days_left'),
    ]) }} as evidence_json
from counted
where days_left <= {{ threshold('end_of_life_days') }}
