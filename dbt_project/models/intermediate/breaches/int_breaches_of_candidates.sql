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
)

select
    day,
    case when slice = '*' then 'worse' else 'slice_worse' end as kind,
    {{ subject_part('route') }} || '/' || {{ subject_part('criterion') }} || '/' || candidate
    || case when slice = '*' then '' else '/' || slice end as subject,
    case when slice = '*' or severity = 'info' then severity else 'warning' end as severity,
    true as is_start,
    'On route ' || route || case when slice = '*' then '' else ', slice ' || slice end
    || ', ' || candidate || ' passes ' || criterion || ' ' || {{ points('-delta') }}
    || ' points less often than ' || pinned
    || ' (95 % interval of the difference: ' || {{ points('ci_low') }} || ' to ' || {{ points('ci_high') }}
    || ', ' || cast(n_examples as varchar) || ' examples).' as summary,
    unwrapped_words as explanation,
    {{ json_object(evidence) }} as evidence_json
from comparisons
where run_id = 'nightly-' || cast(day as varchar)
