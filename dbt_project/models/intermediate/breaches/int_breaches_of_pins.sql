{#- A pinned model that is no longer the same. -#}
with pins as (
    select
        *,
        case
            when is_renamed
                then
                    ' It calls itself ' || {{ listed('served_names') }} || ', and no longer '
                    || {{ listed('last_served_names') }} || ' as on the night before.'
            else ''
        end
        || case
            when is_unlike
                then
                    ' Its answers to ' || cast(n_prompts as varchar) || ' prompts are unlike those of the past (p = '
                    || {{ figure('p_value') }} || ').'
            else ''
        end
        || case when is_refingerprinted then ' Its fingerprint is another one, too.' else '' end as why
    from {{ ref('fct_pin_integrity_daily') }}
    where is_changed
)

select
    day,
    'pin_changed' as kind,
    {{ subject_part('model') }} as subject,
    'critical' as severity,
    true as is_start,
    'The pinned model ' || model || ' is no longer what it was.' as summary,
    why as explanation,
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
