{#- How many calls there are, and what they are about. -#}
with night as (
    select * from {{ ref('int_traffic_tests_daily') }} as found
    where
        (is_breach or is_ongoing)
        -- A group that is a topic from this day on is told by its share, and goes on by it.
        and not exists (
            select 1 from {{ ref('int_traffic_tests_daily') }} as told
            where
                told.is_breach
                and told.day = found.day
                and told.route = found.route
                and found.feature = 'new_' || told.feature
        )
),

worded as (
    select
        *,
        case
            when feature = 'calls' then 'volume'
            when feature like 'topic:%' then 'topic'
            when feature like 'new_topic%' then 'new_topic'
            else feature
        end as breach_kind
    from night
)

select
    day,
    breach_kind as kind,
    {{ subject_part('route') }} || '/' || side || '/' || {{ subject_part('feature') }} as subject,
    'warning' as severity,
    is_breach as is_start,
    case breach_kind
        when 'volume'
            then
                'On route ' || route || ', there were ' || cast(n as varchar) || ' calls on ' || cast(day as varchar)
                || ', where ' || cast(cast(round(exp(expected) - 1) as bigint) as varchar) || ' were to be expected.'
        when 'topic'
            then
                'On route ' || route || ', inputs about ' || coalesce(topic_label, feature)
                || case
                    when is_added and expected < 0.0005 then ' are new: they rose'
                    when effect > 0 then ' rose'
                    else ' fell'
                end || ' to ' || {{ percent('observed') }} || ' on ' || cast(day as varchar)
                || ', where ' || {{ percent('expected') }} || ' was to be expected.'
        when 'new_topic'
            then
                'On route ' || route || ', ' || coalesce(cast(n_group as varchar) || ' ', '') || 'inputs on '
                || cast(day as varchar) || ' are about something new: ' || coalesce(topic_label, 'without a label')
                || '.'
        else
            'On route ' || route || ', ' || side || 's as a whole mean something else on ' || cast(day as varchar)
            || ' than in the trailing {{ var("window_days") }} days.'
    end as summary,
    '' as explanation,
    {{ json_object([
        ('route', 'route'),
        ('side', 'side'),
        ('feature', 'feature'),
        ('observed', "case when breach_kind = 'volume' then exp(observed) - 1 else observed end"),
        ('expected', "case when breach_kind = 'volume' then exp(expected) - 1 else expected end"),
        ('n_current', 'n'),
        ('p_value', 'p_value'),
        ('q_value', 'q_value'),
        ('example_call_ids', 'example_call_ids'),
    ]) }} as evidence_json
from worded
