{#- Without an enforced contract: there is a column for each feature, and a workspace can add features. -#}
{{ config(contract={'enforced': false}) }}

{%- set features = features_of(ref('int_text_features')) %}
-- depends_on: {{ ref('features') }}

with texts as (
    select * from {{ ref('int_text_features') }}
    where origin = 'production' and {{ is_day_to_build(ref('int_text_features')) }}
),

calls as (
    select
        day,
        route,
        subject_id,
        count(*) as n
    from texts
    group by day, route, subject_id
),

ranked as (
    select
        day,
        route,
        subject_id,
        cast(sum(n) over (partition by day, route) as bigint) as n_texts,
        row_number() over (
            partition by day, route order by {{ sample_rank('subject_id') }}, subject_id
        ) as sample_place
    from calls
)

select
    texts.day,
    texts.route,
    texts.side,
    texts.subject_id,
    ranked.n_texts,
    ranked.sample_place{% for feature in features %}, texts.{{ feature.name }}{% endfor %}
from texts
inner join ranked
    on texts.day = ranked.day and texts.route = ranked.route and texts.subject_id = ranked.subject_id
where ranked.sample_place <= {{ var('calls_drawn') }}
