{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='sync_all_columns'
) }}

with pairs as (
    select * from {{ ref('int_pairs') }}
    where {{ is_day_to_build(source('lake', 'interactions')) }}
),

measured as (
    select
        *,
        -- Of all formats' names for it: response_format, text.format, responseMimeType.
        coalesce({{ matches('params_json', '"json_(object|schema)"|"application/json"') }}, false)
        or coalesce({{ has_part('lower(input_text)', 'json') }}, false)
        or coalesce({{ json_kind('input_text') }} in ('OBJECT', 'ARRAY'), false) as asks_for_json,
        {{ dominant_script('input_text') }} as input_script,
        {{ dominant_script('output_text') }} as output_script,
        {{ json_kind('output_text') }} is not null as has_json
    from pairs
)

select
    {{ text_keys() | join(', ') }},

    case when asks_for_json and output_text is not null then has_json end as json_kept,
    input_script = output_script as script_kept,
    length(output_text) / nullif(1.0 * length(input_text), 0) as length_ratio,
    is_error as failed,
    finish_reason in ('length', 'max_tokens') as truncated,
    latency_ms
from measured
