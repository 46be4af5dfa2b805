{#- Requests without an answer. A model's own failures are scored as failed answers, all others are unscored; the
    classes are those of flows/llm/failures.py. -#}
with failures as (
    select
        day,
        run_id,
        model,
        route,
        arm,
        example_id,
        coalesce(
            error_class,
            case error_type
                when 'content_filter' then 'content_filter'
                when 'ContextWindowExceededError' then 'context_length'
                else 'unknown'
            end
        ) as error_class,
        error_message
    from {{ ref('stg_completions') }}
    where status <> 'ok' and not {{ is_shadow_run() }} and {{ is_day_to_build(ref('stg_completions')) }}
)

select
    day,
    run_id,
    model,
    route,
    error_class,
    max(arm) as arm,
    max(
        case
            when error_class in ('context_length', 'content_filter', 'refused_request', 'repetition') then 1
            else 0
        end
    ) = 1 as is_own_failure,
    count(*) as n_answers,
    count(distinct example_id) as n_examples,
    min(error_message) as error_message
from failures
group by day, run_id, model, route, error_class
