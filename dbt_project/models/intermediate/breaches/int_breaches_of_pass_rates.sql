{#- A pinned model below its minimum pass rate, in nightly runs. -#}
with scores as (
    select
        came.*,
        bare.pass_rate as pass_rate_unwrapped
    from {{ ref('fct_eval_scores') }} as came
    left join {{ ref('fct_eval_scores') }} as bare
        on
            came.day = bare.day
            and came.run_id = bare.run_id
            and came.route = bare.route
            and came.model = bare.model
            and bare.criterion = {{ unwrapped('came.criterion') }}
    where came.arm = 'pinned' and came.pass_rate < came.min_pass_rate
)

select
    day,
    'pass_rate' as kind,
    {{ subject_part('route') }} || '/' || {{ subject_part('criterion') }} as subject,
    severity,
    true as is_start,
    {{ pass_rate_sentence() }} as summary,
    {{ pass_rate_unwrapped_words() }} as explanation,
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
where run_id = {{ nightly_run_id('day') }}
