{#- A pinned model that its provider will soon end, or has ended. -#}
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
    cast(null as {{ type_string() }}) as severity,
    true as is_start,
    {{ end_of_life_sentence() }} as summary,
    '' as explanation,
    {{ json_object([
        ('model', 'model'),
        ('ends_on', as_text('ends_on')),
        ('days_left', 'days_left'),
    ]) }} as evidence_json
from counted
where days_left <= {{ threshold('end_of_life_days') }}
