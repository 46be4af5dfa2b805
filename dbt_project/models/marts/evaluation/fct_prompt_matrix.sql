with comparisons as (
    select * from {{ ref('int_comparisons') }}
    where slice = '*' and {{ is_day_to_build(ref('stg_model_variants')) }} and not {{ is_shadow_run() }}
),

model_variants as (
    select * from {{ ref('stg_model_variants') }}
),

sufficiency as (
    select * from {{ ref('int_sufficiency') }}
)

select
    comparisons.day,
    comparisons.run_id,
    comparisons.route,
    model_variants.base as base_model,
    model_variants.prompt_version,
    model_variants.n_shots,
    comparisons.criterion,
    comparisons.candidate as entrant,
    comparisons.severity,
    comparisons.delta,
    comparisons.ci_low,
    comparisons.ci_high,
    comparisons.q_value,
    comparisons.verdict,
    sufficiency.is_not_worse
from comparisons
inner join model_variants
    on
        comparisons.day = model_variants.day
        and comparisons.run_id = model_variants.run_id
        and comparisons.route = model_variants.route
        and comparisons.candidate = model_variants.model
inner join sufficiency
    on
        comparisons.day = sufficiency.day
        and comparisons.run_id = sufficiency.run_id
        and comparisons.route = sufficiency.route
        and comparisons.candidate = sufficiency.candidate
