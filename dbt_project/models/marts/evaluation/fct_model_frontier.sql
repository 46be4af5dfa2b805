with model_variants as (
    select * from {{ ref('stg_model_variants') }}
    where {{ is_day_to_build(ref('stg_model_variants')) }} and not {{ is_shadow_run() }}
),

answers as (
    select
        day,
        run_id,
        route,
        model,
        1000 * {{ exact_sum('cost_usd') }} / nullif(count(cost_usd), 0) as cost_per_1k_calls,
        count(*) - count(cost_usd) as n_without_cost,
        {{ percentile('latency_ms', 0.50) }} as latency_p50_ms,
        {{ percentile('latency_ms', 0.95) }} as latency_p95_ms
    from {{ ref('stg_completions') }}
    where status = 'ok' and {{ is_day_to_build(ref('stg_model_variants')) }}
    group by day, run_id, route, model
),

measured as (
    select
        model_variants.*,
        answers.cost_per_1k_calls,
        answers.n_without_cost,
        answers.latency_p50_ms,
        answers.latency_p95_ms,
        case when answers.n_without_cost = 0 then answers.cost_per_1k_calls end as whole_cost,
        answers.n_without_cost = 0 and model_variants.n_unanswered = 0 as is_measured_whole,
        model_variants.arm = 'pinned' or coalesce(sufficiency.is_not_worse, false) as is_sufficient,
        model_variants.pass_rate is not null
        and answers.n_without_cost = 0
        and answers.latency_p50_ms is not null as is_comparable
    from model_variants
    left join answers
        on
            model_variants.day = answers.day
            and model_variants.run_id = answers.run_id
            and model_variants.route = answers.route
            and model_variants.model = answers.model
    left join {{ ref('int_sufficiency') }} as sufficiency
        on
            model_variants.day = sufficiency.day
            and model_variants.run_id = sufficiency.run_id
            and model_variants.route = sufficiency.route
            and model_variants.model = sufficiency.candidate
),

-- Dominated: another one has at least the score, at most the cost and median latency, and not all are equal. One that
-- left examples unanswered may have left the hard, long and expensive ones: it dominates nobody.
dominated as (
    select distinct
        measured.day,
        measured.run_id,
        measured.route,
        measured.model
    from measured
    inner join measured as rivals
        on
            measured.day = rivals.day
            and measured.run_id = rivals.run_id
            and measured.route = rivals.route
            and rivals.is_measured_whole
            and measured.mean_score <= rivals.mean_score
            and measured.whole_cost >= rivals.whole_cost
            and measured.latency_p50_ms >= rivals.latency_p50_ms
    where
        rivals.mean_score > measured.mean_score
        or rivals.whole_cost < measured.whole_cost
        or rivals.latency_p50_ms < measured.latency_p50_ms
),

ranked as (
    select
        *,
        row_number() over (
            partition by day, run_id, route, is_sufficient
            order by whole_cost asc, latency_p50_ms asc, arm desc, model asc
        ) as place,
        min(case when is_measured_whole then 1 else 0 end) over (partition by day, run_id, route, is_sufficient) = 1
            as has_all_costs
    from measured
)

select
    ranked.day,
    ranked.run_id,
    ranked.model,
    ranked.route,
    ranked.arm,
    ranked.base as base_model,
    ranked.prompt_version,
    ranked.n_shots,
    ranked.ends_on,
    ranked.n_examples,
    ranked.n_repeats,
    ranked.n_unscored,
    ranked.pass_rate,
    ranked.ci_low,
    ranked.ci_high,
    ranked.mean_score,
    ranked.n_unanswered,
    ranked.cost_per_1k_calls,
    ranked.n_without_cost,
    ranked.latency_p50_ms,
    ranked.latency_p95_ms,
    case when ranked.is_comparable then dominated.model is not null end as is_dominated,
    ranked.is_sufficient,
    case
        when not ranked.is_sufficient then false
        when ranked.has_all_costs then ranked.place = 1
    end as is_smallest_sufficient
from ranked
left join dominated
    on
        ranked.day = dominated.day
        and ranked.run_id = dominated.run_id
        and ranked.route = dominated.route
        and ranked.model = dominated.model
