{#- A candidate is compared with the pinned model of the same run, the pinned model with itself on the day before. A
    changed criterion or judge has another criterion_version: what it says otherwise is no change of the example. Scores
    between 0 and 1 are compared by their mean. A pairwise judge has already compared the two models. By its criteria
    the pinned model has half a point for that reason (flows/evaluate/criteria/judge_scores.py, AGAINST_ITSELF); a
    candidate with more has won, with less lost. -#}
{%- set against_itself = 'the pinned model is what others are compared with' -%}
{%- set keys = ['day', 'run_id', 'model', 'route', 'example_id', 'criterion'] -%}

-- Scores of answers without their wrapping exist only for answers with a wrapping, so they do not cover whole examples.
with scores as (
    select * from {{ ref('stg_scores') }}
    where
        subject = 'completion'
        and criterion not like {{ unwrapped("'%'") }}
        and not {{ is_shadow_run() }}
        and ({{ is_day_to_build(ref('stg_completions')) }})
),

completions as (
    select * from {{ ref('stg_completions') }}
    where {{ is_day_to_build(ref('stg_completions')) }}
),

answers as (
    select
        scores.*,
        completions.arm,
        completions.output_text,
        row_number() over (
            partition by
                scores.day,
                scores.run_id,
                scores.model,
                scores.route,
                scores.example_id,
                scores.criterion,
                scores.is_passed
            order by scores.repeat
        ) as place
    from scores
    inner join completions
        on
            scores.day = completions.day
            and scores.run_id = completions.run_id
            and scores.model = completions.model
            and scores.route = completions.route
            and scores.example_id = completions.example_id
            and scores.repeat = completions.repeat
),

tallied as (
    select
        {{ keys | join(', ') }},
        arm,
        max(criterion_version) as criterion_version,
        {{ count_if('is_passed') }} as passes,
        count(is_passed) as repeats,
        avg(score) as mean_score,
        {{ bool_or("reason = '" ~ against_itself ~ "'") }} as is_pairwise,
        max(case when is_passed and place = 1 then output_text end) as passed_text,
        max(case when not is_passed and place = 1 then output_text end) as failed_text,
        max(case when not is_passed and place = 1 then reason end) as failing_reason,
        max(case when score > 0 and score < 1 then 1 else 0 end) as has_fraction
    from answers
    group by {{ keys | join(', ') }}, arm
),

states as (
    select
        *,
        is_pairwise
        or max(has_fraction) over (partition by day, run_id, route, criterion) = 1 as is_compared_by_mean,
        {{ example_state('passes', 'repeats') }} as state
    from tallied
),

day_before as (
    select
        {{ keys | join(', ') }},
        max(criterion_version) as criterion_version,
        {{ example_state(count_if('is_passed'), 'count(is_passed)') }} as state
    from {{ ref('stg_scores') }}
    where
        subject = 'completion'
        and run_id = {{ nightly_run_id('day') }}
        and day between {{ day_before(first_day()) }} and {{ day_before(last_day()) }}
    group by {{ keys | join(', ') }}
),

compared as (
    select
        states.*,
        pinned.passed_text as pinned_passed_text,
        pinned.failed_text as pinned_failed_text,
        case when states.arm = 'pinned' then day_before.state else pinned.state end as other_state,
        case
            when states.arm = 'pinned' or states.repeats = 0 or pinned.repeats = 0 then null
            when pinned.is_compared_by_mean and states.mean_score < pinned.mean_score then 'regressed'
            when pinned.is_compared_by_mean and states.mean_score > pinned.mean_score then 'repaired'
            when pinned.is_compared_by_mean then null
            when 2 * pinned.passes > pinned.repeats and 2 * states.passes <= states.repeats then 'regressed'
            when 2 * pinned.passes <= pinned.repeats and 2 * states.passes > states.repeats then 'repaired'
        end as flip
    from states
    left join states as pinned
        on
            pinned.arm = 'pinned'
            and states.arm <> 'pinned'
            and states.day = pinned.day
            and states.run_id = pinned.run_id
            and states.route = pinned.route
            and states.example_id = pinned.example_id
            and states.criterion = pinned.criterion
            and coalesce(states.criterion_version, '') = coalesce(pinned.criterion_version, '')
    left join day_before
        on
            states.arm = 'pinned'
            and states.run_id = {{ nightly_run_id('states.day') }}
            and {{ day_before('states.day') }} = day_before.day
            and states.model = day_before.model
            and states.route = day_before.route
            and states.example_id = day_before.example_id
            and states.criterion = day_before.criterion
            and coalesce(states.criterion_version, '') = coalesce(day_before.criterion_version, '')
)

select
    {{ keys | join(', ') }},
    arm,
    criterion_version,
    passes,
    repeats,
    mean_score,
    state,
    case when state <> other_state then other_state end as changed_from,
    flip,
    case when flip is not null or state = 'flaky' then coalesce(failed_text, passed_text) end as answer,
    case when flip is not null or state = 'flaky' then failing_reason end as failing_reason,
    case
        when flip is not null or state = 'flaky' then coalesce(pinned_passed_text, pinned_failed_text)
    end as pinned_answer
from compared
