{#- The standard error that a verdict needs if the true difference is the observed one: at this error a 95 % interval
    excludes minus the margin (not_worse) or 0 (worse), whichever is easier, with 80 % probability. -#}
{%- set quantiles = 1.959964 + 0.841621 -%}
{%- set most_repeats = 50 -%}

with comparisons as (
    select
        *,
        coalesce(margin, {{ threshold('margin', 'route') }}) as margin_or_default
    from {{ ref('stg_comparisons') }}
),

judged as (
    select
        *,
        case
            when q_value <= {{ threshold('verdict_q_value', 'route') }} and ci_low > 0 and ci_low_worst > 0
                then 'better'
            when ci_low > -margin_or_default and ci_low_worst > -margin_or_default then 'not_worse'
            -- What is not known makes nothing worse.
            when ci_low > -margin_or_default then 'insufficient'
            when q_value <= {{ threshold('verdict_q_value', 'route') }} and ci_high < 0 then 'worse'
            else 'insufficient'
        end as verdict,
        pow(nullif(greatest(delta + margin_or_default, -delta), 0) / {{ quantiles }}, 2) as variance_enough,
        pow(standard_error, 2) as variance
    from comparisons
),

-- More repeats only reduce their part of the variance.
needed as (
    select
        *,
        n_examples * variance / variance_enough as examples,
        n_repeats * variance * repeat_share
        / case
            when variance_enough > variance * (1 - repeat_share) then variance_enough - variance * (1 - repeat_share)
        end
            as repeats
    from judged
)

select
    day,
    run_id,
    pinned,
    candidate,
    route,
    criterion,
    slice,
    severity,
    delta,
    ci_low,
    ci_high,
    p_value,
    q_value,
    margin_or_default as margin,
    minimum_detectable,
    verdict,
    n_examples,
    n_unscored,
    n_regressed,
    n_repaired,
    n_unanswered,
    ci_low_worst,
    ci_high_worst,
    is_graded,
    case
        when verdict <> 'insufficient' then null
        when n_examples = 0 then 'no_evidence'
        when ci_low > -margin_or_default then 'unanswered'
        else 'wide'
    end as open_because,
    case
        when verdict = 'insufficient' and ci_low <= -margin_or_default and examples is not null
            then cast(greatest(ceil(examples), n_examples + 1) as bigint)
    end as examples_enough,
    case
        when verdict = 'insufficient' and ci_low <= -margin_or_default and repeats <= {{ most_repeats }}
            then cast(greatest(ceil(repeats), n_repeats + 1) as bigint)
    end as repeats_enough
from needed
