with calls as (
    select * from {{ ref('int_calls') }}
    where not is_cache_hit
),

-- A request and its answer are two texts of one row. A CTE used twice would be materialized with all texts.
sides as (
    select 'input' as side
    union all
    select 'output' as side
),

examples as (
    select
        *,
        coalesce(route, '*') as reference_route
    from {{ ref('stg_examples') }}
),

texts as (
    select
        calls.day,
        'production' as origin,
        calls.route,
        calls.model_served,
        calls.prompt_version,
        calls.release,
        sides.side,
        calls.call_id as subject_id,
        calls.cluster_key,
        case when sides.side = 'input' then calls.input_text when not calls.is_error then calls.output_text end
            as text_value
    from calls
    cross join sides
    union all
    select
        day,
        example_set as origin,
        reference_route as route,
        '*' as model_served,
        '*' as prompt_version,
        '*' as release,
        'input' as side,
        example_id as subject_id,
        {{ hash_of('example_id') }} as cluster_key,
        input_text as text_value
    from examples
    union all
    select
        day,
        example_set as origin,
        reference_route as route,
        '*' as model_served,
        '*' as prompt_version,
        '*' as release,
        'output' as side,
        example_id as subject_id,
        {{ hash_of('example_id') }} as cluster_key,
        expected_text as text_value
    from examples
    -- An expected label does not show the form of an answer; an expected structure does.
    where left(expected_json, 1) in ('{', '[')
)

select * from texts
where text_value is not null
