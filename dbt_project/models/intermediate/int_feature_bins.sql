with current_bins as (
    select * from {{ ref('int_feature_histograms') }}
    where origin = 'production' and {{ is_built_day() }}
),

reference_bins as (
    select * from {{ ref('int_feature_references') }}
),

series as (
    select distinct
        day,
        route,
        side,
        feature,
        model_served,
        prompt_version
    from current_bins
),

set_references as (
    select distinct
        day,
        reference,
        route,
        side,
        feature
    from reference_bins
    where reference <> 'trailing'
),

series_references as (
    select
        series.*,
        'trailing' as reference
    from series
    union all
    select
        series.*,
        set_references.reference
    from series
    inner join set_references
        on
            series.day = set_references.day
            and series.route = set_references.route
            and series.side = set_references.side
            and series.feature = set_references.feature
),

sides_of_bins as (
    select
        series_references.*,
        current_bins.bin,
        current_bins.n as n_current,
        current_bins.total as total_current,
        0 as n_reference,
        0 as total_reference,
        0 as squares_reference
    from series_references
    inner join current_bins
        on
            series_references.day = current_bins.day
            and series_references.route = current_bins.route
            and series_references.side = current_bins.side
            and series_references.feature = current_bins.feature
            and series_references.model_served = current_bins.model_served
            and series_references.prompt_version = current_bins.prompt_version
    union all
    select
        series_references.*,
        reference_bins.bin,
        0 as n_current,
        0 as total_current,
        reference_bins.n as n_reference,
        reference_bins.total as total_reference,
        reference_bins.total_squares as squares_reference
    from series_references
    inner join reference_bins
        on
            series_references.day = reference_bins.day
            and series_references.reference = reference_bins.reference
            and series_references.route = reference_bins.route
            and series_references.side = reference_bins.side
            and series_references.feature = reference_bins.feature
            and (
                series_references.reference <> 'trailing'
                or (
                    series_references.model_served = reference_bins.model_served
                    and series_references.prompt_version = reference_bins.prompt_version
                )
            )
)

select
    day,
    route,
    side,
    feature,
    reference,
    model_served,
    prompt_version,
    bin,
    sum(n_current) as n_current,
    sum(n_reference) as n_reference,
    {{ exact_sum('total_current') }} as total_current,
    {{ exact_sum('total_reference') }} as total_reference,
    {{ exact_sum('squares_reference') }} as squares_reference
from sides_of_bins
group by day, route, side, feature, reference, model_served, prompt_version, bin
