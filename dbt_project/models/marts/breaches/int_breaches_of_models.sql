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
    ('delta_unwrapped', 'delta_unwrapped'),
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

-- Answers without their wrapping are no breach: they say of one whether the answers themselves are worse.
comparisons as (
    select
        came.*,
        bare.delta as delta_unwrapped,
        case
            when bare.delta is null then ''
            else
                ' Once unwrapped it passes ' || {{ points('abs(bare.delta)') }} || ' points '
                || case when bare.delta < 0 then 'less' else 'more' end || ' often'
                || case
                    when bare.verdict in ('better', 'not_worse') or bare.delta >= 0
                        then ', so it is the wrapping and not the answer.'
                    when bare.verdict = 'worse' then ', so it is the answer too.'
                    else ': it is not clear whether it is the answer too.'
                end
        end as unwrapped_words
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
),

scores as (
    select
        came.*,
        bare.pass_rate as pass_rate_unwrapped,
        case
            when bare.pass_rate is null then ''
            else
                ' Once unwrapped it is ' || {{ percent('bare.pass_rate') }}
                || case
                    when bare.pass_rate >= came.min_pass_rate then ', so it is the wrapping and not the answer.'
                    else '.'
                end
        end as unwrapped_words
    from {{ ref('fct_eval_scores') }} as came
    left join {{ ref('fct_eval_scores') }} as bare
        on
            came.day = bare.day
            and came.run_id = bare.run_id
            and came.route = bare.route
            and came.model = bare.model
            and bare.criterion = {{ unwrapped('came.criterion') }}
    where came.arm = 'pinned' and came.pass_rate < came.min_pass_rate
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
        || ', ' || cast(n_examples as varchar) || ' examples).' || unwrapped_words as summary,
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
        || {{ percent('min_pass_rate') }} || '.' || unwrapped_words as summary,
        {{ json_object([
            ('run_id', 'run_id'),
            ('route', 'route'),
            ('criterion', 'criterion'),
            ('model', 'model'),
            ('pass_rate', 'pass_rate'),
            ('pass_rate_unwrapped', 'pass_rate_unwrapped'),
            ('min_pass_rate', 'min_pass_rate'),
            ('ci_low', 'ci_low'),
            ('ci_high', 'ci_high'),
            ('n_examples', 'n_examples'),
            ('n_repeats', 'n_repeats'),
            ('n_unscored', 'n_unscored'),
        ]) }} as evidence_json
    from scores
),

pins as (
    select
        *,
        case
            when is_renamed
                then
                    ' It calls itself ' || {{ listed('served_names') }} || ', and no longer '
                    || {{ listed('last_served_names') }} || ' as on the night before.'
            else ''
        end
        || case
            when is_unlike
                then
                    ' Its answers to ' || cast(n_prompts as varchar) || ' prompts are unlike those of the past (p = '
                    || {{ figure('p_value') }} || ').'
            else ''
        end
        || case when is_refingerprinted then ' Its fingerprint is another one, too.' else '' end as why
    from {{ ref('fct_pin_integrity_daily') }}
    where is_changed
),

changed_pins as (
    select
        day,
        'nightly-' || cast(day as varchar) as run_id,
        'pin_changed' as kind,
        {{ subject_part('model') }} as subject,
        'critical' as severity,
        'The pinned model ' || model || ' is no longer what it was.' || why as summary,
        {{ json_object([
            ('model', 'model'),
            ('served_names', 'served_names'),
            ('last_served_names', 'last_served_names'),
            ('fingerprints', 'fingerprints'),
            ('last_fingerprints', 'last_fingerprints'),
            ('p_value', 'p_value'),
            ('n_prompts', 'n_prompts'),
            ('n_answers', 'n_answers'),
        ]) }} as evidence_json
    from pins
),

breaches as (
    select * from worse
    union all
    select * from low_scores
    union all
    select * from changed_pins
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
