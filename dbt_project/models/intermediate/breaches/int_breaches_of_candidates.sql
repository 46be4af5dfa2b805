{#- A candidate that is worse than the pinned model: only information, because no user gets its answers yet.
    Runs of `genchi compare` are left out: they are started by a person and are not part of the night. -#}
{%- set evidence = [
    ('run_id', 'run_id'),
    ('route', 'route'),
    ('criterion', 'criterion'),
    ('pinned', 'pinned'),
    ('candidate', 'candidate'),
    ('slice', 'slice'),
    ('delta', 'delta'),
    ('delta_unwrapped', 'delta_unwrapped'),
    ('ci_low', 'ci_low'),
    ('ci_high', 'ci_high'),
    ('p_value', 'p_value'),
    ('q_value', 'q_value'),
    ('margin', 'margin'),
    ('n_examples', 'n_examples'),
    ('n_unscored', 'n_unscored'),
    ('n_regressed', 'n_regressed'),
    ('n_unanswered', 'n_unanswered'),
] -%}
{%- set common -%}
    day, run_id, route, criterion, pinned, candidate, delta, ci_low, ci_high, p_value, q_value, margin,
    n_examples, n_unscored, n_regressed, n_unanswered, is_graded
{%- endset -%}

with all_comparisons as (
    select
        {{ common }},
        verdict,
        '*' as slice
    from {{ ref('fct_model_comparisons') }}
    union all
    select
        {{ common }},
        verdict,
        slice
    from {{ ref('fct_slice_comparisons') }}
),

-- Answers without their wrapping are not a breach by themselves: they show whether only the formatting is worse.
comparisons as (
    select
        came.*,
        bare.delta as delta_unwrapped,
        bare.verdict as verdict_unwrapped
    from all_comparisons as came
    left join all_comparisons as bare
        on
            came.day = bare.day
            and came.run_id = bare.run_id
            and came.route = bare.route
            and came.pinned = bare.pinned
            and came.candidate = bare.candidate
            and came.slice = bare.slice
            and bare.criterion = {{ unwrapped('came.criterion') }}
    where came.verdict = 'worse' and came.criterion not like {{ unwrapped("'%'") }}
)

select
    day,
    case when slice = '*' then 'worse' else 'slice_worse' end as kind,
    {{ subject_part('route') }} || '/' || {{ subject_part('criterion') }} || '/' || candidate
    || case when slice = '*' then '' else '/' || slice end as subject,
    cast(null as {{ type_string() }}) as severity,
    true as is_start,
    case when slice = '*' then {{ worse_sentence() }} else {{ slice_worse_sentence() }} end as summary,
    {{ worse_unwrapped_words() }} as explanation,
    {{ json_object(evidence) }} as evidence_json
from comparisons
where run_id = {{ nightly_run_id('day') }}
