{%- set relations = [ref('int_text_features'), ref('int_pair_features')] -%}
{%- set keys = ['day', 'route', 'side', 'feature', 'reference'] -%}

with seeded as (
    select * from {{ ref('features') }}
),

counts as (
    select
        cast(null as date) as day,
        cast(null as {{ type_string() }}) as origin,
        cast(null as {{ type_string() }}) as route,
        cast(null as {{ type_string() }}) as side,
        cast(null as {{ type_string() }}) as feature,
        cast(null as double) as value,
        cast(null as bigint) as n
    where false
    {%- for relation in relations %}
        {%- for feature in numbers_of_examples(relation) %}
    union all
    select
        day,
        origin,
        route,
        side,
        '{{ feature.name }}' as feature,
        {{ feature.name }} as value,
        count(*) as n
    from {{ relation }}
    where {{ is_built_day() }} and {{ feature.name }} is not null
    group by day, origin, route, side, {{ feature.name }}
    {%- endfor %}
    {%- endfor %}
),

current_values as (
    select counts.*
    from counts
    inner join seeded
        on counts.feature = seeded.feature and seeded.sides in ('both', counts.side)
    where counts.origin = 'production'
),

production_series as (
    select distinct
        day,
        route,
        side,
        feature
    from current_values
),

dev_routes as (
    select distinct
        day,
        route
    from {{ ref('int_feature_histograms') }}
    where origin = 'dev' and {{ is_built_day() }}
),

-- A route without its own dev examples is compared with those that have no route.
reference_values as (
    select
        production_series.*,
        counts.origin as reference,
        counts.value,
        counts.n
    from production_series
    left join dev_routes
        on production_series.day = dev_routes.day and production_series.route = dev_routes.route
    inner join counts
        on
            production_series.day = counts.day
            and production_series.side = counts.side
            and production_series.feature = counts.feature
            and counts.route = case
                when counts.origin = 'dev' and dev_routes.route is null then '*' else production_series.route
            end
    where counts.origin <> 'production'
),

series as (
    select distinct
        day,
        route,
        side,
        feature,
        reference
    from reference_values
),

both_samples as (
    select
        series.*,
        current_values.value,
        current_values.n as n_current,
        0 as n_reference
    from series
    inner join current_values
        on
            series.day = current_values.day
            and series.route = current_values.route
            and series.side = current_values.side
            and series.feature = current_values.feature
    union all
    select
        day,
        route,
        side,
        feature,
        reference,
        value,
        0 as n_current,
        n as n_reference
    from reference_values
),

cells as (
    {{ value_cells('both_samples', keys) }}
)

select *
-- The linter's grammar has no window frame without an order, which is how a running sum keeps that of its rows.
from ({{ exact_distances('both_samples', 'cells', keys) }})  -- noqa: PRS
