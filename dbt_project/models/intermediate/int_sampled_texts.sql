with texts as (
    select
        {{ text_keys() | join(', ') }},
        text_value
    from {{ ref('int_texts') }}
),

-- A separate table: a CTE used twice would be materialized with all texts.
route_sizes as (
    select
        *,
        {{ sample_limit(var('texts_sampled'), 'n_answered') }} as sample_limit
    from {{ ref('int_call_counts_daily') }}
)

select texts.*
from texts
left join route_sizes
    on texts.day = route_sizes.day and texts.route = route_sizes.route
where
    texts.origin <> 'production'
    or {{ sample_rank('texts.subject_id') }} < route_sizes.sample_limit
