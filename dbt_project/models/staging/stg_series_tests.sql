select
    day,
    route,
    side,
    feature,
    basis,
    n,
    n_days,
    observed,
    expected,
    effect,
    standard_error,
    degrees_of_freedom,
    p_value,
    n_effective
from {{ source('lake', 'series_tests') }}
