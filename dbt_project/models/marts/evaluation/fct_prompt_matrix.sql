with comparisons as (
    select * from {{ ref('int_comparisons') }}
    where slice = '*' and {{ is_day_to_build(ref('stg_entrants')) }} and not {{ is_shadow_run() }}
),

entrants as (
    select * from {{ ref('stg_entrants') }}
),

sufficiency as (
    select * from {{ ref('int_sufficiency') }}
)

select
    comparisons.day,
    comparisons.run_id,
    comparisons.route,
    entrants.base as base_model,
    entrants.prompt_version,
    entrants.n_shots,
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
inner join entrants
    on
        comparisons.day = entrants.day
        and comparisons.run_id = entrants.run_id
        and comparisons.route = entrants.route
        and comparisons.candidate = entrants.model
inner join sufficiency
    on
        comparisons.day = sufficiency.day
        and comparisons.run_id = sufficiency.run_id
        and comparisons.route = sufficiency.route
        and comparisons.candidate = sufficiency.candidate
