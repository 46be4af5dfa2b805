{{ config(schema='intermediate', materialized='ephemeral', contract={'enforced': false}) }}

{#- What `genchi compare` finds is an answer to a person and no breach of the night: its runs are left out. -#}
{%- set evidence = [
    ('run_id', 'run_id'),
    ('route', 'route'),
    ('criterion', 'criterion'),
    ('pinned', 'pinned'),
    ('candidate', 'candidate'),
    ('slice', 'slice'),
    ('delta', 'delta'),
    ('ci_low', 'ci_low'),
    ('ci_high', 'ci_high'),
    ('p_value', 'p_value'),
    ('q_value', 'q_value'),
    ('margin', 'margin'),
    ('n_examples', 'n_examples'),
    ('n_unscored', 'n_unscored'),
    ('n_regressed', 'n_regressed'),
] -%}
{%- set common -%}
    day, run_id, route, criterion, pinned, candidate, severity, delta, ci_low, ci_high, p_value, q_value, margin,
    n_examples, n_unscored, n_regressed
{%- endset -%}

with comparisons as (
    select
        {{ common }},
        '*' as slice
    from {{ ref('fct_model_comparisons') }}
    where verdict = 'worse'
    union all
    select
        {{ common }},
        slice
    from {{ ref('fct_slice_comparisons') }}
    where verdict = 'worse'
),

scores as (
    select * from {{ ref('fct_eval_scores') }}
    where arm = 'pinned' and pass_rate < min_pass_rate
),

worse as (
    select
        day,
        run_id,
        case when slice = '*' then 'worse' else 'slice_worse' end as kind,
        {{ subject_part('route') }} || '/' || {{ subject_part('criterion') }} || '/' || candidate
        || case when slice = '*' then '' else '/' || slice end as subject,
        case when slice = '*' or severity = 'info' then severity else 'warning' end as severity,
        'On route ' || route || case when slice = '*' then '' else ', slice ' || slice end
        || ', ' || candidate || ' passes ' || criterion || ' ' || {{ points('-delta') }}
        || ' points less often than ' || pinned
        || ' (95 % interval of the difference: ' || {{ points('ci_low') }} || ' to ' || {{ points('ci_high') }}
        || ', ' || cast(n_examples as varchar) || ' examples).' as summary,
        {{ json_object(evidence) }} as evidence_json
    from comparisons
),

low_scores as (
    select
        day,
        run_id,
        'pass_rate' as kind,
        {{ subject_part('route') }} || '/' || {{ subject_part('criterion') }} as subject,
        severity,
        'On route ' || route || ', ' || model || ' passes ' || criterion || ' in ' || {{ percent('pass_rate') }}
        || ' of answers (95 % interval ' || {{ percent('ci_low') }} || ' to ' || {{ percent('ci_high') }}
        || ', ' || cast(n_examples as varchar) || ' examples), below the required '
        || {{ percent('min_pass_rate') }} || '.' as summary,
        {{ json_object([
            ('run_id', 'run_id'),
            ('route', 'route'),
            ('criterion', 'criterion'),
            ('model', 'model'),
            ('pass_rate', 'pass_rate'),
            ('min_pass_rate', 'min_pass_rate'),
            ('ci_low', 'ci_low'),
            ('ci_high', 'ci_high'),
            ('n_examples', 'n_examples'),
            ('n_repeats', 'n_repeats'),
            ('n_unscored', 'n_unscored'),
        ]) }} as evidence_json
    from scores
),

breaches as (
    select * from worse
    union all
    select * from low_scores
)

select
    day,
    kind,
    subject,
    severity,
    summary,
    evidence_json
from breaches
where run_id = 'nightly-' || cast(day as varchar)
