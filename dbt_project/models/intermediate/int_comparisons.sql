with comparisons as (
    select
        *,
        coalesce(margin, {{ threshold('margin') }}) as margin_or_default
    from {{ ref('stg_comparisons') }}
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
    case
        when q_value <= {{ threshold('verdict_q_value') }} and ci_low > 0 then 'better'
        when ci_low > -margin_or_default then 'not_worse'
        when q_value <= {{ threshold('verdict_q_value') }} and ci_high < 0 then 'worse'
        else 'insufficient'
    end as verdict,
    n_examples,
    n_unscored,
    n_regressed,
    n_repaired
from comparisons
