{#- A pinned model that has changed while its name stayed the same. -#}
with pins as (
    select * from {{ ref('fct_pin_integrity_daily') }}
    where is_changed
)

select
    day,
    'pin_changed' as kind,
    {{ subject_part('model') }} as subject,
    cast(null as {{ type_string() }}) as severity,
    true as is_start,
    {{ pin_changed_sentence() }} as summary,
    '' as explanation,
    {{ json_object([
        ('model', 'model'),
        ('served_names', 'served_names'),
        ('last_served_names', 'last_served_names'),
        ('fingerprints', 'fingerprints'),
        ('last_fingerprints', 'last_fingerprints'),
        ('p_value', 'p_value'),
        ('n_prompts', 'n_prompts'),
        ('n_answers', 'n_answers'),
    ]) }} as evidence_json
from pins
