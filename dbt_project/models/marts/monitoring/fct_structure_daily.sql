with outputs as (
    select * from {{ ref('int_text_features') }}
    where origin = 'production' and side = 'output' and {{ is_day_to_build(ref('int_text_features')) }}
),

truncated_calls as (
    select
        day,
        subject_id
    from {{ ref('int_pair_features') }}
    where origin = 'production' and truncated and {{ is_day_to_build(ref('int_text_features')) }}
),

schema_scores as (
    select
        day,
        subject_id,
        is_passed
    from {{ ref('stg_scores') }}
    where
        subject = 'interaction'
        and criterion = 'output_schema'
        and {{ is_day_to_build(ref('int_text_features')) }}
)

select
    outputs.day,
    outputs.route,
    outputs.model_served,
    count(*) as outputs,
    {{ count_if('outputs.json_valid') }} as json_valid,
    case
        when count(schema_scores.is_passed) > 0 then {{ count_if('schema_scores.is_passed') }}
    end as schema_valid,
    case when count(schema_scores.subject_id) > 0 then count(schema_scores.is_passed) end as schema_checked,
    {{ count_if('outputs.refusal') }} as refusals,
    count(truncated_calls.subject_id) as truncations,
    {{ count_if('outputs.empty') }} as empty
from outputs
left join truncated_calls
    on outputs.day = truncated_calls.day and outputs.subject_id = truncated_calls.subject_id
left join schema_scores
    on outputs.day = schema_scores.day and outputs.subject_id = schema_scores.subject_id
group by outputs.day, outputs.route, outputs.model_served
