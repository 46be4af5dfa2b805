with calls as (
    select * from {{ ref('int_calls') }}
    where not is_cache_hit
),

examples as (
    select
        *,
        coalesce(route, '*') as reference_route
    from {{ ref('stg_examples') }}
),

texts as (
    select
        day,
        'production' as origin,
        route,
        model_served,
        prompt_version,
        release,
        'input' as side,
        call_id as subject_id,
        cluster_key,
        input_text as text_value
    from calls
    union all
    select
        day,
        'production' as origin,
        route,
        model_served,
        prompt_version,
        release,
        'output' as side,
        call_id as subject_id,
        cluster_key,
        output_text as text_value
    from calls
    where not is_error
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
    -- A label is no model for the form of an answer; a structure is.
    where left(expected_json, 1) in ('{', '[')
)

select * from texts
where text_value is not null
