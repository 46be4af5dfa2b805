{{ config(
    incremental_strategy='replace_days',
    on_schema_change='sync_all_columns'
) }}

{%- set days = is_day_to_build(ref('int_text_features')) %}

with pairs as (
    select * from {{ ref('int_pairs') }}
    where {{ days }}
),

texts as (
    select * from {{ ref('int_text_features') }}
    where {{ days }}
),

{% for side in ['input', 'output'] -%}
    {{ side }}s as (
        select
            day,
            origin,
            route,
            subject_id,
            characters,
            json_valid,
            script,
            asks_for_json
        from texts
        where side = '{{ side }}'
    ),

{% endfor -%}
measured as (
    select
        pairs.*,
        -- The names in all formats: response_format, text.format, responseMimeType.
        coalesce({{ matches('pairs.params_json', '"json_(object|schema)"|"application/json"') }}, false)
        or coalesce(inputs.asks_for_json, false) as asks_for_json,
        inputs.script = outputs.script as script_kept,
        outputs.characters / nullif(cast(inputs.characters as double), 0) as length_ratio,
        outputs.json_valid as has_json
    from pairs
    {% for side in ['inputs', 'outputs'] -%}
        left join {{ side }}
            on
                pairs.day = {{ side }}.day
                and pairs.origin = {{ side }}.origin
                and pairs.route = {{ side }}.route
                and pairs.subject_id = {{ side }}.subject_id
    {% endfor -%}
),

-- The features of the workspace's own features.csv.
valued as (
    select
        {{ own_values(['pair']) }}
        *
    from measured
)

select
    {{ text_keys() | join(', ') }},

    {{ own_columns(['pair']) }}
    case when asks_for_json then has_json end as json_kept,
    script_kept,
    length_ratio,
    is_error as failed,
    finish_reason in ('length', 'max_tokens') as truncated,
    tool_calls,
    tool_failed,
    latency_ms,
    input_tokens,
    output_tokens,
    cost_usd
from valued
