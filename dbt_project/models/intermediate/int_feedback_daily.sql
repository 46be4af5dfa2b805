{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='sync_all_columns'
) }}

{#- What was said of a call, or done with its answer, on one day, as the log has it: of calls of that day or of a week
    before. -#}
{%- set signals = logged_signals() -%}
{%- set days = is_day_to_build(ref('stg_interactions')) -%}

with feedback as (
    select * from {{ ref('stg_feedback') }}
    where call_id is not null and {{ days }}
),

calls as (
    select
        day,
        call_id,
        route,
        output_text
    from {{ ref('int_calls') }}
    where {{ days }} or {{ is_day_of_feedback() }}
),

marked as (
    select
        *,
        {%- for signal, kinds in signals.items() %}
            lower(kind) in (
                '{{ kinds | join("', '") }}'
            ) as is_{{ signal }},
            {{ 'edited_output is not null' if signal == 'answer_edited' else 'false' }} as is_{{ signal }}_by_text,
        {%- endfor %}
        coalesce(origin = 'explicit', false) as is_explicit,
        lower({{ trimmed("coalesce(given_value, '')") }}) in ('0', '0.0', 'false', 'no') as is_off,
        {{ is_negative('kind', 'given_value') }} as is_negative
    from feedback
),

gathered as (
    select
        day,
        call_id,
        max(case when is_explicit then cast(is_negative as integer) end) = 1 as negative_feedback,
        {%- for signal in signals %}
            max(
                case when (is_{{ signal }} and not is_off) or is_{{ signal }}_by_text then 1 else 0 end
            ) = 1 as {{ signal }},
        {%- endfor %}
        max(edited_output) as edited_output
    from marked
    group by day, call_id
),

placed as (
    select
        gathered.*,
        calls.day as called_on,
        calls.route,
        {{ edit_likeness('calls.output_text', 'gathered.edited_output') }} as edit_likeness,
        row_number() over (partition by gathered.day, gathered.call_id order by calls.day desc) as place
    from gathered
    inner join calls
        on
            gathered.call_id = calls.call_id
            and calls.day between cast({{ dateadd('day', '-7', 'gathered.day') }} as date) and gathered.day
)

select
    day,
    call_id,
    called_on,
    route,
    negative_feedback,
    {{ signals | join(',\n    ') }},
    edit_likeness
from placed
where place = 1
