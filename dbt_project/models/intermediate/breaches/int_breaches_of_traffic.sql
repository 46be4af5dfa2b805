{#- The number of calls, and their topics. -#}
{%- set least_moved = 0.005 -%}

with topics as (
    select
        day,
        route,
        effect > 0 as is_more,
        abs(effect) >= {{ least_moved }} as is_moved,
        '"' || topic_label || '" (' || {{ percent('observed') }} || ', ' || {{ percent('expected') }}
        || ' expected)' as topic,
        row_number() over (partition by day, route, effect > 0 order by abs(effect) desc, feature) as place
    from {{ ref('int_traffic_tests_daily') }}
    where feature like 'topic:%' and topic_label is not null
),

-- The two topics that there is most more of, and the two that there is most less of.
mixes as (
    select
        day,
        route,
        max(case when is_moved and is_more and place = 1 then topic end)
        || coalesce(' and ' || max(case when is_moved and is_more and place = 2 then topic end), '') as more_topics,
        max(case when is_moved and not is_more and place = 1 then topic end)
        || coalesce(' and ' || max(case when is_moved and not is_more and place = 2 then topic end), '') as fewer_topics
    from topics
    group by day, route
),

night as (
    select
        found.*,
        mixes.route is not null as has_topics,
        mixes.more_topics,
        mixes.fewer_topics
    from {{ ref('int_traffic_tests_daily') }} as found
    left join mixes on found.day = mixes.day and found.route = mixes.route
    where
        (found.is_breach or found.is_ongoing)
        -- A group that becomes a topic on this day is reported by its share, and continues as a breach of the share.
        and not exists (
            select 1 from {{ ref('int_traffic_tests_daily') }} as reported
            where
                reported.is_breach
                and reported.day = found.day
                and reported.route = found.route
                and found.feature like 'new_topic:%'
                and reported.feature like 'topic:%'
                and {{ split_part('found.feature', "'-'", 2) }} = {{ split_part('reported.feature', "'-'", 2) }}
        )
),

worded as (
    select
        *,
        coalesce(window_nights, 1) as nights_seen,
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
    cast(null as {{ type_string() }}) as severity,
    is_breach as is_start,
    case breach_kind
        when 'volume' then {{ volume_sentence() }}
        when 'topic' then {{ topic_sentence() }}
        when 'new_topic' then {{ new_topic_sentence() }}
        when 'output_profile' then {{ output_profile_sentence() }}
        else {{ two_sample_sentence() }}
    end as summary,
    '' as explanation,
    {{ json_object([
        ('route', 'route'),
        ('side', 'side'),
        ('feature', 'feature'),
        ('observed', "case when breach_kind = 'volume' then exp(observed) - 1 else observed end"),
        ('expected', "case when breach_kind = 'volume' then exp(expected) - 1 else expected end"),
        ('window_nights', 'nights_seen'),
        ('moved', 'moved'),
        ('topic_label', 'topic_label'),
        ('n_group', 'n_group'),
        ('more_topics', "case when breach_kind = 'two_sample' then more_topics end"),
        ('fewer_topics', "case when breach_kind = 'two_sample' then fewer_topics end"),
        ('n_current', 'n'),
        ('p_value', 'p_value'),
        ('q_value', 'q_value'),
        ('example_call_ids', 'example_call_ids'),
    ]) }} as evidence_json
from worded
