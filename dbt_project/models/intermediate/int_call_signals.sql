{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='sync_all_columns'
) }}

{#- Feedback counts on the day on which it is given. A log that never has a kind of signal does not say that there was
    none. -#}
{%- set days = is_day_to_build(ref('stg_interactions')) -%}
{%- set logged = logged_signals() | list -%}

with feedback as (
    select * from {{ ref('int_feedback_daily') }}
    where {{ days }}
),

of_window as (
    select * from {{ ref('int_feedback_daily') }}
    where {{ days }} or day between {{ window_start(first_day()) }} and {{ last_day() }}
),

-- Without the texts: this is read more than once.
calls as (
    select
        day,
        call_id,
        route,
        model_served,
        prompt_version,
        release,
        cluster_key
    from {{ ref('int_calls') }}
    where {{ days }} or {{ is_day_of_feedback() }}
),

turns as (
    select * from {{ ref('int_session_turns') }}
    where {{ days }}
),

topics as (
    select * from {{ ref('stg_topics') }}
    where side = 'input' and origin = 'production' and ({{ days }} or {{ is_day_of_feedback() }})
),

routes as (
    select
        route,
        {% for signal in logged -%}
            max(case when {{ signal }} then 1 else 0 end) = 1 as has_{{ signal }},
        {% endfor -%}
        count(*) as n_signals
    from of_window
    group by route
),

of_day as (
    select
        calls.*,
        calls.day as counted_on,
        true as is_of_day
    from calls
    where {{ days }}
    union all
    select
        calls.*,
        feedback.day as counted_on,
        false as is_of_day
    from feedback
    inner join calls on feedback.call_id = calls.call_id and feedback.called_on = calls.day
    where feedback.called_on < feedback.day
)

select
    of_day.counted_on as day,
    'production' as origin,
    of_day.route,
    of_day.model_served,
    of_day.prompt_version,
    of_day.release,
    'pair' as side,
    of_day.call_id as subject_id,
    of_day.cluster_key,
    topics.topic_id,
    of_day.is_of_day,
    feedback.negative_feedback,
    {%- for signal in logged %}
        case
            when routes.has_{{ signal }} and (of_day.is_of_day or feedback.{{ signal }})
                then coalesce(feedback.{{ signal }}, false)
        end as {{ signal }},
    {%- endfor %}
    {%- for signal in derived_signals() %}
        case when of_day.is_of_day then turns.{{ signal }} end as {{ signal }},
    {%- endfor %}
    feedback.edit_likeness
from of_day
left join feedback on of_day.counted_on = feedback.day and of_day.call_id = feedback.call_id
left join turns on of_day.day = turns.day and of_day.call_id = turns.call_id
left join routes on of_day.route = routes.route
left join topics on of_day.day = topics.day and of_day.call_id = topics.subject_id
where feedback.call_id is not null or turns.call_id is not null or routes.route is not null
