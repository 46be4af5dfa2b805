{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set keys = ['day', 'route', 'cluster_key', 'subject_id'] -%}
{#- As many paths as are kept of a day and route: more than the fields that are tested (most_members of
    int_series_tests), so that none is missing on the days on which it is rarest. -#}
{%- set most = 100 -%}

with features as (
    select * from {{ ref('int_text_features') }}
    where origin = 'production' and side = 'output' and {{ days }}
),

texts as (
    select * from {{ ref('int_sampled_texts') }}
    where origin = 'production' and side = 'output' and {{ days }}
),

outputs as (
    select
        texts.day,
        texts.route,
        texts.cluster_key,
        texts.subject_id,
        features.json_is_object,
        case when features.json_is_object then texts.text_value end as object_text
    from texts
    inner join features
        on
            texts.day = features.day
            and texts.route = features.route
            and texts.subject_id = features.subject_id
),

objects as (
    select * from outputs
    where json_is_object
),

said as (
    {{ fields_of('objects', keys, 'object_text') }}
),

-- A key that is there twice with one value, or is like another one when it is cut, counts once.
fields as (
    select distinct * from said
),

paths as (
    select
        day,
        route,
        field_path,
        row_number() over (partition by day, route order by count(*) desc, field_path) as place
    from fields
    group by day, route, field_path
)

select fields.*
from fields
inner join paths
    on
        fields.day = paths.day
        and fields.route = paths.route
        and fields.field_path = paths.field_path
where paths.place <= {{ most }}
union all
-- Each output has a row without a path: an object may have no field, and a day has rows even if it has no object.
select
    {{ keys | join(', ') }},
    null as field_path,
    case when json_is_object then 'object' end as json_type,
    null as value,
    null as n_characters,
    null as number,
    null as n_elements
from outputs
