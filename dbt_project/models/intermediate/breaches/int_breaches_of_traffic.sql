{#- The number of calls, and their topics. -#}
with night as (
    select * from {{ ref('int_traffic_tests_daily') }} as found
    where
        (is_breach or is_ongoing)
        -- A group that becomes a topic on this day is reported by its share, and continues as a breach of the share.
        and not exists (
            select 1 from {{ ref('int_traffic_tests_daily') }} as reported
            where
                reported.is_breach
                and reported.day = found.day
                and reported.route = found.route
                and found.feature = 'new_' || reported.feature
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
    cast(null as {{ type_string() }}) as severity,
    is_breach as is_start,
    case breach_kind
        when 'volume' then {{ volume_sentence() }}
        when 'topic' then {{ topic_sentence() }}
        when 'new_topic' then {{ new_topic_sentence() }}
        else {{ two_sample_sentence() }}
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
